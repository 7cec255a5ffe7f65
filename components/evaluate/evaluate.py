"""Evaluate: the graph that a server will run is fed the test split's encoded images, and judged."""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tqdm import tqdm

from components.contracts.dataset_manifest import DatasetManifest
from components.contracts.errors import ContractError
from components.contracts.evaluation_report import REPORT_FILE, Criterion, EvaluationReport
from components.contracts.files import sha256_of_folder
from components.contracts.model_manifest import MODEL_MANIFEST_FILE, ModelManifest
from components.contracts.step_console import say
from components.contracts.strict_json import load, save
from components.evaluate.metrics import confusion, mean_log_loss, top1
from components.evaluate.pictures import draw_confusion, draw_learning_curves
from components.vision.input_pipeline import encoded_examples, open_dataset

BATCH_SIZE = 64
SAVED_MODEL = "artifacts/saved_model"  # within the served model, where MLflow puts it


def evaluate_model(
    *, model: Path, dataset: Path, target: Path, blessing_threshold: float, champion_version: str | None
) -> EvaluationReport:
    """Measures the model of a folder on the dataset's test split; leaves the report, written last, and its pictures.

    The model is blessed where its top-1 is at least `blessing_threshold`. Raises ContractError where the model's bytes
    are not those of its manifest, or it was trained on another dataset.
    """
    manifest, model_manifest = open_dataset(dataset), load(ModelManifest, model / MODEL_MANIFEST_FILE)
    served_model = model / model_manifest.served_model
    _check_match(manifest, model_manifest, served_model)
    probabilities, labels = _predict(served_model / SAVED_MODEL, dataset, manifest)
    predicted = probabilities.argmax(axis=1)
    num_correct = int((predicted == labels).sum())
    accuracy = top1(num_correct, len(labels))
    criterion = Criterion("top1", blessing_threshold, accuracy.value, passed=accuracy.value >= blessing_threshold)
    report = EvaluationReport(
        split=manifest.splits["test"].expression,
        num_examples=len(labels),
        num_correct=num_correct,
        top1=accuracy,
        log_loss=mean_log_loss(probabilities, labels),
        confusion=confusion(predicted, labels, len(manifest.class_names)),
        class_names=manifest.class_names,
        criteria=(criterion,),
        blessed=criterion.passed,
        champion_version=champion_version,
        dataset_fingerprint=manifest.fingerprint,
        model_sha256=model_manifest.served_model_sha256,
        pictures={"confusion": "confusion.png", "learning_curves": "learning_curves.png"},
    )
    target.mkdir(parents=True, exist_ok=True)
    draw_confusion(report, target / report.pictures["confusion"])
    draw_learning_curves(model_manifest.history, model_manifest.best_epoch, target / report.pictures["learning_curves"])
    save(report, target / REPORT_FILE)
    verdict = "blessed" if report.blessed else "not blessed"
    say("evaluate", f"top-1 {accuracy.value:.4f}, at least {blessing_threshold} is wanted: {verdict}")
    return report


def _check_match(manifest: DatasetManifest, model_manifest: ModelManifest, served_model: Path) -> None:
    if (digest := sha256_of_folder(served_model)) != model_manifest.served_model_sha256:
        raise ContractError(f"{served_model}: {digest}, but its manifest lists {model_manifest.served_model_sha256}")
    if model_manifest.dataset_fingerprint != manifest.fingerprint:
        raise ContractError(
            f"{served_model}: dataset_fingerprint: trained on {model_manifest.dataset_fingerprint}, "
            f"but the test split is of {manifest.fingerprint}"
        )


def _predict(saved_model: Path, dataset: Path, manifest: DatasetManifest) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities `(n, classes)` and labels `(n,)` of the test split, in order."""
    loaded = tf.saved_model.load(str(saved_model))
    classify = loaded.signatures["serving_default"]
    probabilities, labels = [], []
    num_examples = manifest.splits["test"].num_examples
    with tqdm(
        total=num_examples, desc="test split", unit=" images", file=sys.stdout, mininterval=0.5, ncols=110
    ) as bar:
        for images, batch_labels in encoded_examples(dataset, manifest, "test").batch(BATCH_SIZE):
            probabilities.append(classify(image=images)["probabilities"].numpy())
            labels.append(batch_labels.numpy())
            bar.update(len(batch_labels))
    return np.concatenate(probabilities), np.concatenate(labels)
