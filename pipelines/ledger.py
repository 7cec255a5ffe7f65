"""The ledger of runs in a local folder: which refresh was claimed, by which run, and how that ended."""

import dataclasses
import re
import secrets
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.contracts.claim import Attempt, Claim, owner_path
from components.contracts.errors import InputError
from components.contracts.files import create_exclusively, write_atomically
from components.contracts.fingerprint import short
from components.contracts.strict_json import load, to_json
from pipelines.lock import exclusive_lock


class Ledger:
    """Claims below a folder. Whoever changes one holds `exclusive` for its fingerprint."""

    def __init__(self, root: Path, pipeline: str) -> None:
        self.root = root
        self.pipeline = pipeline

    def exclusive(self, fingerprint: str) -> AbstractContextManager[None]:
        """Held by one process at a time. Raises InputError that names the process where another one holds it."""
        path = self.root / "locks" / self.pipeline / f"{short(fingerprint)}.lock"
        return exclusive_lock(path, f"refresh {short(fingerprint)}")

    def find(self, fingerprint: str) -> Claim | None:
        """The claim on a refresh, or None. Raises ContractError for a damaged one."""
        path = self._path(fingerprint)
        return load(Claim, path) if path.exists() else None

    def claim(self, fingerprint: str, dataset: str, parameters: dict[str, str]) -> Claim:
        """The first attempt on a refresh. Raises InputError where the refresh is claimed already."""
        claim = Claim(fingerprint, self.pipeline, dataset, secrets.token_hex(16), ())
        claim = self._with_new_attempt(claim, parameters)
        if not create_exclusively(self._path(fingerprint), to_json(claim).encode()) and self.find(fingerprint) != claim:
            raise InputError(f"refresh {short(fingerprint)}: claimed already ({self._path(fingerprint)})")
        return claim

    def claim_again(self, claim: Claim, parameters: dict[str, str]) -> Claim:
        """Another attempt on the same refresh."""
        return self._write(self._with_new_attempt(claim, parameters))

    def advance(self, claim: Claim, **changes: Any) -> Claim:
        """The claim with its last attempt changed, and written."""
        last = dataclasses.replace(claim.attempts[-1], **changes)
        return self._write(dataclasses.replace(claim, attempts=(*claim.attempts[:-1], last)))

    def release_owner(self, run_name: str) -> None:
        """Forgets which execution passed the fence. Only while `exclusive` proves that it has ended."""
        (self.root / owner_path(run_name)).unlink(missing_ok=True)

    def _with_new_attempt(self, claim: Claim, parameters: dict[str, str]) -> Claim:
        number = len(claim.attempts) + 1
        dataset = re.sub("[^a-z0-9]+", "-", claim.dataset.split("/")[0].lower())
        attempt = Attempt(
            number=number,
            run_name=f"{dataset}-{short(claim.fingerprint)}-{number}",
            state="claimed",
            parameters=parameters,
            started_at=utc_now(),
            finished_at=None,
            failed_step=None,
            error=None,
            blessed=None,
            model_version=None,
        )
        return dataclasses.replace(claim, attempts=(*claim.attempts, attempt))

    def _write(self, claim: Claim) -> Claim:
        write_atomically(self._path(claim.fingerprint), to_json(claim).encode())
        return claim

    def _path(self, fingerprint: str) -> Path:
        return self.root / "claims" / self.pipeline / f"{fingerprint.removeprefix('sha256:')}.json"


def utc_now() -> str:
    """ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
