"""What one training is asked to do, checked before anything is loaded."""

import hashlib
import json
from dataclasses import asdict, dataclass

from components.contracts.dataset_manifest import DatasetManifest
from components.contracts.errors import InputError
from components.contracts.model_manifest import MIN_IMAGE_SIZE_PX
from components.train.recipe import Recipe


@dataclass(frozen=True)
class TrainingConfig:
    """`depth` is ResNet's: 50, 101 or 152. `batch_size` is the global one: examples a step."""

    recipe: Recipe
    image_size_px: int
    num_epochs: int
    batch_size: int
    seed: int
    depth: int = 50

    def __post_init__(self) -> None:
        """Raises InputError that names the parameter and the value."""
        for name, least in (("image_size_px", MIN_IMAGE_SIZE_PX), ("num_epochs", 1), ("batch_size", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise InputError(f"{name}: at least {least} is wanted, {getattr(self, name)} was given")

    def steps_per_epoch(self, manifest: DatasetManifest) -> int:
        """Full batches an epoch. Raises InputError where the train split does not fill one."""
        num_examples = manifest.splits["train"].num_examples
        if num_examples < self.batch_size:
            raise InputError(
                f"batch_size: {self.batch_size} was given, but the train split has {num_examples} examples only"
            )
        return num_examples // self.batch_size

    def sha256(self, dataset_fingerprint: str) -> str:
        """The identity of this training on that dataset: a checkpoint of another one must not be resumed."""
        content = json.dumps({"config": asdict(self), "dataset": dataset_fingerprint}, sort_keys=True)
        return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"
