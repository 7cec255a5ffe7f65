"""Files that are whole or absent, and digests of folders."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.contracts.files import create_exclusively, sha256_of_file, sha256_of_folder, write_atomically

# Each waits for the starting shot, then creates the same file with a megabyte of its own letter.
RACER = """
import sys, time
from pathlib import Path
from components.contracts.files import create_exclusively
target, shot, ready, letter = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
ready.touch()
while not shot.exists():
    time.sleep(0.001)
print(create_exclusively(target, letter.encode() * (1 << 20)))
"""
# The kernel lets this process write 1,000 bytes a file, as a full disk would let it write what is left.
WRITER_ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from components.contracts.files import create_exclusively, write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
{"write": write_atomically, "create": create_exclusively}[sys.argv[2]](Path(sys.argv[1]), b"x" * 2000)
"""


def test_a_file_is_written_with_its_folders_and_nothing_beside_it(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b" / "file", b"content")
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*"))] == ["a", "a/b", "a/b/file"]
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"content"


def test_a_file_is_replaced_and_a_reader_of_the_old_one_keeps_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old content")
    with path.open("rb") as reader:
        write_atomically(path, b"new")
        assert reader.read() == b"old content"
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("way", ["write", "create"])
def test_a_write_that_fails_leaves_what_was_there_and_no_half_file(way: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    if way == "write":
        path.write_bytes(b"old")
    command = [sys.executable, "-c", WRITER_ON_A_FULL_DISK, str(path), way]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "File too large" in done.stderr
    assert {item.name: item.read_bytes() for item in tmp_path.iterdir()} == ({"file": b"old"} if way == "write" else {})


def test_a_file_is_created_once_and_kept(tmp_path: Path) -> None:
    assert create_exclusively(tmp_path / "folder" / "file", b"first") is True
    assert create_exclusively(tmp_path / "folder" / "file", b"second") is False
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["file"]
    assert (tmp_path / "folder" / "file").read_bytes() == b"first"


def test_of_sixteen_processes_one_creates_the_file_and_it_is_whole(tmp_path: Path) -> None:
    folder, shot = tmp_path / "folder", tmp_path / "shot"
    folder.mkdir()
    letters = "abcdefghijklmnop"
    racers = {
        letter: subprocess.Popen(
            [sys.executable, "-c", RACER, str(folder / "file"), str(shot), str(tmp_path / f"ready-{letter}"), letter],
            stdout=subprocess.PIPE,
            text=True,
        )
        for letter in letters
    }
    try:
        while not all((tmp_path / f"ready-{letter}").exists() for letter in letters):
            assert all(racer.poll() is None for racer in racers.values()), "a racer ended before the start"
            time.sleep(0.01)
    finally:
        shot.touch()
    said = {letter: racer.communicate(timeout=60)[0].strip() for letter, racer in racers.items()}
    assert sorted(said.values()) == ["False"] * 15 + ["True"]
    winner = next(letter for letter in letters if said[letter] == "True")
    assert (folder / "file").read_bytes() == winner.encode() * (1 << 20)
    assert [path.name for path in folder.iterdir()] == ["file"]


def test_the_digest_of_a_file_is_the_sha256_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    wanted = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of_file(tmp_path / "file") == wanted


def make_folder(folder: Path, names: list[str]) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(f"content of {name}".encode())
    return folder


NAMES = ["b", "a", "sub/c", "sub/deeper/d"]


def test_the_digest_of_a_folder_knows_neither_times_nor_order_nor_the_folders_own_name(tmp_path: Path) -> None:
    one, other = make_folder(tmp_path / "one", NAMES), make_folder(tmp_path / "other", NAMES[::-1])
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    assert sha256_of_folder(one) == sha256_of_folder(other)


@pytest.mark.parametrize("change", ["rename", "move", "content", "swap", "add", "remove"])
def test_the_digest_of_a_folder_changes_with_any_name_and_any_content(change: str, tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "folder", NAMES)
    before = sha256_of_folder(folder)
    if change == "rename":
        (folder / "a").rename(folder / "e")
    elif change == "move":
        (folder / "sub" / "c").rename(folder / "c")
    elif change == "content":
        (folder / "a").write_bytes(b"content of A")
    elif change == "swap":
        (folder / "a").write_bytes(b"content of b")
        (folder / "b").write_bytes(b"content of a")
    elif change == "add":
        (folder / "empty").touch()
    else:
        (folder / "a").unlink()
    assert sha256_of_folder(folder) != before
