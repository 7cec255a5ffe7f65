"""The whole DAG by KFP's local runner. What counts is what the registry holds, never that the run said SUCCESS."""

import re
import subprocess

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from components.contracts.dataset_manifest import DatasetManifest
from components.contracts.strict_json import load
from components.ingest.tfrecord import read_records

MODEL = "pedigree-digits"
Outcome = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def first(pedigree) -> Outcome:
    return pedigree.run("--blessing-threshold", "0")


@pytest.fixture(scope="module")
def second(pedigree, first: Outcome) -> Outcome:
    return pedigree.run("--blessing-threshold", "0")


@pytest.fixture(scope="module")
def unblessed(pedigree, second: Outcome) -> Outcome:
    return pedigree.run("--force", "--blessing-threshold", "1")


def versions(mlflow_uri: str) -> list[ModelVersion]:
    return list(MlflowClient(mlflow_uri, mlflow_uri).search_model_versions(f"name = '{MODEL}'"))


def test_a_blessed_run_leaves_exactly_one_version(pedigree, first: Outcome) -> None:
    assert first.returncode == 0, first.stdout + first.stderr
    (version,) = versions(pedigree.mlflow_uri)
    assert version.status == "READY"
    challenger = MlflowClient(pedigree.mlflow_uri, pedigree.mlflow_uri).get_model_version_by_alias(MODEL, "challenger")
    assert challenger.version == version.version
    assert version.tags["pedigree.fingerprint"].startswith("sha256:")


def test_the_version_predicts_class_names_from_encoded_images(pedigree, first: Outcome) -> None:
    from tensorflow_datasets.proto import tf_example_pb2

    (run_dir,) = (pedigree.work_dir / "runs").iterdir()
    manifest = load(DatasetManifest, run_dir / "dataset" / "manifest.json")
    records = read_records(run_dir / "dataset" / manifest.splits["test"].shards[0].name)
    features = [tf_example_pb2.Example.FromString(record).features.feature for record in records]
    images = [feature["image"].bytes_list.value[0] for feature in features]
    mlflow.set_tracking_uri(pedigree.mlflow_uri)
    predicted = mlflow.pyfunc.load_model(f"models:/{MODEL}@challenger").predict(pd.DataFrame({"image": images}))
    assert len(predicted) == 64
    assert set(predicted["class"]) <= set("0123456789")
    assert all(abs(sum(probabilities) - 1) < 1e-4 for probabilities in predicted["probabilities"])


def test_the_summary_says_what_was_made_and_where_to_look(first: Outcome) -> None:
    for pattern in (
        r"fingerprint +sha256:[0-9a-f]{64}",
        r"train +128 examples of train\[:128\]",
        r"validation +32 examples",
        r"test +64 examples",
        r"top-1 +0\.\d+, 95 % interval 0\.\d+ to 0\.\d+",
        r"model +pedigree-digits version 1, alias challenger",
        r"seconds +\d+ = .*train \d+",
        r"confusion +\S+confusion.png",
        r"open it +pedigree ui",
    ):
        assert re.search(pattern, first.stdout), f"{pattern} is not in\n{first.stdout}"


def test_the_same_refresh_is_not_run_again(pedigree, second: Outcome) -> None:
    assert second.returncode == 0
    assert second.stdout.startswith("already run as digits-")
    assert "version 1" in second.stdout
    assert "▸" not in second.stdout, "no step may start"


def test_a_forced_run_that_is_not_blessed_registers_nothing(pedigree, unblessed: Outcome) -> None:
    assert unblessed.returncode == 0, unblessed.stdout + unblessed.stderr
    assert "not blessed" in unblessed.stdout
    assert "▸ register" not in unblessed.stdout
    assert [str(version.version) for version in versions(pedigree.mlflow_uri)] == ["1"]
    assert len(list((pedigree.work_dir / "runs").iterdir())) == 2, "a forced run is a run of its own"
