"""A digits run in miniature: the real DAG and the real ResNet-50, on 128 images and for one epoch."""

import subprocess
import sys
from pathlib import Path

import pytest

PEDIGREE = Path(sys.executable).parent / "pedigree"
MINIATURE = (
    *("--dataset", "digits", "--image-size-px", "32", "--num-epochs", "1", "--batch-size", "64"),
    *("--train-split", "train[:128]", "--validation-split", "test[:32]", "--test-split", "test[32:96]"),
)


class Pedigree:
    """The command line, on one work directory."""

    def __init__(self, work_dir: Path) -> None:
        self.work_dir = work_dir
        self.mlflow_uri = f"sqlite:///{work_dir / 'mlflow' / 'mlflow.db'}"

    def command(self, *options: str) -> list[str]:
        return [str(PEDIGREE), "run", "--work-dir", str(self.work_dir), *MINIATURE, *options]

    def run(self, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*options), capture_output=True, text=True, check=False, timeout=900)


@pytest.fixture(scope="module")
def pedigree(tmp_path_factory: pytest.TempPathFactory) -> Pedigree:
    return Pedigree(tmp_path_factory.mktemp("work"))
