"""What evaluate leaves behind: the measured model, the criteria, and whether it is blessed."""

from dataclasses import dataclass
from typing import ClassVar

REPORT_FILE = "report.json"


@dataclass(frozen=True)
class Metric:
    """A value with its 95 % confidence interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Criterion:
    """`passed` says whether `value` is at least `threshold`."""

    metric: str
    threshold: float
    value: float
    passed: bool


@dataclass(frozen=True)
class EvaluationReport:
    """`blessed` is true where every criterion passed. `pictures` are relative to the report."""

    SCHEMA_VERSION: ClassVar[int] = 1

    split: str  # the tfds split expression
    num_examples: int
    num_correct: int
    top1: Metric
    log_loss: float  # mean cross-entropy in nats
    confusion: tuple[tuple[int, ...], ...]  # rows are the true classes, columns the predicted ones
    class_names: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    blessed: bool
    champion_version: str | None  # the version that carried `champion` when the run began
    dataset_fingerprint: str
    model_sha256: str  # the digest of the MLflow model directory that was measured
    pictures: dict[str, str]
