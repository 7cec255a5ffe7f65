"""Where a laptop keeps everything: one folder, safe to delete as a whole."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from components.contracts.errors import InputError

# A ResNet-50 run on digits peaks at 0.75 GB, when its checkpoint of 0.36 GB is replaced, and leaves 0.28 GB.
MIN_FREE_BYTES = 1 << 30


@dataclass(frozen=True)
class WorkDir:
    """The folders below the work directory."""

    root: Path

    @property
    def tfds(self) -> Path:
        """Prepared tfds datasets."""
        return self.root / "tfds"

    @property
    def ledger(self) -> Path:
        """Which refresh was run, and how it ended."""
        return self.root / "ledger"

    @property
    def mlflow_uri(self) -> str:
        """Of the embedded MLflow."""
        return f"sqlite:///{self.root / 'mlflow' / 'mlflow.db'}"

    def run(self, run_name: str) -> Path:
        """All that one run leaves: what its steps put out, checkpoints, log."""
        return self.root / "runs" / run_name


def open_work_dir(root: Path) -> WorkDir:
    """Raises InputError where the folder cannot be written."""
    root = root.resolve()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise InputError(f"--work-dir: {root} cannot be written ({error.strerror})") from error
    return WorkDir(root)


def check_free_space(work: WorkDir) -> None:
    """Raises InputError where less than 1 GiB is free."""
    if (free := shutil.disk_usage(work.root).free) < MIN_FREE_BYTES:
        raise InputError(
            f"--work-dir: {work.root} has {free / 1e9:.2f} GB free, at least {MIN_FREE_BYTES / 1e9:.2f} GB are wanted"
        )


def shown(path: Path) -> str:
    """The path as a person here would type it: relative, where that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
