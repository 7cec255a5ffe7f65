"""Register: the very bytes that were evaluated become one version, with its papers. No TensorFlow."""

import shutil
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import LoggedModel, LoggedModelStatus, Metric, Param, Run, RunTag
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode

from components.contracts.errors import ContractError
from components.contracts.evaluation_report import REPORT_FILE, EvaluationReport
from components.contracts.files import BYTECODE_FOLDER, sha256_of_folder
from components.contracts.model_manifest import MODEL_MANIFEST_FILE, ModelManifest
from components.contracts.registered_version import RegisteredVersion
from components.contracts.step_console import say
from components.contracts.strict_json import load
from components.registry.card import describe_version
from components.registry.store import artifact_location, open_store

CHALLENGER = "challenger"
RUN_TAG = "pedigree.run"
FINGERPRINT_TAG = "pedigree.fingerprint"
MODEL_TAG = "pedigree.model_sha256"


def register_model(*, model: Path, report: Path, mlflow_uri: str, model_name: str, run_name: str) -> RegisteredVersion:
    """Registers the model of a folder with the report of another, and gives it the alias `challenger`.

    Called again for the same fingerprint and model it finds what is there and makes no second version. Raises
    ContractError where the model's bytes are not those that the report measured, or the report does not bless them,
    and InputError where MLflow does not answer.
    """
    manifest, evaluation = (
        load(ModelManifest, model / MODEL_MANIFEST_FILE),
        load(EvaluationReport, report / REPORT_FILE),
    )
    served_model = model / manifest.served_model
    if (digest := sha256_of_folder(served_model)) != evaluation.model_sha256:
        raise ContractError(f"{served_model}: {digest}, but the evaluation measured {evaluation.model_sha256}")
    for bytecode in list(served_model.rglob(BYTECODE_FOLDER)):  # no part of the digest, so no part of the version
        shutil.rmtree(bytecode)
    if not evaluation.blessed:
        raise ContractError(f"{report / REPORT_FILE}: blessed: true is wanted, false was received")
    tags = {
        RUN_TAG: run_name,
        FINGERPRINT_TAG: manifest.dataset_fingerprint,
        MODEL_TAG: digest,
        "pedigree.weights_sha256": manifest.weights_sha256,
        "pedigree.dataset": manifest.dataset,
        "pedigree.top1": f"{evaluation.top1.value:.4f}",
    }
    with open_store(mlflow_uri) as client:
        version = _find_version(client, model_name, tags) or _create_version(
            client, model_name, mlflow_uri, served_model, report, manifest, evaluation, tags
        )
        versions = client.search_model_versions(f"name = '{model_name}'")
        if newest := all(int(other.version) <= int(version.version) for other in versions):
            client.set_registered_model_alias(model_name, CHALLENGER, version.version)
    # An old run that goes on late takes the alias from nobody.
    say(
        "register",
        f"{model_name} version {version.version} is {CHALLENGER if newest else 'registered, not the newest'}",
    )
    return RegisteredVersion(
        model_name=model_name,
        version=str(version.version),
        alias=CHALLENGER,
        mlflow_uri=mlflow_uri,
        mlflow_run_id=version.run_id,
        source=version.source,
        model_sha256=digest,
    )


def _find_version(client: MlflowClient, model_name: str, tags: dict[str, str]) -> ModelVersion | None:
    for version in client.search_model_versions(f"name = '{model_name}'"):
        if all(version.tags.get(tag) == tags[tag] for tag in (FINGERPRINT_TAG, MODEL_TAG)):
            return version
    return None


def _create_version(
    client: MlflowClient,
    model_name: str,
    mlflow_uri: str,
    served_model: Path,
    report: Path,
    manifest: ModelManifest,
    evaluation: EvaluationReport,
    tags: dict[str, str],
) -> ModelVersion:
    experiment_id = _experiment(client, model_name, mlflow_uri)
    run = _find_or_create_run(client, experiment_id, tags)
    _log_training(client, run, manifest, evaluation, tags)
    client.log_artifacts(run.info.run_id, str(report), "report")
    logged = _log_model(client, experiment_id, model_name, run, served_model, tags)
    client.set_terminated(run.info.run_id)
    try:
        client.create_registered_model(model_name, description="Retrained by pedigree at each refresh of its dataset.")
    except MlflowException as error:
        if error.error_code != ErrorCode.Name(RESOURCE_ALREADY_EXISTS):
            raise
    return client.create_model_version(
        model_name,
        source=f"models:/{logged.model_id}",
        run_id=run.info.run_id,
        model_id=logged.model_id,
        tags=tags,
        description=describe_version(manifest, evaluation, tags[RUN_TAG]),
    )


def _log_model(
    client: MlflowClient, experiment_id: str, model_name: str, run: Run, served_model: Path, tags: dict[str, str]
) -> LoggedModel:
    """The uploaded model: one that is whole already, or a new one; halves that a cut-off step left are deleted."""
    for logged in client.search_logged_models([experiment_id], f"tags.`{MODEL_TAG}` = '{tags[MODEL_TAG]}'"):
        if logged.status == LoggedModelStatus.READY:
            return logged
        client.delete_logged_model(logged.model_id)
    logged = client.create_logged_model(experiment_id, name=model_name, source_run_id=run.info.run_id, tags=tags)
    client.log_model_artifacts(logged.model_id, str(served_model))
    return client.finalize_logged_model(logged.model_id, LoggedModelStatus.READY)


def _experiment(client: MlflowClient, name: str, mlflow_uri: str) -> str:
    if experiment := client.get_experiment_by_name(name):
        return str(experiment.experiment_id)
    return str(client.create_experiment(name, artifact_location=artifact_location(mlflow_uri)))


def _find_or_create_run(client: MlflowClient, experiment_id: str, tags: dict[str, str]) -> Run:
    found = client.search_runs([experiment_id], f"tags.`{RUN_TAG}` = '{tags[RUN_TAG]}'", max_results=1)
    return found[0] if found else client.create_run(experiment_id, tags=tags, run_name=tags[RUN_TAG])


def _log_training(
    client: MlflowClient, run: Run, manifest: ModelManifest, evaluation: EvaluationReport, tags: dict[str, str]
) -> None:
    parameters = {
        "dataset": manifest.dataset,
        "depth": str(manifest.depth),
        "image_size_px": str(manifest.image_size_px),
        "seed": str(manifest.seed),
        **{f"recipe.{name}": value for name, value in manifest.recipe.items()},
    }
    metrics = [
        Metric(name, getattr(epoch, name), timestamp=run.info.start_time, step=epoch.epoch)
        for epoch in manifest.history
        for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "images_per_second")
    ]
    for name, value in (
        ("test_top1", evaluation.top1.value),
        ("test_top1_low", evaluation.top1.low),
        ("test_top1_high", evaluation.top1.high),
        ("test_log_loss", evaluation.log_loss),
    ):
        metrics.append(Metric(name, value, timestamp=run.info.start_time, step=0))
    client.log_batch(
        run.info.run_id,
        metrics=metrics,
        params=[Param(name, value) for name, value in parameters.items()],
        tags=[RunTag(name, value) for name, value in tags.items()],
    )
