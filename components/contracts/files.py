"""Files that are whole or absent, whatever is killed in between."""

import contextlib
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

BYTECODE_FOLDER = "__pycache__"


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces `path` by `content` in one step: a temporary file beside it, fsync, rename, fsync of the folder."""
    with _synced_temporary(path, content) as temporary:
        temporary.replace(path)
    sync_folder(path.parent)


def create_exclusively(path: Path, content: bytes) -> bool:
    """Creates `path` with `content`, durably; False, and nothing written, where it exists already.

    A hard link to a finished temporary file, rather than O_EXCL and a write: nobody ever reads half a file.
    """
    with _synced_temporary(path, content) as temporary:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
    sync_folder(path.parent)
    return True


@contextlib.contextmanager
def _synced_temporary(path: Path, content: bytes) -> Iterator[Path]:
    """A file beside `path` that holds `content` durably, and is gone afterwards where nobody renamed it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    except OSError as error:
        error.filename = error.filename or str(path)  # a failed write does not say which file
        raise
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Makes renames and new names in `folder` durable (POSIX asks for an fsync of the folder itself)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of_file(path: Path) -> str:
    """`sha256:` and 64 hexadecimal digits."""
    with path.open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def sha256_of_folder(folder: Path) -> str:
    """A digest of every file's relative path and content below `folder`, whatever their times and order.

    Without bytecode caches, which Python leaves beside whatever it imports.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        if BYTECODE_FOLDER not in name.parts:
            digest.update(f"{name.as_posix()}\0{sha256_of_file(path)}\n".encode())
    return f"sha256:{digest.hexdigest()}"
