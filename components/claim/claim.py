"""The fence: KFP's CreateRun is not idempotent, so two executions of one run can appear; one passes here."""

from pathlib import Path

from components.contracts.claim import Owner, owner_path
from components.contracts.errors import InputError
from components.contracts.files import create_exclusively
from components.contracts.strict_json import load, to_json


def claim_run(*, ledger: Path, fingerprint: str, run_name: str, job_id: str) -> None:
    """Makes the execution `job_id` the owner of the run; returns where it is the owner already (a retried step).

    Raises InputError that names the owner where another execution was first.
    """
    path = ledger / owner_path(run_name)
    own = Owner(fingerprint, run_name, job_id)
    if create_exclusively(path, to_json(own).encode()):
        return
    owner = load(Owner, path)
    if owner != own:
        raise InputError(f"run {run_name}: execution {owner.job_id} owns it ({path}); this one, {job_id}, ends here")
