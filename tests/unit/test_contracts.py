"""Every contract and its golden file: the very bytes that other versions of pedigree read."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from components.contracts.claim import Attempt, Claim, Owner
from components.contracts.dataset_manifest import DatasetManifest, Shard, Split
from components.contracts.evaluation_report import Criterion, EvaluationReport, Metric
from components.contracts.model_manifest import IMAGENET_NORMALIZATION, EpochMetrics, ModelManifest
from components.contracts.registered_version import RegisteredVersion
from components.contracts.strict_json import from_json, load, save, to_json

FINGERPRINT = "sha256:dd412dba1b376b0eb83ed63c4a39d6c5b4bd49dd280ced81607627638c927ac5"
CONTRACTS: dict[str, Any] = {
    "dataset_manifest": DatasetManifest(
        dataset="beasts/1.0.0",
        fingerprint=FINGERPRINT,
        features={"image": "Image(shape=(None, None, 3), dtype=uint8)", "label": "ClassLabel(num_classes=2)"},
        class_names=("Bär", "猫"),
        splits={
            "train": Split(
                "train",
                3,
                300,
                (
                    Shard("train-00000-of-00002.tfrecord", 2, 200, "0a1b2c3d"),
                    Shard("train-00001-of-00002.tfrecord", 1, 100, "00000000"),
                ),
            ),
            "validation": Split("test[:10%]", 1, 90, (Shard("validation-00000-of-00001.tfrecord", 1, 90, "ffffffff"),)),
            "test": Split("test[10%:]", 2, 180, (Shard("test-00000-of-00001.tfrecord", 2, 180, "12345678"),)),
        },
    ),
    "model_manifest": ModelManifest(
        architecture="resnet",
        depth=50,
        variant="v1.5",
        num_parameters=23_608_202,
        image_size_px=32,
        normalization=IMAGENET_NORMALIZATION,
        class_names=("0", "1"),
        keras_file="model.keras",
        keras_file_sha256="sha256:01",
        weights_sha256="sha256:02",
        served_model="served_model",
        served_model_sha256="sha256:03",
        dataset="beasts/1.0.0",
        dataset_fingerprint=FINGERPRINT,
        recipe={"name": "default", "peak_learning_rate": "0.002"},
        config_sha256="sha256:04",
        seed=0,
        best_epoch=2,
        history=(
            EpochMetrics(1, 2.25, 0.25, 2.0, 0.375, 0.001, 10.5, 121.75),
            EpochMetrics(2, 1.125, 0.5, 1.0, 0.625, 0.0, 10.25, 124.5),
        ),
    ),
    "evaluation_report": EvaluationReport(
        split="test[10%:]",
        num_examples=324,
        num_correct=321,
        top1=Metric(0.9907407407407407, 0.9731, 0.9968),
        log_loss=0.03125,
        confusion=((160, 2), (1, 161)),
        class_names=("0", "1"),
        criteria=(Criterion("top1", 0.95, 0.9907407407407407, True),),
        blessed=True,
        champion_version=None,
        dataset_fingerprint=FINGERPRINT,
        model_sha256="sha256:03",
        pictures={"confusion": "confusion.png", "learning_curves": "learning_curves.png"},
    ),
    "claim": Claim(
        fingerprint=FINGERPRINT,
        pipeline="pedigree-training",
        dataset="beasts/1.0.0",
        nonce="00112233445566778899aabbccddeeff",
        attempts=(
            Attempt(
                1,
                "beasts-dd412dba1b37-1",
                "failed",
                {"seed": "0"},
                "2025-01-31T12:00:00+00:00",
                "2025-01-31T12:05:00+00:00",
                "train",
                "loss: nan",
                None,
                None,
            ),
            Attempt(
                2,
                "beasts-dd412dba1b37-2",
                "running",
                {"seed": "1"},
                "2025-01-31T13:00:00+00:00",
                None,
                None,
                None,
                True,
                "7",
            ),
        ),
    ),
    "owner": Owner(FINGERPRINT, "beasts-dd412dba1b37-1", "training-2025-01-31-12-00-00-000000"),
    "registered_version": RegisteredVersion(
        model_name="pedigree-beasts",
        version="7",
        alias="challenger",
        mlflow_uri="sqlite:////srv/pedigree/mlflow/mlflow.db",
        mlflow_run_id="0123456789abcdef0123456789abcdef",
        source="models:/m-0123456789abcdef",
        model_sha256="sha256:03",
    ),
}
GOLDEN = Path(__file__).with_name("golden")
EVERY_CONTRACT = pytest.mark.parametrize("name", CONTRACTS)


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.json").read_bytes().decode()


@EVERY_CONTRACT
def test_a_contract_is_written_as_its_golden_text(name: str) -> None:
    assert to_json(CONTRACTS[name]) == golden(name)


@EVERY_CONTRACT
def test_a_golden_text_is_read_as_its_contract(name: str) -> None:
    assert from_json(type(CONTRACTS[name]), golden(name), "golden") == CONTRACTS[name]


@EVERY_CONTRACT
def test_a_saved_file_has_the_golden_bytes_and_is_loaded_again(name: str, tmp_path: Path) -> None:
    save(CONTRACTS[name], tmp_path / "file.json")
    assert (tmp_path / "file.json").read_bytes() == (GOLDEN / f"{name}.json").read_bytes()
    assert load(type(CONTRACTS[name]), tmp_path / "file.json") == CONTRACTS[name]


def test_every_golden_file_belongs_to_a_contract() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(CONTRACTS)


def test_a_number_that_json_does_not_know_is_never_written() -> None:
    report = dataclasses.replace(CONTRACTS["evaluation_report"], log_loss=float("nan"))
    with pytest.raises(ValueError):
        to_json(report)
