"""Ending the steps of a run that nobody waits for any more."""

import contextlib
import json
import os
from pathlib import Path

import psutil

TERMINATION_SECONDS = 5.0


def end_children() -> None:
    """Ends the step that is at work, so that nobody writes into this run any more."""
    _end(psutil.Process(os.getpid()).children(recursive=True))


def end_leftovers(steps: Path) -> None:
    """Ends the steps that put out below a folder, whose `pedigree run` was killed: it stands on their command line."""
    mark = json.dumps(f"{steps}/")[1:-1]  # as kfp writes it there
    _end(
        [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(mark in argument for argument in process.info["cmdline"] or ())
        ]
    )


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(processes, timeout=TERMINATION_SECONDS)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
