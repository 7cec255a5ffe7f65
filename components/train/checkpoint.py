"""What a training needs to go on after its last finished epoch: one file, whole or absent."""

import io
import json
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from components.contracts.files import write_atomically
from components.contracts.model_manifest import EpochMetrics

CHECKPOINT_FILE = "checkpoint.npz"


@dataclass(frozen=True)
class Progress:
    """How far a training came. `config_sha256` says which one it was."""

    config_sha256: str
    num_epochs_done: int
    best_epoch: int
    best_validation_loss: float
    history: tuple[EpochMetrics, ...]


def save_checkpoint(folder: Path, model: keras.Model, best_weights: list[np.ndarray], progress: Progress) -> None:
    """Writes the model's, the optimizer's and the best epoch's variables and the progress to one file, atomically."""
    arrays = {
        **_numbered("model", [variable.numpy() for variable in model.variables]),
        **_numbered("optimizer", [variable.numpy() for variable in model.optimizer.variables]),
        **_numbered("best", best_weights),
        "progress": np.frombuffer(json.dumps(asdict(progress)).encode(), np.uint8),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # the stubs take `**arrays` for `allow_pickle`
    write_atomically(folder / CHECKPOINT_FILE, buffer.getvalue())


def load_checkpoint(folder: Path, model: keras.Model, config_sha256: str) -> tuple[Progress, list[np.ndarray]] | None:
    """Puts the variables back; the progress and the best epoch's weights, or None where there is nothing to go on.

    A damaged file, which the zip's checksums find out, is set aside as `….damaged`; another training's is ignored.
    """
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as arrays:
            content = json.loads(arrays["progress"].tobytes())
            if content["config_sha256"] != config_sha256:
                return None
            groups = {group: _ordered(arrays, group) for group in ("model", "optimizer", "best")}
    except (zipfile.BadZipFile, ValueError, KeyError, EOFError):
        path.replace(path.with_suffix(".npz.damaged"))
        return None
    model.optimizer.build(model.trainable_variables)
    for variables, group in ((model.variables, "model"), (model.optimizer.variables, "optimizer")):
        for variable, value in zip(variables, groups[group], strict=True):
            variable.assign(value)
    content["history"] = tuple(EpochMetrics(**epoch) for epoch in content["history"])
    return Progress(**content), groups["best"]


def _numbered(group: str, arrays: list[np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{group}/{index:05d}": array for index, array in enumerate(arrays)}


def _ordered(arrays: np.lib.npyio.NpzFile, group: str) -> list[np.ndarray]:
    return [arrays[name] for name in sorted(arrays.files) if name.startswith(f"{group}/")]
