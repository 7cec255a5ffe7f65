"""Who runs what: the ledger's record of a dataset refresh, and the fence's record of an execution."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Attempt:
    """One run of the pipeline on a refresh. Times are UTC in ISO 8601; what is not known yet is null.

    `state`: claimed, then running here or submitted to a cluster, then succeeded or failed.

    `blessed` and `model_version` are what a succeeded run came to: a model that was not blessed has no version.
    """

    number: int  # from 1
    run_name: str
    state: str
    parameters: dict[str, str]
    started_at: str
    finished_at: str | None
    failed_step: str | None
    error: str | None
    blessed: bool | None
    model_version: str | None


@dataclass(frozen=True)
class Claim:
    """All attempts on one (fingerprint, pipeline).

    The `nonce` tells a claim of one's own, whose answer was lost, from another's.
    """

    SCHEMA_VERSION: ClassVar[int] = 1

    fingerprint: str
    pipeline: str
    dataset: str
    nonce: str
    attempts: tuple[Attempt, ...]


@dataclass(frozen=True)
class Owner:
    """The one execution (`job_id`) of a run that passed the fence."""

    SCHEMA_VERSION: ClassVar[int] = 1

    fingerprint: str
    run_name: str
    job_id: str


def owner_path(run_name: str) -> str:
    """Where the fence keeps a run's owner, relative to the ledger."""
    return f"owners/{run_name}.json"
