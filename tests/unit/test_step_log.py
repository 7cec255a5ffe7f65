"""What the steps print, split for two readers: the log file gets all, the terminal gets the story."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from pipelines.step_log import StepLog

# As kfp's local runner and a step print it: coloured, indented, bars redrawn with carriage returns.
OUTPUT = (
    "16:20:01.123 - INFO - Running pipeline: \x1b[95m'pedigree-training'\x1b[0m\n"
    "--------------------------------------------------------------------------------\n"
    "16:20:01.130 - INFO - Executing task \x1b[96m'train'\x1b[0m\n"
    "16:20:01.131 - INFO - Streamed logs:\n"
    "\n"
    "    [train] resnet50: 23,608,202 parameters, 176 steps on CPU\n"
    "    WARNING:absl:something that TensorFlow says\n"
    "    \repoch 1/8:   0%|          | 0/1408 [00:00<?, ? images/s]"
    "\repoch 1/8:  50%|█████     | 704/1408 [00:03<00:03, 200 images/s, loss=2.1]"
    "\repoch 1/8: 100%|██████████| 1408/1408 [00:07<00:00, 200 images/s, loss=1.9]\n"
    "    [train] epoch 1/8: loss 1.9012, accuracy 0.4021\n"
    "16:20:09.500 - INFO - Task \x1b[96m'train'\x1b[0m finished with status \x1b[92mSUCCESS\x1b[0m\n"
    "16:20:09.501 - INFO - Task \x1b[96m'train'\x1b[0m outputs:\n"
    "    model: Model( name='model', uri='/somewhere', metadata={} )\n"
)
STORY = [
    "▸ train",
    "  resnet50: 23,608,202 parameters, 176 steps on CPU",
    "  epoch 1/8: loss 1.9012, accuracy 0.4021",
]


class Terminal(io.StringIO):
    """A stream that is one."""

    def isatty(self) -> bool:
        return True


def told(text: str, log: Path, terminal: io.StringIO, piece: int = 0) -> StepLog:
    """Writes the text to a StepLog, whole or in pieces, and closes it."""
    with contextlib.closing(StepLog(log, terminal)) as step_log:
        for start in range(0, len(text), piece or len(text)):
            step_log.write(text[start : start + (piece or len(text))])
    return step_log


@pytest.mark.parametrize("piece", [0, 1, 7, 64])
def test_a_terminal_that_cannot_be_redrawn_gets_the_story_line_by_line(piece: int, tmp_path: Path) -> None:
    terminal = io.StringIO()
    told(OUTPUT, tmp_path / "run.log", terminal, piece)
    assert terminal.getvalue().splitlines() == STORY


def test_the_file_holds_every_line_without_colours(tmp_path: Path) -> None:
    told(OUTPUT, tmp_path / "folder" / "run.log", io.StringIO())
    text = (tmp_path / "folder" / "run.log").read_text()
    assert "\x1b" not in text
    assert "\r" not in text
    for line in (
        "16:20:01.130 - INFO - Executing task 'train'",
        "    WARNING:absl:something that TensorFlow says",
        "epoch 1/8:  50%|█████     | 704/1408 [00:03<00:03, 200 images/s, loss=2.1]",
        "16:20:09.500 - INFO - Task 'train' finished with status SUCCESS",
        "    model: Model( name='model', uri='/somewhere', metadata={} )",
    ):
        assert line in text.splitlines()


def test_the_file_keeps_what_earlier_executions_wrote(tmp_path: Path) -> None:
    told("first\n", tmp_path / "run.log", io.StringIO())
    told("second\n", tmp_path / "run.log", io.StringIO())
    assert (tmp_path / "run.log").read_text() == "first\nsecond\n"


def test_a_last_line_that_was_never_finished_is_in_the_file(tmp_path: Path) -> None:
    """A step that is killed in the middle of a line has often just said why."""
    told("a line\nFatal Python error: Segmentation fault", tmp_path / "run.log", io.StringIO())
    assert (tmp_path / "run.log").read_text().splitlines() == ["a line", "Fatal Python error: Segmentation fault"]


def test_a_terminal_sees_the_bar_redrawn_in_place_and_gone_before_the_next_line(tmp_path: Path) -> None:
    terminal = Terminal()
    told(OUTPUT, tmp_path / "run.log", terminal)
    shown = terminal.getvalue()
    assert len(re.findall(r"\r\x1b\[K  epoch 1/8: +\d+%\|", shown)) == 3
    assert as_seen(shown) == STORY


def as_seen(text: str) -> list[str]:
    """What stands on the lines of a terminal in the end: `\\r` goes to its start, `\\x1b[K` clears what follows."""
    lines = []
    for line in text.split("\n"):
        seen = ""
        for part in line.split("\r"):
            seen = part.removeprefix("\x1b[K") if part.startswith("\x1b[K") else part + seen[len(part) :]
        lines.append(seen)
    return lines[:-1] if lines[-1] == "" else lines


def test_a_steps_error_is_kept_for_the_end_and_not_shown_twice(tmp_path: Path) -> None:
    text = (
        "16:20:01.130 - INFO - Executing task \x1b[96m'ingest'\x1b[0m\n"
        "    [ingest] error: split 'nope': not a split of digits/1.0.0, which has train, test\n"
        "16:20:03.000 - INFO - Task \x1b[96m'ingest'\x1b[0m finished with status \x1b[91mFAILURE\x1b[0m\n"
    )
    terminal = io.StringIO()
    log = told(text, tmp_path / "run.log", terminal)
    assert (log.step, log.error) == ("ingest", "split 'nope': not a split of digits/1.0.0, which has train, test")
    assert terminal.getvalue().splitlines() == ["▸ ingest"]


def test_a_step_whose_earlier_result_is_used_is_told_and_takes_no_time(tmp_path: Path) -> None:
    terminal = io.StringIO()
    log = told("INFO:root:Task ingest cache hit, reusing outputs\n", tmp_path / "run.log", terminal)
    assert terminal.getvalue() == "▸ ingest: done before, its result is used\n"
    assert log.seconds == {"ingest": None}


def test_the_seconds_are_kept_a_step(tmp_path: Path) -> None:
    log = told(OUTPUT + OUTPUT.replace("'train'", "'evaluate'"), tmp_path / "run.log", io.StringIO())
    assert list(log.seconds) == ["train", "evaluate"]
    assert all(value is not None and 0 <= value < 60 for value in log.seconds.values())
    assert log.step == "evaluate"


def test_closing_twice_does_no_harm(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "run.log", io.StringIO())
    log.close()
    log.close()
