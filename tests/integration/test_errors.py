"""What only the real environment can refuse: a full disk, a server that is not there, a file that was damaged."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import MINIATURE, PEDIGREE

pytestmark = pytest.mark.integration
Outcome = subprocess.CompletedProcess[str]


def run(work_dir: Path, data_dir: Path, *options: str) -> Outcome:
    command = [str(PEDIGREE), "run", "--work-dir", str(work_dir), "--data-dir", str(data_dir), "--num-epochs", "1"]
    return subprocess.run([*command, *MINIATURE, *options], capture_output=True, text=True, check=False, timeout=900)


def the_one_line(outcome: Outcome) -> str:
    assert outcome.returncode == 2, outcome.stdout + outcome.stderr
    (line,) = outcome.stderr.splitlines()
    print(line)
    return line


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of its own, of as many MiB as the test asks for."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={request.param}m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("small_disk", [100], indirect=True)
def test_too_little_free_space_is_said_before_anything_starts(small_disk: Path, prepared_digits: Path) -> None:
    assert f"--work-dir: {small_disk} has 0.10 GB free" in the_one_line(run(small_disk, prepared_digits))
    assert not (small_disk / "ledger" / "claims").exists()


@pytest.mark.parametrize("small_disk", [1100], indirect=True)
def test_a_disk_that_fills_up_is_one_line_and_the_run_goes_on_once_there_is_room(
    small_disk: Path, prepared_digits: Path
) -> None:
    command = [str(PEDIGREE), "run", "--work-dir", str(small_disk), "--data-dir", str(prepared_digits)]
    command += ["--num-epochs", "1", *MINIATURE]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if "▸ train" in line:
            break
    ballast = small_disk / "ballast"
    with ballast.open("wb") as file:
        file.write(bytes(900 << 20))
    _, errors = process.communicate(timeout=600)
    assert "No space left on device" in the_one_line(Outcome(command, process.returncode, "", errors))
    assert list(small_disk.glob("runs/*/steps/*/train/model/model.json")) == [], "half a model is visible"
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=4000m", str(small_disk)], check=True)
    again = run(small_disk, prepared_digits)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "▸ ingest: done before" in again.stdout


def test_an_mlflow_that_does_not_answer_is_one_line_and_soon(tmp_path: Path, prepared_digits: Path) -> None:
    started = time.monotonic()
    line = the_one_line(run(tmp_path / "work", prepared_digits, "--mlflow-uri", "http://127.0.0.1:9"))
    assert "MLflow at http://127.0.0.1:9 does not answer" in line
    assert time.monotonic() - started < 60
    assert not list((tmp_path / "work").glob("runs/*/steps/*/ingest")), "found out before any data was moved"


def test_a_damaged_manifest_is_named(tmp_path: Path, prepared_digits: Path) -> None:
    work_dir = tmp_path / "work"
    line = the_one_line(run(work_dir, prepared_digits, "--batch-size", "1000"))
    assert "train: batch_size: 1000 was given, but the train split has 128 examples only" in line
    (manifest,) = work_dir.glob("runs/*/steps/*/ingest/dataset/manifest.json")
    manifest.write_text(manifest.read_text().replace('"num_examples": 128', '"num_examples": "128"', 1))
    line = the_one_line(run(work_dir, prepared_digits, "--batch-size", "1000"))
    assert f'{manifest}: splits.train.num_examples: integer is wanted, "128" was received' in line
    assert line.endswith("; the next call makes it again")
    assert "batch_size" in the_one_line(run(work_dir, prepared_digits, "--batch-size", "1000")), "it was not made again"
