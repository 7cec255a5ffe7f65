"""SIGKILL in each step, one after another, on one run: it goes on each time, and ends in one version."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
from mlflow import MlflowClient

from components.contracts.claim import Claim
from components.contracts.dataset_manifest import MANIFEST_FILE
from components.contracts.strict_json import load
from components.vision.input_pipeline import open_dataset

from .conftest import MINIATURE, PEDIGREE

# (what the terminal shows when it is time, seconds to wait then at the most, whether the step's process is killed too)
KILLS = (
    ("tfds prepares digits", 6.0, True),
    ("▸ claim", 0.5, False),
    ("▸ resolve-champion", 4.0, True),
    ("▸ ingest", 3.0, False),
    ("▸ ingest", 2.0, True),
    ("▸ train", 15.0, False),  # before the first checkpoint
    ("  epoch 1/2: loss", 2.0, True),  # after it
    ("▸ evaluate", 8.0, False),
    ("▸ register", 2.0, True),
    ("▸ register", 5.0, False),
)
pytestmark = pytest.mark.integration


def killed_at(moment: str, seconds: float, whole_group: bool, command: list[str]) -> str:
    """Runs the command until it shows the moment, waits, and kills it; what it showed."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    assert process.stdout is not None
    shown = ""
    for line in process.stdout:
        shown += line
        if moment in line:
            break
    time.sleep(seconds)
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()  # the step that is at work is left behind, as an out-of-memory kill would leave it
    assert process.wait(timeout=60) == -signal.SIGKILL, f"the run had ended by itself:\n{shown}"
    return shown


def test_a_run_killed_in_every_step_ends_in_one_version(tmp_path: Path) -> None:
    work_dir, choice = tmp_path / "work", random.Random(0)
    command = [str(PEDIGREE), "run", "--work-dir", str(work_dir), "--num-epochs", "2", *MINIATURE]
    for moment, most_seconds, whole_group in KILLS:
        seconds = choice.uniform(0, most_seconds)
        shown = killed_at(moment, seconds, whole_group, command)
        print(f"killed {seconds:4.1f} s after {moment!r}, {'all processes' if whole_group else 'the run alone'}")
        assert moment in shown, f"the run never came to {moment!r}:\n{shown}"
        for manifest in work_dir.glob("runs/*/steps/*/ingest/dataset/" + MANIFEST_FILE):
            open_dataset(manifest.parent)  # raises where a dataset is visible and not whole
    last = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert last.returncode == 0, last.stdout + last.stderr
    print(last.stdout)
    uri = f"sqlite:///{work_dir / 'mlflow' / 'mlflow.db'}"
    versions = MlflowClient(uri, uri).search_model_versions("name = 'pedigree-digits'")
    assert [(str(version.version), version.status) for version in versions] == [("1", "READY")]
    (claim,) = work_dir.glob("ledger/claims/*/*.json")
    (attempt,) = load(Claim, claim).attempts
    assert (attempt.state, attempt.model_version) == ("succeeded", "1")


def test_a_killed_run_that_is_given_up_for_another_leaves_no_step_at_work(
    tmp_path: Path, prepared_digits: Path
) -> None:
    work_dir = tmp_path / "wörk"  # which kfp writes as w\\u00f6rk on a step's command line
    command = [str(PEDIGREE), "run", "--work-dir", str(work_dir), "--data-dir", str(prepared_digits), *MINIATURE]
    killed_at("▸ train", 3.0, False, [*command, "--num-epochs", "5"])
    assert steps_at_work("-1/steps/"), "the kill left no step behind: nothing is shown"
    last = subprocess.run([*command, "--num-epochs", "1"], capture_output=True, text=True, check=False, timeout=900)
    assert last.returncode == 0, last.stdout + last.stderr
    assert steps_at_work("-1/steps/") == []
    (claim,) = work_dir.glob("ledger/claims/*/*.json")
    states = [(attempt.state, attempt.model_version) for attempt in load(Claim, claim).attempts]
    assert states == [("failed", None), ("succeeded", "1")]


def steps_at_work(mark: str) -> list[int]:
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if any("w\\u00f6rk" in word and mark in word for word in process.info["cmdline"] or ())
    ]


def test_an_interrupted_run_ends_cleanly_and_goes_on(tmp_path: Path, prepared_digits: Path) -> None:
    command = [str(PEDIGREE), "run", "--work-dir", str(tmp_path / "work"), "--data-dir", str(prepared_digits)]
    command += ["--num-epochs", "1", *MINIATURE]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts the tests in the background has it ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "▸ train" in line:
            break
    time.sleep(5)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip() == "pedigree run: interrupted; the next call goes on"
    again = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "was interrupted" in again.stdout
    assert "▸ ingest: done before" in again.stdout
