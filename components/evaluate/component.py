from kfp import dsl


@dsl.component(base_image="pedigree-train-python:0.1.0", install_kfp_package=False)
def evaluate(
    model: dsl.Input[dsl.Model],
    dataset: dsl.Input[dsl.Dataset],
    blessing_threshold: float,
    champion_version: str,
    report: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
) -> str:
    """Measures the model on the test split; returns "blessed" or "not blessed".

    Args:
        model: What train left.
        dataset: What ingest left.
        blessing_threshold: The least top-1 accuracy, in [0, 1], of a model that is registered.
        champion_version: The version in use; empty where there is none.
        report: The figures and pictures.
        metrics: The figures that the KFP page shows.
    """
    from pathlib import Path

    from components.contracts.step_console import one_line_errors
    from components.evaluate.evaluate import evaluate_model

    with one_line_errors("evaluate"):
        evaluation = evaluate_model(
            model=Path(model.path),
            dataset=Path(dataset.path),
            target=Path(report.path),
            blessing_threshold=blessing_threshold,
            champion_version=champion_version or None,
        )
    metrics.log_metric("top1", evaluation.top1.value)
    metrics.log_metric("log_loss", evaluation.log_loss)
    Path(metrics.path).touch()  # the local runner reuses a step's result only where every artifact is a file
    return "blessed" if evaluation.blessed else "not blessed"
