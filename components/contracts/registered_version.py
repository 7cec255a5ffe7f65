"""What register leaves behind: which version of which model, and where its papers are in MLflow."""

from dataclasses import dataclass
from typing import ClassVar

VERSION_FILE = "version.json"


@dataclass(frozen=True)
class RegisteredVersion:
    """`alias` is the one it was given at registration; a person may have moved it since."""

    SCHEMA_VERSION: ClassVar[int] = 1

    model_name: str
    version: str
    alias: str
    mlflow_uri: str
    mlflow_run_id: str
    source: str  # models:/… of the logged model that the version is made of
    model_sha256: str
