"""The command line as a user meets it: help with an example, and one line for a mistake."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.cli import cli

COMMANDS = sorted(cli.commands)


def pedigree(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipelines.cli", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def assert_one_line(done: subprocess.CompletedProcess[str], command: str, *words: str) -> None:
    """Exit code 2 and one line on standard error, which begins with the command and holds the words."""
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith(f"{command}: error: ")
    for word in words:
        assert word in done.stderr


@pytest.fixture
def run(digits_dir: Path, tmp_path: Path) -> list[str]:
    """`pedigree run` on the prepared digits, with a work directory of the test's own."""
    return ["run", "--work-dir", str(tmp_path / "work"), "--dataset", "digits", "--data-dir", str(digits_dir)]


def test_the_installed_script_and_the_module_are_the_same_command() -> None:
    script = subprocess.run(
        [str(Path(sys.executable).with_name("pedigree")), "--help"], capture_output=True, text=True, check=True
    )
    assert "Examples:" in script.stdout
    assert script.stdout.replace("Usage: pedigree ", "") == pedigree("--help").stdout.replace(
        "Usage: python -m pipelines.cli ", ""
    )


def test_help_lists_every_command() -> None:
    done = pedigree("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_an_example_and_says_every_option(command: str) -> None:
    done = pedigree(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    example = done.stdout.partition("Example")[2]
    assert f"pedigree {command}" in example
    unexplained = [option.name for option in cli.commands[command].params if not getattr(option, "help", None)]
    assert unexplained == []


def test_no_command_is_answered_with_the_help() -> None:
    done = pedigree()
    assert done.returncode == 2
    assert "Commands:" in done.stdout + done.stderr


def test_the_version_is_told() -> None:
    done = pedigree("--version")
    assert done.returncode == 0
    assert "0.1.0" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "command", "words"),
    [
        pytest.param(["runn"], "pedigree", ["runn"], id="unknown command"),
        pytest.param(["run", "--no-such-option"], "pedigree run", ["--no-such-option"], id="unknown option"),
        pytest.param(["run", "--num-epochs", "many"], "pedigree run", ["--num-epochs", "many"], id="no number"),
        pytest.param(["run", "--seed", "1.5"], "pedigree run", ["--seed", "1.5"], id="no whole number"),
        pytest.param(["compile", "--output"], "pedigree compile", ["--output"], id="no value"),
        pytest.param(["fingerprint", "--data-dir", "x"], "pedigree fingerprint", ["--dataset"], id="no dataset"),
        pytest.param(["fingerprint", "--dataset", "x"], "pedigree fingerprint", ["--data-dir"], id="no data dir"),
    ],
)
def test_a_command_that_is_none_is_refused_in_one_line(
    arguments: list[str], command: str, words: list[str], tmp_path: Path
) -> None:
    assert_one_line(pedigree(*arguments, cwd=tmp_path), command, *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--recipe", "secret", ["recipe", "'secret'", "default"]),
        ("--train-split", "trainn", ["'trainn'", "train, test"]),
        ("--validation-split", "test[", ["'test['", "train, test"]),
        ("--test-split", "train[:5]", ["share 5 examples"]),
        ("--image-size-px", "16", ["image_size_px", "32", "16"]),
        ("--num-epochs", "0", ["num_epochs", "1", "0"]),
        ("--batch-size", "0", ["batch_size", "1", "0"]),
        ("--seed", "-1", ["seed", "-1"]),
        ("--blessing-threshold", "2", ["blessing_threshold", "between 0 and 1", "2"]),
        ("--blessing-threshold", "nan", ["blessing_threshold", "nan"]),
        ("--dataset", "no such", ["'no such'"]),
    ],
)
def test_a_parameter_that_cannot_be_is_refused_before_anything_is_claimed(
    option: str, value: str, words: list[str], run: list[str], tmp_path: Path
) -> None:
    assert_one_line(pedigree(*run, option, value), "pedigree run", *words)
    left = [path for path in (tmp_path / "work").rglob("*") if path.is_file() and path.name != "prepare.log"]
    assert left == []


def test_an_unknown_dataset_is_refused_in_one_line_and_nothing_is_claimed(run: list[str], tmp_path: Path) -> None:
    done = pedigree(*run[:3], "--dataset", "nosuchdataset")
    assert_one_line(done, "pedigree run", "'nosuchdataset'", "tfds knows no such dataset")
    assert not (tmp_path / "work" / "ledger").exists()


def test_a_work_dir_that_is_a_file_is_refused(run: list[str], tmp_path: Path) -> None:
    (tmp_path / "work").write_text("a file")
    assert_one_line(pedigree(*run), "pedigree run", "--work-dir", str(tmp_path / "work"))
    assert (tmp_path / "work").read_text() == "a file"


def test_a_work_dir_below_a_file_is_refused(digits_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    done = pedigree(
        "run", "--dataset", "digits", "--data-dir", str(digits_dir), "--work-dir", str(tmp_path / "file" / "w")
    )
    assert_one_line(done, "pedigree run", "--work-dir", str(tmp_path / "file"))


def test_a_damaged_dataset_info_is_refused_in_one_line(digits_copy: Path, tmp_path: Path) -> None:
    (digits_copy / "digits" / "1.0.0" / "dataset_info.json").write_text("{")
    done = pedigree("fingerprint", "--dataset", "digits", "--data-dir", str(digits_copy))
    assert_one_line(done, "pedigree fingerprint", "digits")


def test_a_missing_shard_is_refused_in_one_line(digits_copy: Path) -> None:
    shard = digits_copy / "digits" / "1.0.0" / "digits-train.tfrecord-00000-of-00001"
    shard.unlink()
    done = pedigree("fingerprint", "--dataset", "digits", "--data-dir", str(digits_copy))
    assert_one_line(done, "pedigree fingerprint", str(shard))


def test_the_fingerprint_is_one_line(digits_dir: Path) -> None:
    done = pedigree("fingerprint", "--dataset", "digits", "--data-dir", str(digits_dir))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("sha256:")
    assert done.stdout.count("\n") == 1


def test_a_dataset_that_is_not_prepared_has_no_fingerprint(tmp_path: Path) -> None:
    done = pedigree("fingerprint", "--dataset", "digits", "--data-dir", str(tmp_path))
    assert_one_line(done, "pedigree fingerprint", str(tmp_path), "'digits' is not prepared there")
    assert done.stdout == ""


def test_there_are_no_pages_without_a_registry(tmp_path: Path) -> None:
    done = pedigree("ui", "--work-dir", str(tmp_path / "work"))
    assert_one_line(done, "pedigree ui", "--work-dir", str(tmp_path / "work"), "pedigree run")
    assert not (tmp_path / "work").exists()


def test_the_dag_is_compiled_to_the_file_that_was_asked_for(tmp_path: Path) -> None:
    done = pedigree("compile", "--output", str(tmp_path / "folder" / "training.yaml"))
    assert (done.returncode, done.stderr) == (0, "")
    assert str(tmp_path / "folder" / "training.yaml") in done.stdout
    assert "pedigree-training" in (tmp_path / "folder" / "training.yaml").read_text()
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["training.yaml"]
