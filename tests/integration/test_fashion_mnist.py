"""A dataset that tfds knows and we did not write, from files that lie in a folder: the real Fashion-MNIST."""

import os
import subprocess
from pathlib import Path

import pytest
from mlflow import MlflowClient

from .conftest import PEDIGREE

FILES = os.environ.get("FASHION_MNIST_DIR", "")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not FILES, reason="FASHION_MNIST_DIR names no folder with the four original files"),
]


def test_two_thousand_images_of_fashion_mnist_become_a_version(tmp_path: Path) -> None:
    work_dir = tmp_path / "work"
    command = [str(PEDIGREE), "run", "--work-dir", str(work_dir), "--dataset", "fashion_mnist", "--manual-dir", FILES]
    command += ["--train-split", "train[:2000]", "--validation-split", "test[:500]", "--test-split", "test[500:2500]"]
    command += ["--image-size-px", "32", "--num-epochs", "4", "--blessing-threshold", "0.6"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    assert run.returncode == 0, run.stdout + run.stderr
    print(run.stdout)
    assert "train            2,000 examples of train[:2000]" in run.stdout
    assert "model            pedigree-fashion-mnist version 1, alias challenger" in run.stdout
    uri = f"sqlite:///{work_dir / 'mlflow' / 'mlflow.db'}"
    assert len(MlflowClient(uri, uri).search_model_versions("name = 'pedigree-fashion-mnist'")) == 1
