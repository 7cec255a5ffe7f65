"""The ledger: one claim a refresh, one process at work on it, whatever is killed."""

import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from components.contracts.errors import ContractError, InputError
from pipelines.ledger import Ledger, utc_now

FINGERPRINT = "sha256:" + "0123456789abcdef" * 4
OTHER = "sha256:" + "f" * 64
PARAMETERS = {"seed": "0", "recipe": "default"}
# Holds the lock until it is killed.
HOLDER = """
import sys, time
from pathlib import Path
from pipelines.ledger import Ledger
with Ledger(Path(sys.argv[1]), "training").exclusive(sys.argv[2]):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path, "training")


def test_a_refresh_that_nobody_claimed_is_not_found(ledger: Ledger) -> None:
    assert ledger.find(FINGERPRINT) is None


def test_a_claim_is_found_again_as_it_was_made(ledger: Ledger) -> None:
    claim = ledger.claim(FINGERPRINT, "digits/1.0.0", PARAMETERS)
    assert ledger.find(FINGERPRINT) == claim
    assert (claim.fingerprint, claim.pipeline, claim.dataset) == (FINGERPRINT, "training", "digits/1.0.0")
    (attempt,) = claim.attempts
    assert (attempt.number, attempt.state, attempt.parameters) == (1, "claimed", PARAMETERS)
    assert len(bytes.fromhex(claim.nonce)) == 16


def test_a_refresh_is_claimed_once(ledger: Ledger) -> None:
    claim = ledger.claim(FINGERPRINT, "digits/1.0.0", PARAMETERS)
    with pytest.raises(InputError, match="refresh 0123456789ab: claimed already"):
        ledger.claim(FINGERPRINT, "digits/1.0.0", {})
    assert ledger.find(FINGERPRINT) == claim


def test_another_refresh_and_another_pipeline_are_other_claims(ledger: Ledger, tmp_path: Path) -> None:
    claims = [
        ledger.claim(FINGERPRINT, "digits/1.0.0", PARAMETERS),
        ledger.claim(OTHER, "digits/1.0.0", PARAMETERS),
        Ledger(tmp_path, "another").claim(FINGERPRINT, "digits/1.0.0", PARAMETERS),
    ]
    assert len({claim.nonce for claim in claims}) == 3
    assert ledger.find(FINGERPRINT) == claims[0]


def test_the_last_attempt_advances_and_the_earlier_ones_stay(ledger: Ledger) -> None:
    first = ledger.claim(FINGERPRINT, "digits/1.0.0", PARAMETERS)
    failed = ledger.advance(first, state="failed", failed_step="train", error="loss: nan", finished_at=utc_now())
    second = ledger.claim_again(failed, {"seed": "1"})
    succeeded = ledger.advance(second, state="succeeded", blessed=True, model_version="7")
    assert ledger.find(FINGERPRINT) == succeeded
    assert [(attempt.number, attempt.state, attempt.error) for attempt in succeeded.attempts] == [
        (1, "failed", "loss: nan"),
        (2, "succeeded", None),
    ]
    assert succeeded.attempts[1].parameters == {"seed": "1"}
    assert succeeded.attempts[1].model_version == "7"
    assert succeeded.nonce == first.nonce


@pytest.mark.parametrize(
    ("dataset", "wanted"),
    [
        ("digits/1.0.0", "digits-0123456789ab-1"),
        ("stanford_dogs/0.2.0", "stanford-dogs-0123456789ab-1"),
        ("cifar10_1/v4/1.1.0", "cifar10-1-0123456789ab-1"),
    ],
)
def test_the_runs_name_depends_on_dataset_refresh_and_attempt_alone(
    ledger: Ledger, tmp_path: Path, dataset: str, wanted: str
) -> None:
    claim = ledger.claim(FINGERPRINT, dataset, PARAMETERS)
    again = Ledger(tmp_path / "another", "training").claim(FINGERPRINT, dataset, {})
    assert claim.attempts[0].run_name == again.attempts[0].run_name == wanted
    assert re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", wanted), "Kubernetes takes no other names"
    assert ledger.claim_again(claim, {}).attempts[1].run_name == wanted[:-1] + "2"


@pytest.mark.parametrize("text", ["", "{", '{"schema_version": 2}'])
def test_a_damaged_claim_is_refused_and_named(ledger: Ledger, tmp_path: Path, text: str) -> None:
    ledger.claim(FINGERPRINT, "digits/1.0.0", PARAMETERS)
    (path,) = (tmp_path / "claims").rglob("*.json")
    path.write_text(text)
    with pytest.raises(ContractError) as caught:
        ledger.find(FINGERPRINT)
    assert str(caught.value).startswith(f"{path}: ")


def test_one_process_at_a_time_is_at_work_and_a_killed_one_is_not(ledger: Ledger, tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path), FINGERPRINT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            with pytest.raises(InputError) as caught, ledger.exclusive(FINGERPRINT):
                pass
            assert f"refresh 0123456789ab: process {holder.pid} is at work on it (" in str(caught.value)
            with ledger.exclusive(OTHER):
                pass
        finally:
            holder.kill()
    assert holder.returncode == -signal.SIGKILL
    with ledger.exclusive(FINGERPRINT):
        pass


def test_the_lock_is_free_again_after_an_error(ledger: Ledger) -> None:
    with pytest.raises(RuntimeError), ledger.exclusive(FINGERPRINT):
        raise RuntimeError
    with ledger.exclusive(FINGERPRINT):
        pass


def test_the_fence_forgets_its_owner_and_an_owner_that_is_not_there_is_forgotten_too(
    ledger: Ledger, tmp_path: Path
) -> None:
    owner = tmp_path / "owners" / "digits-0123456789ab-1.json"
    owner.parent.mkdir()
    owner.write_text("{}")
    ledger.release_owner("digits-0123456789ab-1")
    assert not owner.exists()
    ledger.release_owner("digits-0123456789ab-1")


def test_times_are_utc_to_the_second() -> None:
    told = datetime.fromisoformat(utc_now())
    assert told.utcoffset() == UTC.utcoffset(None)
    assert told.microsecond == 0
    assert abs((datetime.now(UTC) - told).total_seconds()) < 60
