"""A KFP cluster, as far as the trigger needs it: find a run by its name, create one. Every call has a time limit."""

import contextlib
import json
import socket
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from kfp import Client
from kfp_server_api.exceptions import ApiException
from urllib3.exceptions import HTTPError

from components.contracts.errors import InputError
from pipelines import PIPELINE_NAME
from pipelines.compile import compile_pipeline

CALL_TIMEOUT_SECONDS = 30.0


class KfpCluster:
    """Raises InputError that names the host where it does not answer, or refuses."""

    def __init__(self, host: str, token: str | None) -> None:
        socket.setdefaulttimeout(CALL_TIMEOUT_SECONDS)  # kfp's client passes no timeout of its own
        self._host = host
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # that it wants KFP 2.0 or later, at every start
            try:
                self._client = Client(host=host, existing_token=token)
            except (HTTPError, ApiException, OSError) as error:
                raise self._unanswered(error) from error

    def find_run(self, run_name: str) -> str | None:
        """The id of a run of that name, or None."""
        predicate = {"operation": "EQUALS", "key": "display_name", "stringValue": run_name}
        try:
            answer = self._client.list_runs(page_size=1, filter=json.dumps({"predicates": [predicate]}))
        except (HTTPError, ApiException, OSError) as error:
            raise self._unanswered(error) from error
        return str(answer.runs[0].run_id) if answer.runs else None

    def create_run(self, run_name: str, arguments: dict[str, Any]) -> str:
        """Submits the DAG; its id. An error may come after the cluster has taken it: look before asking again."""
        with tempfile.TemporaryDirectory() as folder:
            package = Path(folder) / "training.yaml"
            compile_pipeline(package)
            try:
                with contextlib.redirect_stdout(sys.stderr):  # its links, for a person; our line of JSON stays alone
                    run = self._client.create_run_from_pipeline_package(
                        str(package), arguments=arguments, run_name=run_name, experiment_name=PIPELINE_NAME
                    )
            except (HTTPError, ApiException, OSError) as error:
                raise self._unanswered(error) from error
        return str(run.run_id)

    def _unanswered(self, error: Exception) -> InputError:
        if isinstance(error, ApiException):
            return InputError(f"KFP at {self._host} refuses: {error.status} {error.reason}")
        reason = getattr(error, "reason", error)  # urllib3 keeps the cause of its last retry there
        return InputError(f"KFP at {self._host} does not answer ({reason})")
