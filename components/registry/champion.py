"""Which version is in use: the one that a person gave the alias `champion`."""

from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, RESOURCE_DOES_NOT_EXIST, ErrorCode

from components.registry.store import open_store

CHAMPION = "champion"
NOT_FOUND = {ErrorCode.Name(RESOURCE_DOES_NOT_EXIST), ErrorCode.Name(INVALID_PARAMETER_VALUE)}


def resolve_champion(*, mlflow_uri: str, model_name: str) -> str | None:
    """The champion's version, or None where there is none yet. Raises InputError where MLflow does not answer."""
    with open_store(mlflow_uri) as client:
        try:
            return str(client.get_model_version_by_alias(model_name, CHAMPION).version)
        except MlflowException as error:
            if error.error_code not in NOT_FOUND:  # MLflow answers a missing alias as an invalid parameter
                raise
            return None
