"""Real things that many tests look at, made once: a prepared dataset, a trained model, its evaluation, a registry."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from components.ingest.ingest import ingest_dataset
from components.ingest.source import open_source
from components.ingest.splits import SplitExpressions

MODEL_NAME = "pedigree-digits"


def _prepare_digits(data_dir: Path) -> Path:
    command = [sys.executable, "-m", "components.ingest.prepare", "--dataset", "digits", "--data-dir", str(data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return data_dir


@pytest.fixture(scope="session")
def prepare_digits() -> Callable[[Path], Path]:
    """Prepares the handwritten digits below a folder, as a user would."""
    return _prepare_digits


@pytest.fixture(scope="session")
def digits_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder below which tfds prepared the handwritten digits. To be read only."""
    return _prepare_digits(tmp_path_factory.mktemp("digits"))


@pytest.fixture
def digits_copy(digits_dir: Path, tmp_path: Path) -> Path:
    """The prepared digits in a folder of the test's own, with other modification times."""
    return Path(shutil.copytree(digits_dir, tmp_path / "digits", copy_function=shutil.copyfile))


def _ingest(data_dir: Path, target: Path, *splits: str, dataset: str = "digits") -> Any:
    source = open_source(dataset, data_dir)
    assert source is not None
    return ingest_dataset(
        dataset=dataset,
        data_dir=data_dir,
        fingerprint=source.fingerprint(),
        splits=SplitExpressions(*splits),
        target=target,
    )


@pytest.fixture(scope="session")
def ingest() -> Callable[..., Any]:
    """`ingest(data_dir, target, *splits, dataset="digits")` for the fingerprint that the dataset has."""
    return _ingest


def _prepare_beasts(
    data_dir: Path,
    splits: dict[str, list[dict[str, Any]]],
    features: dict[str, Any] | None = None,
    num_shards: int = 1,
    **options: Any,
) -> Path:
    import tensorflow_datasets as tfds

    if features is None:
        features = {
            "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
            "label": tfds.features.ClassLabel(names=["cat", "dog"]),
        }
    tfds.dataset_builders.store_as_tfds_dataset(
        name="beasts",
        version="1.0.0",
        data_dir=str(data_dir),
        features=tfds.features.FeaturesDict(features),
        split_datasets={split: enumerate(examples) for split, examples in splits.items()},
        download_config=tfds.download.DownloadConfig(num_shards=num_shards),
        disable_shuffling=True,
        **options,
    )
    return data_dir


@pytest.fixture(scope="session")
def prepare_beasts() -> Callable[..., Path]:
    """`prepare_beasts(data_dir, {split: examples}, features=None, num_shards=1)`: tfds writes the dataset `beasts`.

    Its examples stay in their order. Its features are an `image` of any size and a `label`, cat or dog, unless others
    are given.
    """
    return _prepare_beasts


@pytest.fixture(scope="session")
def few_digits(digits_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ingested dataset of 256 examples to train on, 64 to validate and 96 to test. To be read only."""
    target = tmp_path_factory.mktemp("few_digits")
    _ingest(digits_dir, target, "train[:256]", "test[:64]", "test[64:160]")
    return target


@pytest.fixture
def few_digits_copy(few_digits: Path, tmp_path: Path) -> Path:
    """The ingested digits in a folder of the test's own, to be damaged."""
    return Path(shutil.copytree(few_digits, tmp_path / "few_digits"))


@pytest.fixture(scope="session")
def tiny_training() -> ModuleType:
    """The module `tiny_training.py` beside this file: a network that learns digits in seconds."""
    path = Path(__file__).with_name("tiny_training.py")
    spec = importlib.util.spec_from_file_location("tiny_training", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def trained(few_digits: Path, tiny_training: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What train leaves, of the tiny network after enough epochs to be good. To be read only."""
    folder = tmp_path_factory.mktemp("trained")
    tiny_training.train(few_digits, folder / "model", folder / "checkpoints")
    return folder / "model"


@pytest.fixture
def trained_copy(trained: Path, tmp_path: Path) -> Path:
    """The trained model in a folder of the test's own, to be damaged."""
    return Path(shutil.copytree(trained, tmp_path / "model"))


@pytest.fixture(scope="session")
def evaluated(trained: Path, few_digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What evaluate leaves of the trained model, blessed. To be read only."""
    from components.evaluate.evaluate import evaluate_model

    target = tmp_path_factory.mktemp("evaluated")
    evaluate_model(model=trained, dataset=few_digits, target=target, blessing_threshold=0.5, champion_version=None)
    return target


@pytest.fixture(scope="session")
def empty_registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of an embedded MLflow that holds nothing. Making its tables takes MLflow some seconds."""
    from components.registry.champion import resolve_champion

    path = tmp_path_factory.mktemp("registry") / "mlflow.db"
    assert resolve_champion(mlflow_uri=f"sqlite:///{path}", model_name=MODEL_NAME) is None
    return path


@pytest.fixture
def mlflow_uri(empty_registry: Path, tmp_path: Path) -> Iterator[str]:
    """An embedded MLflow of the test's own, that holds nothing."""
    import mlflow

    before = mlflow.get_tracking_uri()
    (tmp_path / "mlflow").mkdir()
    shutil.copyfile(empty_registry, tmp_path / "mlflow" / "mlflow.db")
    yield f"sqlite:///{tmp_path / 'mlflow' / 'mlflow.db'}"
    mlflow.set_tracking_uri(before)
    mlflow.set_registry_uri(before)
