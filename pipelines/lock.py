"""One process at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from components.contracts.errors import InputError


@contextlib.contextmanager
def exclusive_lock(path: Path, subject: str) -> Iterator[None]:
    """Held by one process at a time; the kernel releases it when that process ends, however it ends.

    Raises InputError that names the process where another one holds it; `subject` is what both want to work on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read() or "another one"
            raise InputError(f"{subject}: process {holder} is at work on it ({path})") from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
