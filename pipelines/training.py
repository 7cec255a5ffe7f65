"""The DAG. Read it from top to bottom: that is the order in which things happen."""

from typing import NamedTuple

from kfp import dsl

from components.claim.component import claim
from components.evaluate.component import evaluate
from components.ingest.component import ingest
from components.registry.component import register, resolve_champion
from components.train.component import train
from pipelines import PIPELINE_NAME


class Outputs(NamedTuple):
    dataset: dsl.Dataset
    model: dsl.Model
    report: dsl.Artifact


@dsl.pipeline(name=PIPELINE_NAME, description="A refreshed image dataset becomes a reviewable model version.")
def training(
    data_dir: str,
    fingerprint: str,
    run_name: str,
    ledger: str,
    run_dir: str,
    mlflow_uri: str,
    model_name: str,
    dataset: str = "stanford_dogs",
    train_split: str = "",
    validation_split: str = "",
    test_split: str = "",
    recipe: str = "default",
    image_size_px: int = 224,
    num_epochs: int = 20,
    batch_size: int = 64,
    seed: int = 0,
    blessing_threshold: float = 0.5,
) -> Outputs:
    """Ingest, train, evaluate, and register where the model is blessed.

    Args:
        data_dir: Folder that tfds prepared the dataset in.
        fingerprint: Identity of the dataset refresh (pedigree fingerprint prints it).
        run_name: Deterministic name of the run; two executions of one name: one goes on.
        ledger: Folder of the run ledger.
        run_dir: Folder that belongs to this run: its checkpoints and the record of its version.
        mlflow_uri: Of the MLflow tracking server and registry.
        model_name: Name of the registered model.
        dataset: The tfds name; default stanford_dogs.
        train_split: tfds split expression; empty for the dataset's own.
        validation_split: tfds split expression; empty for the dataset's own, or a tenth of test.
        test_split: tfds split expression; empty for the dataset's own, or the rest of test.
        recipe: Name of the training recipe.
        image_size_px: Side of the square that the network sees, in pixels; at least 32.
        num_epochs: Passes over the train split.
        batch_size: Examples a step.
        seed: Of the initial weights and of the data's order.
        blessing_threshold: The least top-1 accuracy, in [0, 1], of a model that is registered.
    """
    owner = claim(ledger=ledger, fingerprint=fingerprint, run_name=run_name, job_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER)
    owner.set_caching_options(enable_caching=False)

    champion = resolve_champion(mlflow_uri=mlflow_uri, model_name=model_name).after(owner)
    champion.set_caching_options(enable_caching=False)

    ingested = ingest(
        dataset_name=dataset,
        data_dir=data_dir,
        fingerprint=fingerprint,
        train_split=train_split,
        validation_split=validation_split,
        test_split=test_split,
    ).after(champion)  # an MLflow that does not answer is found out before anything costs time

    trained = train(
        dataset=ingested.outputs["dataset"],
        recipe=recipe,
        image_size_px=image_size_px,
        num_epochs=num_epochs,
        batch_size=batch_size,
        seed=seed,
        run_dir=run_dir,
    )

    evaluated = evaluate(
        model=trained.outputs["model"],
        dataset=ingested.outputs["dataset"],
        blessing_threshold=blessing_threshold,
        champion_version=champion.output,
    )

    # The one unnamed output: kfp 2.17.0's local runner takes a condition on a named one for false.
    with dsl.If(evaluated.outputs["Output"] == "blessed"):
        register(
            model=trained.outputs["model"],
            report=evaluated.outputs["report"],
            mlflow_uri=mlflow_uri,
            model_name=model_name,
            run_name=run_name,
            run_dir=run_dir,
        ).set_caching_options(enable_caching=False)

    return Outputs(
        dataset=ingested.outputs["dataset"], model=trained.outputs["model"], report=evaluated.outputs["report"]
    )
