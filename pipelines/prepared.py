"""The dataset that a run is about: prepared by tfds, if need be, in a process of its own."""

import subprocess
import sys
from pathlib import Path

from components.contracts.errors import InputError
from components.ingest.source import Source, open_source
from pipelines.lock import exclusive_lock
from pipelines.step_log import StepLog


def prepared_source(dataset: str, data_dir: Path, manual_dir: Path | None, log: StepLog) -> Source:
    """The dataset below `data_dir`, prepared first where it is not. Raises InputError where that cannot be done."""
    if source := open_source(dataset, data_dir):
        return source
    with exclusive_lock(data_dir / f".{dataset.replace('/', '-')}.lock", f"dataset {dataset!r}"):
        return open_source(dataset, data_dir) or _prepared(dataset, data_dir, manual_dir, log)


def _prepared(dataset: str, data_dir: Path, manual_dir: Path | None, log: StepLog) -> Source:
    log.write(f"[prepare] tfds prepares {dataset} below {data_dir}\n")
    command = [sys.executable, "-m", "components.ingest.prepare", "--dataset", dataset, "--data-dir", str(data_dir)]
    if manual_dir is not None:
        command += ["--manual-dir", str(manual_dir)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace"
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                log.write(line)
        except BaseException:
            process.terminate()
            raise
    if log.error:
        raise InputError(log.error)
    if process.returncode or not (source := open_source(dataset, data_dir)):
        raise RuntimeError(f"tfds could not prepare {dataset}, exit code {process.returncode}: see {log.path}")
    return source
