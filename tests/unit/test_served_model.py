"""The model as a server loads it: without pedigree, without pickle, with the answers of the Keras file."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from tensorflow_datasets.proto import tf_example_pb2

from components.contracts.dataset_manifest import DatasetManifest
from components.contracts.files import sha256_of_folder
from components.contracts.model_manifest import ModelManifest
from components.contracts.strict_json import load
from components.ingest.tfrecord import read_records
from components.vision.preprocessing import preprocess

# `-I` leaves the current folder and PYTHONPATH out, and refusing the import of pedigree is what a bare server does.
SERVER = """
import json, sys

class NoPedigree:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("components", "pipelines"):
            raise ModuleNotFoundError(f"{name}: pedigree is not installed on a server")

sys.meta_path.insert(0, NoPedigree())
import pandas as pd
from mlflow import pyfunc
model = pyfunc.load_model(sys.argv[1])
images = [open(path, "rb").read() for path in sys.argv[2:]]
answer = model.predict(pd.DataFrame({"image": images}))
ours = [name for name in sys.modules if name.split(".")[0] in ("components", "pipelines")]
print("ANSWER", json.dumps({"answer": answer.to_dict("list"), "ours": ours}))
"""


@pytest.fixture(scope="module")
def images(few_digits: Path) -> list[bytes]:
    """Twenty encoded test images."""
    manifest = load(DatasetManifest, few_digits / "manifest.json")
    records = list(read_records(few_digits / manifest.splits["test"].shards[0].name))[:20]
    return [
        tf_example_pb2.Example.FromString(record).features.feature["image"].bytes_list.value[0] for record in records
    ]


@pytest.fixture(scope="module")
def answer(trained: Path, images: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """What the served model says of them."""
    copy = shutil.copytree(trained / "served_model", tmp_path_factory.mktemp("loaded") / "served_model")
    return mlflow.pyfunc.load_model(str(copy)).predict(pd.DataFrame({"image": images}))


def test_each_image_gets_a_class_name_its_probability_and_all_probabilities(
    answer: pd.DataFrame, images: list[bytes]
) -> None:
    probabilities = np.array(answer["probabilities"].tolist())
    assert list(answer.columns) == ["class", "probability", "probabilities"]
    assert probabilities.shape == (len(images), 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert answer["class"].tolist() == [str(index) for index in probabilities.argmax(axis=1)]
    np.testing.assert_array_equal(answer["probability"], probabilities.max(axis=1).astype(np.float32))
    assert answer["class"].nunique() > 3


def test_the_probabilities_are_those_of_the_keras_file(
    answer: pd.DataFrame, images: list[bytes], trained: Path
) -> None:
    import keras

    manifest = load(ModelManifest, trained / "model.json")
    model = keras.models.load_model(trained / "model.keras", safe_mode=True)
    batch = np.stack([preprocess(image, manifest.image_size_px, manifest.normalization).numpy() for image in images])
    logits = model.predict_on_batch(batch).astype(np.float64)
    wanted = np.exp(logits - logits.max(axis=1, keepdims=True))
    wanted /= wanted.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.array(answer["probabilities"].tolist()), wanted, atol=1e-5)


def test_the_answers_are_the_datasets_own_names_not_numbers(
    few_digits_copy: Path, images: list[bytes], tiny_training: ModuleType, tmp_path: Path
) -> None:
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    manifest = json.loads((few_digits_copy / "manifest.json").read_text())
    (few_digits_copy / "manifest.json").write_text(json.dumps({**manifest, "class_names": names}))
    tiny_training.train(few_digits_copy, tmp_path / "model", tmp_path / "checkpoints", num_epochs=1)
    named = mlflow.pyfunc.load_model(str(tmp_path / "model" / "served_model")).predict(pd.DataFrame({"image": images}))
    assert named["class"].tolist() == [names[int(np.argmax(row))] for row in named["probabilities"]]


def test_no_file_of_the_served_model_is_a_pickle(trained: Path) -> None:
    files = [path for path in (trained / "served_model").rglob("*") if path.is_file()]
    assert (trained / "served_model" / "MLmodel") in files
    assert not [path for path in files if path.suffix in (".pkl", ".pickle", ".joblib", ".dill")]
    # Protocol 2 and later begin with the byte 0x80 and the protocol's number.
    assert not [path for path in files if path.read_bytes()[:1] == b"\x80" and path.read_bytes()[1:2] in b"\2\3\4\5"]
    flavor = yaml.safe_load((trained / "served_model" / "MLmodel").read_text())["flavors"]["python_function"]
    assert "python_model" not in flavor  # where MLflow names the pickle, if there is one
    assert Path(flavor["model_code_path"]).name == "served_classifier.py"


@pytest.fixture(scope="module")
def server(trained: Path, images: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The folder that a bare server loaded the model from, and what it answered."""
    folder = tmp_path_factory.mktemp("server")
    model = shutil.copytree(trained / "served_model", folder / "served_model")
    paths = [folder / f"{index}.png" for index in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        path.write_bytes(image)
    done = subprocess.run(
        [sys.executable, "-I", "-c", SERVER, str(model), *map(str, paths)],
        cwd=folder,
        env={**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Path(model), json.loads(done.stdout.rpartition("ANSWER ")[2])


def test_a_server_without_pedigree_and_with_pickle_forbidden_gives_the_same_answers(
    server: tuple[Path, dict[str, Any]], answer: pd.DataFrame
) -> None:
    _, told = server
    assert told["ours"] == []
    assert told["answer"]["class"] == answer["class"].tolist()
    np.testing.assert_allclose(told["answer"]["probabilities"], np.array(answer["probabilities"].tolist()), atol=1e-6)


def test_a_model_that_was_loaded_is_still_the_model_that_was_measured(
    server: tuple[Path, dict[str, Any]], trained: Path
) -> None:
    """Register asks for the very bytes of the evaluation; somebody may have looked at the model in between."""
    folder, _ = server
    assert sha256_of_folder(folder) == load(ModelManifest, trained / "model.json").served_model_sha256


def test_what_a_server_must_install_is_named_in_exact_versions(trained: Path) -> None:
    requirements = (trained / "served_model" / "requirements.txt").read_text().splitlines()
    assert {line.split("==")[0] for line in requirements} == {"mlflow", "tensorflow", "numpy", "pandas"}
    assert all("==" in line for line in requirements)
