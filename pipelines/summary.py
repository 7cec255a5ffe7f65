"""What `pedigree run` prints at its end."""

from dataclasses import dataclass
from pathlib import Path

from components.contracts.claim import Claim
from components.contracts.dataset_manifest import MANIFEST_FILE, DatasetManifest
from components.contracts.evaluation_report import EvaluationReport
from components.contracts.registered_version import RegisteredVersion
from components.contracts.strict_json import load
from pipelines.work_dir import WorkDir, shown


@dataclass(frozen=True)
class RunResult:
    """`folders` are what the steps left; `seconds` are per step, None for one whose earlier result was used."""

    claim: Claim
    report: EvaluationReport
    version: RegisteredVersion | None
    folders: dict[str, Path]
    seconds: dict[str, float | None]


def summary(result: RunResult, work: WorkDir) -> str:
    """A block of lines, each a name and what it came to."""
    manifest = load(DatasetManifest, result.folders["dataset"] / MANIFEST_FILE)
    report, top1 = result.report, result.report.top1
    lines = [("dataset", manifest.dataset), ("fingerprint", manifest.fingerprint)]
    for name, split in manifest.splits.items():
        lines.append((name, f"{split.num_examples:,} examples of {split.expression}"))
    lines.append(("top-1", f"{top1.value:.4f}, 95 % interval {top1.low:.4f} to {top1.high:.4f}"))
    lines.append(("model", _model(result)))
    lines.append(("seconds", _seconds(result.seconds)))
    for name, picture in report.pictures.items():
        lines.append((name.replace("_", " "), shown(result.folders["report"] / picture)))
    if result.version:
        lines.append(("open it", open_command(result.version, work)))
    width = max(len(name) for name, _ in lines)
    return "\n" + "".join(f"{name:<{width}}  {text}\n" for name, text in lines)


def already_run(claim: Claim, parameters: dict[str, str], work: WorkDir) -> str:
    """One line that names the run, one more for each parameter that is different now."""
    attempt = claim.attempts[-1]
    came_to = f"version {attempt.model_version}" if attempt.blessed else "not blessed, no version"
    text = f"already run as {attempt.run_name} on {attempt.finished_at}: {came_to}. Run again: --force\n"
    for name, value in parameters.items():
        if (before := attempt.parameters.get(name)) != value:
            text += f"  {name} was {before!r} then, now {value!r}\n"
    return text


def open_command(version: RegisteredVersion, work: WorkDir) -> str:
    """How to see the version's page."""
    page = f"/#/models/{version.model_name}/versions/{version.version}"
    if version.mlflow_uri.startswith("http"):
        return version.mlflow_uri.rstrip("/") + page
    return f"pedigree ui --work-dir {shown(work.root)}   then http://127.0.0.1:5000{page}"


def _model(result: RunResult) -> str:
    if result.version:
        return f"{result.version.model_name} version {result.version.version}, alias {result.version.alias}"
    failed = ", ".join(
        f"{criterion.metric} {criterion.value:.4f} is below {criterion.threshold}"
        for criterion in result.report.criteria
        if not criterion.passed
    )
    return f"not blessed ({failed}): no version"


def _seconds(seconds: dict[str, float | None]) -> str:
    parts = [f"{step} {'-' if value is None else f'{value:.0f}'}" for step, value in seconds.items()]
    return f"{sum(value or 0 for value in seconds.values()):.0f} = " + " + ".join(parts)
