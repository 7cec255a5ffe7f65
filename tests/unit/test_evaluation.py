"""A model measured on the test split, and blessed or not."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import confusion_matrix, log_loss

from components.contracts.errors import ContractError
from components.contracts.evaluation_report import EvaluationReport
from components.contracts.model_manifest import ModelManifest
from components.contracts.strict_json import load
from components.evaluate.evaluate import evaluate_model
from components.evaluate.metrics import confusion, mean_log_loss, top1


@pytest.mark.parametrize(
    ("num_correct", "num_examples", "low", "high"),
    [
        # By hand, of z = 1.959964: (p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n).
        (321, 324, 0.973135, 0.996846),
        (10, 10, 0.722467, 1.0),
        (0, 10, 0.0, 0.277533),
        (50, 100, 0.403832, 0.596168),
    ],
)
def test_the_interval_is_wilsons(num_correct: int, num_examples: int, low: float, high: float) -> None:
    measured = top1(num_correct, num_examples)
    assert measured.value == num_correct / num_examples
    assert measured.low == pytest.approx(low, abs=1e-6)
    assert measured.high == pytest.approx(high, abs=1e-6)


def test_the_log_loss_is_the_mean_of_minus_the_logarithm_at_the_true_label() -> None:
    probabilities = np.array([[0.5, 0.5, 0.0], [0.1, 0.1, 0.8], [0.25, 0.5, 0.25]])
    labels = np.array([0, 2, 0])  # no example of class 1
    wanted = -(np.log(0.5) + np.log(0.8) + np.log(0.25)) / 3
    assert mean_log_loss(probabilities, labels) == pytest.approx(wanted)


def test_the_confusion_has_true_classes_as_rows_and_classes_that_never_came() -> None:
    assert confusion(np.array([1, 1, 0]), np.array([0, 1, 0]), num_classes=3) == ((1, 1, 0), (0, 1, 0), (0, 0, 0))


@pytest.fixture(scope="module")
def report(evaluated: Path) -> EvaluationReport:
    return load(EvaluationReport, evaluated / "report.json")


def test_the_report_counts_the_test_split_and_blesses_a_good_model(
    report: EvaluationReport, trained: Path, few_digits: Path
) -> None:
    assert (report.split, report.num_examples, report.blessed) == ("test[64:160]", 96, True)
    assert report.num_correct == sum(report.confusion[label][label] for label in range(10))
    assert sum(map(sum, report.confusion)) == 96
    assert report.top1 == top1(report.num_correct, 96)
    (criterion,) = report.criteria
    assert (criterion.metric, criterion.threshold, criterion.passed) == ("top1", 0.5, True)
    assert criterion.value == report.top1.value > 0.8
    manifest = load(ModelManifest, trained / "model.json")
    assert report.model_sha256 == manifest.served_model_sha256
    assert report.dataset_fingerprint == manifest.dataset_fingerprint
    assert report.class_names == manifest.class_names


def test_the_figures_are_those_of_the_keras_file_by_scikit_learn(
    report: EvaluationReport, trained: Path, few_digits: Path
) -> None:
    import keras

    from components.contracts.model_manifest import IMAGENET_NORMALIZATION
    from components.vision.input_pipeline import evaluation_batches, open_dataset

    model = keras.models.load_model(trained / "model.keras", safe_mode=True)
    batches = evaluation_batches(few_digits, open_dataset(few_digits), "test", 96, 32, IMAGENET_NORMALIZATION)
    ((images, labels),) = batches
    probabilities = keras.ops.convert_to_numpy(keras.ops.softmax(model.predict_on_batch(images))).astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    wanted = confusion_matrix(labels, probabilities.argmax(axis=1), labels=np.arange(10))
    np.testing.assert_array_equal(report.confusion, wanted)
    assert report.log_loss == pytest.approx(log_loss(labels, probabilities, labels=np.arange(10)), abs=1e-4)


def test_the_pictures_are_there_and_show_something(report: EvaluationReport, evaluated: Path) -> None:
    assert set(report.pictures) == {"confusion", "learning_curves"}
    for name in report.pictures.values():
        with Image.open(evaluated / name) as picture:
            assert picture.format == "PNG"
            assert min(picture.size) >= 400
            pixels = np.asarray(picture.convert("L"))
        assert np.ptp(pixels) > 200
        assert 0.01 < (pixels < 250).mean() < 0.99
    assert {path.name for path in evaluated.iterdir()} == {"report.json", *report.pictures.values()}


def test_a_model_below_the_threshold_is_not_blessed(trained: Path, few_digits: Path, tmp_path: Path) -> None:
    made = evaluate_model(
        model=trained, dataset=few_digits, target=tmp_path, blessing_threshold=1.01, champion_version="3"
    )
    assert made.blessed is False
    assert made.criteria[0].passed is False
    assert made.champion_version == "3"
    assert load(EvaluationReport, tmp_path / "report.json") == made


def test_a_model_exactly_at_the_threshold_is_blessed(
    report: EvaluationReport, trained: Path, few_digits: Path, tmp_path: Path
) -> None:
    made = evaluate_model(
        model=trained,
        dataset=few_digits,
        target=tmp_path,
        blessing_threshold=report.top1.value,
        champion_version=None,
    )
    assert made.blessed is True


def refusal(model: Path, dataset: Path, target: Path) -> str:
    with pytest.raises(ContractError) as caught:
        evaluate_model(model=model, dataset=dataset, target=target, blessing_threshold=0, champion_version=None)
    assert not (target / "report.json").exists()
    return str(caught.value)


def test_a_model_whose_bytes_were_changed_is_refused(trained_copy: Path, few_digits: Path, tmp_path: Path) -> None:
    weights = next((trained_copy / "served_model").rglob("variables.data*"))
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    message = refusal(trained_copy, few_digits, tmp_path / "report")
    assert message.startswith(f"{trained_copy / 'served_model'}: sha256:")
    assert load(ModelManifest, trained_copy / "model.json").served_model_sha256 in message


def test_a_model_of_another_dataset_is_refused_and_both_are_named(
    trained: Path, few_digits_copy: Path, tmp_path: Path
) -> None:
    manifest = few_digits_copy / "manifest.json"
    fingerprint = load(ModelManifest, trained / "model.json").dataset_fingerprint
    manifest.write_text(manifest.read_text().replace(fingerprint, "sha256:another"))
    message = refusal(trained, few_digits_copy, tmp_path / "report")
    assert f"trained on {fingerprint}, but the test split is of sha256:another" in message


def test_a_model_without_a_manifest_is_refused(trained_copy: Path, few_digits: Path, tmp_path: Path) -> None:
    (trained_copy / "model.json").unlink()
    assert "there is no such file" in refusal(trained_copy, few_digits, tmp_path / "report")
