"""The words on a version's page in the registry: what it is and how good, in Markdown."""

from components.contracts.evaluation_report import EvaluationReport
from components.contracts.model_manifest import ModelManifest


def describe_version(manifest: ModelManifest, evaluation: EvaluationReport, run_name: str) -> str:
    """The model card. Its figures are those of the report that lies in the run's artifacts."""
    top1 = evaluation.top1
    # A list: MLflow's page draws a Markdown table without lines or space between its columns.
    criteria = "\n".join(
        f"- {criterion.metric} {criterion.value:.4f}, at least {criterion.threshold:.4f} is wanted: "
        f"**{'passed' if criterion.passed else 'failed'}**"
        for criterion in evaluation.criteria
    )
    champion = f"version {evaluation.champion_version}" if evaluation.champion_version else "none yet"
    return f"""\
**ResNet-{manifest.depth}** ({manifest.variant}, {manifest.num_parameters:,} parameters) on **{manifest.dataset}**, \
{len(manifest.class_names)} classes, {manifest.image_size_px} px.

Top-1 **{top1.value:.4f}** (95 % interval {top1.low:.4f} to {top1.high:.4f}) on {evaluation.num_examples:,} examples \
of `{evaluation.split}`; log loss {evaluation.log_loss:.4f}.

{criteria}
- Dataset fingerprint: `{evaluation.dataset_fingerprint}`
- Run: `{run_name}`, recipe `{manifest.recipe["name"]}`, seed {manifest.seed}, best epoch {manifest.best_epoch} of \
{len(manifest.history)}
- Champion when the run began: {champion}
- Pictures and the whole report: in the run's artifacts, under `report/`
"""
