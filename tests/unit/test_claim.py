"""The fence: of the executions of one run, one passes."""

from pathlib import Path

import pytest

from components.claim.claim import claim_run
from components.contracts.claim import Owner
from components.contracts.errors import ContractError, InputError
from components.contracts.strict_json import load

RUN = "digits-0123456789ab-1"


def claim(ledger: Path, job_id: str, run_name: str = RUN, fingerprint: str = "sha256:00") -> None:
    claim_run(ledger=ledger, fingerprint=fingerprint, run_name=run_name, job_id=job_id)


def test_the_first_execution_passes_and_is_the_owner(tmp_path: Path) -> None:
    claim(tmp_path, "job-a")
    assert load(Owner, tmp_path / "owners" / f"{RUN}.json") == Owner("sha256:00", RUN, "job-a")


def test_a_retry_of_the_same_execution_passes(tmp_path: Path) -> None:
    claim(tmp_path, "job-a")
    claim(tmp_path, "job-a")


def test_another_execution_is_refused_and_told_who_owns_the_run(tmp_path: Path) -> None:
    claim(tmp_path, "job-a")
    with pytest.raises(InputError) as caught:
        claim(tmp_path, "job-b")
    path = tmp_path / "owners" / f"{RUN}.json"
    assert str(caught.value) == f"run {RUN}: execution job-a owns it ({path}); this one, job-b, ends here"
    assert load(Owner, path).job_id == "job-a"


def test_the_same_execution_on_another_refresh_is_refused(tmp_path: Path) -> None:
    claim(tmp_path, "job-a")
    with pytest.raises(InputError):
        claim(tmp_path, "job-a", fingerprint="sha256:11")


def test_another_run_is_another_fence(tmp_path: Path) -> None:
    claim(tmp_path, "job-a")
    claim(tmp_path, "job-b", run_name="digits-0123456789ab-2")


def test_a_damaged_owner_lets_nobody_pass(tmp_path: Path) -> None:
    claim(tmp_path, "job-a")
    path = tmp_path / "owners" / f"{RUN}.json"
    path.write_text("{")
    with pytest.raises(ContractError) as caught:
        claim(tmp_path, "job-a")
    assert str(path) in str(caught.value)
