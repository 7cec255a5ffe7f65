"""What a user asks for with `pedigree run` or `pedigree trigger`, checked before anything is claimed."""

from dataclasses import asdict, dataclass

from components.contracts.errors import InputError
from components.ingest.source import Source
from components.ingest.splits import SplitExpressions, resolve_splits
from components.train.config import TrainingConfig
from components.train.recipe import find_recipe


@dataclass(frozen=True)
class RunParameters:
    """The parameters of the DAG that change what comes out."""

    dataset: str
    train_split: str
    validation_split: str
    test_split: str
    recipe: str
    image_size_px: int
    num_epochs: int
    batch_size: int
    seed: int
    blessing_threshold: float

    def as_text(self, mlflow_uri: str, model_name: str) -> dict[str, str]:
        """As the ledger keeps them, with where the model goes."""
        parameters = {name: str(value) for name, value in asdict(self).items()}
        return {**parameters, "mlflow_uri": mlflow_uri, "model_name": model_name}

    def check(self, source: Source) -> None:
        """Raises InputError that names the parameter and its value."""
        if not 0 <= self.blessing_threshold <= 1:
            raise InputError(f"blessing_threshold: between 0 and 1 is wanted, {self.blessing_threshold} was given")
        TrainingConfig(find_recipe(self.recipe), self.image_size_px, self.num_epochs, self.batch_size, self.seed)
        resolve_splits(source, SplitExpressions(self.train_split, self.validation_split, self.test_split))


def default_model_name(dataset: str) -> str:
    """`pedigree-` and the dataset's name without its config and version."""
    return f"pedigree-{dataset.split('/')[0].split(':')[0].replace('_', '-')}"
