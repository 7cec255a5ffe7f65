"""The connection to MLflow: a server, or a SQLite file with a folder beside it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import mlflow
import requests
from mlflow import MlflowClient
from mlflow.environment_variables import MLFLOW_HTTP_REQUEST_MAX_RETRIES, MLFLOW_HTTP_REQUEST_TIMEOUT
from mlflow.exceptions import MlflowException
from mlflow.tracking.registry import UnsupportedModelRegistryStoreURIException
from sqlalchemy.exc import SQLAlchemyError

from components.contracts.errors import InputError

SQLITE_PREFIX = "sqlite:///"
REQUEST_TIMEOUT_SECONDS = 20
MAX_RETRIES = 0  # MLflow's client repeats POSTs too: where an answer was lost, it would create a second version


@contextlib.contextmanager
def open_store(mlflow_uri: str) -> Iterator[MlflowClient]:
    """A client of the tracking server and the registry at `mlflow_uri`.

    Raises InputError that names the address where nothing answers there, within a minute.
    """
    MLFLOW_HTTP_REQUEST_TIMEOUT.set(REQUEST_TIMEOUT_SECONDS)
    MLFLOW_HTTP_REQUEST_MAX_RETRIES.set(MAX_RETRIES)
    # Also as the process's default: the SQL registry looks a version's logged model up there, whatever the client's.
    mlflow.set_tracking_uri(mlflow_uri)
    mlflow.set_registry_uri(mlflow_uri)
    try:
        if mlflow_uri.startswith(SQLITE_PREFIX):
            Path(mlflow_uri.removeprefix(SQLITE_PREFIX)).parent.mkdir(parents=True, exist_ok=True)
        client = MlflowClient()
    except (requests.exceptions.RequestException, SQLAlchemyError) as error:
        raise _unreachable(mlflow_uri, error) from error
    except UnsupportedModelRegistryStoreURIException as error:
        raise InputError(f"mlflow_uri: {mlflow_uri!r}: http(s)://SERVER or sqlite:///FILE is wanted") from error
    except OSError as error:
        raise InputError(f"mlflow_uri: {mlflow_uri!r} cannot be used ({error})") from error
    try:
        yield client
    except (requests.exceptions.RequestException, SQLAlchemyError) as error:
        raise _unreachable(mlflow_uri, error) from error
    except MlflowException as error:
        if isinstance(error.__cause__, requests.exceptions.RequestException) or "API request to" in str(error):
            raise _unreachable(mlflow_uri, error) from error
        raise


def _unreachable(mlflow_uri: str, error: Exception) -> InputError:
    reason: BaseException = error
    while cause := reason.__cause__ or reason.__context__:
        reason = cause
    return InputError(f"MLflow at {mlflow_uri} does not answer ({str(reason).splitlines()[0]})")


def artifact_location(mlflow_uri: str) -> str | None:
    """Where an embedded MLflow keeps its files: beside the database. A server decides for itself (None)."""
    if not mlflow_uri.startswith(SQLITE_PREFIX):
        return None
    return str(Path(mlflow_uri.removeprefix(SQLITE_PREFIX)).absolute().parent / "artifacts")
