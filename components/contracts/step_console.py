"""How a step speaks to whoever started it: lines on standard output, and one last line when it cannot go on.

The local runner shows these lines; on a cluster they are the pod's log.
"""

import contextlib
import errno
import sys
from collections.abc import Iterator

from components.contracts.errors import ContractError, PedigreeError

# The environment's faults that a person can mend. Anything else that fails in the file system is our own fault.
USERS_ERRNOS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)
EXIT_CODE_FOR_INPUT = 2


def say(step: str, text: str) -> None:
    """One line of the step's story."""
    print(f"[{step}] {text}", flush=True)


@contextlib.contextmanager
def one_line_errors(step: str) -> Iterator[None]:
    """Turns what a user can mend into the line `[step] error: …` and exit code 2; lets our own faults raise.

    A file that is not whole any more is `[step] damaged: …`.
    """
    try:
        yield
    except ContractError as error:
        _fail(step, str(error), error, word="damaged")
    except PedigreeError as error:
        _fail(step, str(error), error)
    except OSError as error:
        if error.errno not in USERS_ERRNOS:
            raise
        _fail(step, f"{error.filename}: {error.strerror}" if error.filename else str(error), error)
    except Exception as error:  # libraries wrap a full disk in exceptions of their own
        if "No space left on device" not in str(error):
            raise
        _fail(step, "No space left on device", error)


def _fail(step: str, message: str, cause: BaseException, word: str = "error") -> None:
    say(step, f"{word}: {' '.join(message.split())}")
    sys.stdout.flush()
    raise SystemExit(EXIT_CODE_FOR_INPUT) from cause
