"""What a training needs to go on after its last finished epoch: one file, whole or absent."""

import hashlib
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from components.contracts.files import write_atomically
from components.contracts.model_manifest import EpochMetrics
from components.contracts.step_console import say

CHECKPOINT_FILE = "checkpoint.bin"  # the SHA-256 of an npz, then the npz: zip's own checksums leave its headers out
DIGEST_BYTES = 32


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
    content = buffer.getvalue()
    write_atomically(folder / CHECKPOINT_FILE, hashlib.sha256(content).digest() + content)


def load_checkpoint(folder: Path, model: keras.Model, config_sha256: str) -> tuple[Progress, list[np.ndarray]] | None:
    """Puts the variables back; the progress and the best epoch's weights, or None where there is nothing to go on.

    A damaged file is set aside as `….damaged`; another training's is ignored.
    """
    path = folder / CHECKPOINT_FILE
    if not path.exists():
        return None
    raw = path.read_bytes()
    if hashlib.sha256(raw[DIGEST_BYTES:]).digest() != raw[:DIGEST_BYTES]:
        say("train", f"{path}: damaged, set aside; training begins anew")
        path.replace(path.with_suffix(".bin.damaged"))
        return None
    with np.load(io.BytesIO(raw[DIGEST_BYTES:]), allow_pickle=False) as arrays:
        content = json.loads(arrays["progress"].tobytes())
        if content["config_sha256"] != config_sha256:
            return None
        groups = {group: _ordered(arrays, group) for group in ("model", "optimizer", "best")}
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
