"""What the steps print, for two readers: everything for the log file, the story for the terminal."""

import io
import re
import time
from pathlib import Path
from typing import TextIO

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
STARTED = re.compile(r"Executing task '([^']+)'")
FINISHED = re.compile(r"Task '([^']+)' finished with status (SUCCESS|FAILURE)")
REUSED = re.compile(r"Task (\S+) cache hit")
STORY = re.compile(r"\[([a-z-]+)\] (.*)")  # what components.contracts.step_console.say prints
FAILURE = re.compile(r"(error|damaged): (.*)")  # what one_line_errors makes of an error
PROGRESS = re.compile(r"(epoch \d+/\d+|test split|Dl |Extraction|Generating ).*\d+%\|.*\|")  # our bars and tfds' own
SECONDS_OF_SILENCE = 10.0  # after which a bar is shown where the output is no terminal and cannot be redrawn


class StepLog(io.TextIOBase):
    """A text stream that takes the local runner's output and shows each step's start, bar, story, error and end."""

    def __init__(self, log: Path, terminal: TextIO) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.path = log
        self.seconds: dict[str, float | None] = {}  # None: what an earlier run had left was used
        self.error: str | None = None
        self.damaged = False  # whether the error is that an earlier step's result is not whole any more
        self.step: str | None = None  # the one that failed, or the last one that was at work
        self._file = log.open("a")
        self._terminal = terminal
        self._line = ""
        self._bar_shown = False
        self._shown_at = time.monotonic()
        self._started_at = 0.0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        """Takes any piece of output; acts on each line as it is complete."""
        *lines, self._line = (self._line + text).replace("\r", "\n").split("\n")
        for line in lines:
            self._take(ANSI.sub("", line).rstrip())
        return len(text)

    def close(self) -> None:
        if not self.closed:
            if self._line:
                self.write("\n")
            self._file.close()
        super().close()

    def _take(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()
        text = line.strip()
        if match := STARTED.search(text):
            self.step, self._started_at = match[1], time.monotonic()
            self._show(f"▸ {self.step}")
        elif match := REUSED.search(text):
            self.step = match[1]
            self.seconds[self.step] = None
            self._show(f"▸ {self.step}: done before, its result is used")
        elif match := FINISHED.search(text):
            self.seconds[match[1]] = time.monotonic() - self._started_at
        elif match := STORY.fullmatch(text):
            if failure := FAILURE.fullmatch(match[2]):
                self.step, self.damaged, self.error = match[1], failure[1] == "damaged", failure[2]
            else:
                self._show(f"  {match[2]}")
        elif PROGRESS.search(text):
            self._show_bar(text)

    def _show(self, text: str) -> None:
        self._terminal.write(f"\r\x1b[K{text}\n" if self._bar_shown else f"{text}\n")
        self._terminal.flush()
        self._bar_shown = False
        self._shown_at = time.monotonic()

    def _show_bar(self, text: str) -> None:
        if self._terminal.isatty():
            self._terminal.write(f"\r\x1b[K  {text}")
            self._terminal.flush()
            self._bar_shown = True
        elif time.monotonic() - self._shown_at > SECONDS_OF_SILENCE:
            self._show(f"  {text}")
