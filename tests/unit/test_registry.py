"""A model becomes a version of a real embedded MLflow, once, and only the model that was blessed."""

import time
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient
from tensorflow_datasets.proto import tf_example_pb2

from components.contracts.errors import ContractError, InputError
from components.contracts.evaluation_report import EvaluationReport
from components.contracts.files import sha256_of_folder
from components.contracts.model_manifest import ModelManifest
from components.contracts.registered_version import RegisteredVersion
from components.contracts.strict_json import load
from components.evaluate.evaluate import evaluate_model
from components.ingest.tfrecord import read_records
from components.registry.champion import resolve_champion
from components.registry.register import register_model

NAME = "pedigree-digits"


def register(model: Path, report: Path, mlflow_uri: str, run_name: str = "digits-0123456789ab-1") -> RegisteredVersion:
    return register_model(model=model, report=report, mlflow_uri=mlflow_uri, model_name=NAME, run_name=run_name)


def versions(mlflow_uri: str) -> list[str]:
    client = MlflowClient(mlflow_uri, registry_uri=mlflow_uri)
    return sorted(str(version.version) for version in client.search_model_versions(f"name = '{NAME}'"))


@pytest.fixture(scope="module")
def registered(
    trained: Path, evaluated: Path, empty_registry: Path, tmp_path_factory: pytest.TempPathFactory
) -> RegisteredVersion:
    """The evaluated model, registered once in a registry that the tests of this module look at."""
    folder = tmp_path_factory.mktemp("registered")
    (folder / "mlflow.db").write_bytes(empty_registry.read_bytes())
    return register(trained, evaluated, f"sqlite:///{folder / 'mlflow.db'}")


@pytest.fixture
def client(registered: RegisteredVersion) -> MlflowClient:
    mlflow.set_tracking_uri(registered.mlflow_uri)
    mlflow.set_registry_uri(registered.mlflow_uri)
    return MlflowClient()


def test_what_is_returned_names_the_version_and_its_bytes(registered: RegisteredVersion, trained: Path) -> None:
    assert (registered.model_name, registered.version, registered.alias) == (NAME, "1", "challenger")
    assert registered.model_sha256 == load(ModelManifest, trained / "model.json").served_model_sha256
    assert registered.source.startswith("models:/m-")


def test_the_version_is_challenger_and_nobody_is_champion(client: MlflowClient, registered: RegisteredVersion) -> None:
    assert list(client.get_registered_model(NAME).aliases) == ["challenger"]
    assert str(client.get_model_version_by_alias(NAME, "challenger").version) == "1"
    assert resolve_champion(mlflow_uri=registered.mlflow_uri, model_name=NAME) is None


def test_the_version_carries_its_papers(client: MlflowClient, trained: Path, evaluated: Path) -> None:
    manifest = load(ModelManifest, trained / "model.json")
    report = load(EvaluationReport, evaluated / "report.json")
    version = client.get_model_version(NAME, "1")
    assert version.tags == {
        "pedigree.run": "digits-0123456789ab-1",
        "pedigree.fingerprint": manifest.dataset_fingerprint,
        "pedigree.model_sha256": manifest.served_model_sha256,
        "pedigree.weights_sha256": manifest.weights_sha256,
        "pedigree.dataset": "digits/1.0.0",
        "pedigree.top1": f"{report.top1.value:.4f}",
    }
    for words in (f"Top-1 **{report.top1.value:.4f}**", manifest.dataset_fingerprint, "32 px", "`test[64:160]`"):
        assert words in version.description


def test_the_run_holds_the_parameters_the_curves_and_the_report(
    client: MlflowClient, registered: RegisteredVersion, trained: Path, evaluated: Path
) -> None:
    run = client.get_run(registered.mlflow_run_id)
    report = load(EvaluationReport, evaluated / "report.json")
    assert (run.info.status, run.info.run_name) == ("FINISHED", "digits-0123456789ab-1")
    assert run.data.params["recipe.name"] == "default"
    assert run.data.params["seed"] == "0"
    assert run.data.metrics["test_top1"] == pytest.approx(report.top1.value)
    history = load(ModelManifest, trained / "model.json").history
    curve = sorted(client.get_metric_history(run.info.run_id, "validation_loss"), key=lambda point: point.step)
    assert [point.step for point in curve] == [epoch.epoch for epoch in history]
    assert [point.value for point in curve] == pytest.approx([epoch.validation_loss for epoch in history])
    names = {Path(file.path).name for file in client.list_artifacts(run.info.run_id, "report")}
    assert names == {"report.json", "confusion.png", "learning_curves.png"}


def test_the_version_has_a_signature_and_an_input_example_and_its_bytes_are_those_that_were_measured(
    client: MlflowClient, registered: RegisteredVersion, tmp_path: Path
) -> None:
    downloaded = Path(mlflow.artifacts.download_artifacts(f"models:/{NAME}/1", dst_path=str(tmp_path / "model")))
    (downloaded / "registered_model_meta").unlink(missing_ok=True)  # MLflow's note of where it came from
    assert sha256_of_folder(downloaded) == registered.model_sha256
    model = mlflow.models.Model.load(str(downloaded))
    assert model.signature.inputs.input_names() == ["image"]
    assert model.signature.outputs.input_names() == ["class", "probability", "probabilities"]
    assert model.load_input_example(str(downloaded)) is not None


def test_the_challenger_is_loaded_by_its_alias_and_predicts(
    trained: Path, evaluated: Path, few_digits: Path, mlflow_uri: str
) -> None:
    register(trained, evaluated, mlflow_uri)
    record = next(read_records(few_digits / "test-00000-of-00001.tfrecord"))
    image = tf_example_pb2.Example.FromString(record).features.feature["image"].bytes_list.value[0]
    predicted = mlflow.pyfunc.load_model(f"models:/{NAME}@challenger").predict(pd.DataFrame({"image": [image]}))
    assert predicted["class"][0] in "0123456789"
    assert sum(predicted["probabilities"][0]) == pytest.approx(1, abs=1e-5)


def test_registering_again_finds_the_version_and_makes_no_second(
    trained: Path, evaluated: Path, mlflow_uri: str
) -> None:
    first = register(trained, evaluated, mlflow_uri)
    again = register(trained, evaluated, mlflow_uri, run_name="digits-0123456789ab-2")
    assert again == first
    assert versions(mlflow_uri) == ["1"]
    assert len(MlflowClient(mlflow_uri).search_logged_models([_experiment_id(mlflow_uri)])) == 1


def test_an_old_run_that_goes_on_late_takes_challenger_from_nobody(
    trained: Path, evaluated: Path, mlflow_uri: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = register(trained, evaluated, mlflow_uri)
    client = MlflowClient(mlflow_uri, registry_uri=mlflow_uri)
    newer = client.create_model_version(NAME, source=first.source, run_id=first.mlflow_run_id)
    client.set_registered_model_alias(NAME, "challenger", newer.version)
    capsys.readouterr()
    assert register(trained, evaluated, mlflow_uri).version == first.version
    assert str(client.get_model_version_by_alias(NAME, "challenger").version) == str(newer.version) == "2"
    assert "challenger" not in capsys.readouterr().out


def _experiment_id(mlflow_uri: str) -> str:
    return str(MlflowClient(mlflow_uri).get_experiment_by_name(NAME).experiment_id)


def test_the_champion_is_the_version_that_a_person_named_so(trained: Path, evaluated: Path, mlflow_uri: str) -> None:
    assert resolve_champion(mlflow_uri=mlflow_uri, model_name=NAME) is None
    register(trained, evaluated, mlflow_uri)
    assert resolve_champion(mlflow_uri=mlflow_uri, model_name=NAME) is None
    MlflowClient(mlflow_uri, registry_uri=mlflow_uri).set_registered_model_alias(NAME, "champion", "1")
    assert resolve_champion(mlflow_uri=mlflow_uri, model_name=NAME) == "1"
    register(trained, evaluated, mlflow_uri)
    assert resolve_champion(mlflow_uri=mlflow_uri, model_name=NAME) == "1"


def test_a_model_that_was_changed_after_its_evaluation_is_refused_and_makes_no_version(
    trained_copy: Path, evaluated: Path, mlflow_uri: str
) -> None:
    (trained_copy / "served_model" / "MLmodel").open("a").write("# changed\n")
    with pytest.raises(ContractError) as caught:
        register(trained_copy, evaluated, mlflow_uri)
    assert load(EvaluationReport, evaluated / "report.json").model_sha256 in str(caught.value)
    assert versions(mlflow_uri) == []


def test_a_model_that_is_not_blessed_is_refused_and_makes_no_version(
    trained: Path, few_digits: Path, mlflow_uri: str, tmp_path: Path
) -> None:
    report = tmp_path / "report"
    evaluate_model(model=trained, dataset=few_digits, target=report, blessing_threshold=1.01, champion_version=None)
    with pytest.raises(ContractError) as caught:
        register(trained, report, mlflow_uri)
    assert str(caught.value) == f"{report / 'report.json'}: blessed: true is wanted, false was received"
    assert versions(mlflow_uri) == []


def test_a_server_that_does_not_answer_is_named_within_a_minute() -> None:
    started = time.monotonic()
    with pytest.raises(InputError) as caught:
        resolve_champion(mlflow_uri="http://127.0.0.1:9", model_name=NAME)
    assert time.monotonic() - started < 60
    assert str(caught.value).startswith("MLflow at http://127.0.0.1:9 does not answer (")
    assert "\n" not in str(caught.value)


def test_a_database_that_is_none_is_refused_and_named(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_bytes(b"no database" * 1000)
    with pytest.raises(InputError) as caught:
        resolve_champion(mlflow_uri=f"sqlite:///{tmp_path / 'mlflow.db'}", model_name=NAME)
    assert str(tmp_path / "mlflow.db") in str(caught.value)
