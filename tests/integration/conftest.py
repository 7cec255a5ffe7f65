"""Real servers and real processes, on loopback, each ended by the fixture that started it."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

PEDIGREE = Path(sys.executable).parent / "pedigree"
MINIATURE = (
    *("--dataset", "digits", "--image-size-px", "32", "--batch-size", "64", "--blessing-threshold", "0"),
    *("--train-split", "train[:128]", "--validation-split", "test[:32]", "--test-split", "test[32:96]"),
)
SERVER_START_SECONDS = 120


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def prepared_digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data_dir = tmp_path_factory.mktemp("tfds")
    command = [sys.executable, "-m", "components.ingest.prepare", "--dataset", "digits", "--data-dir", str(data_dir)]
    subprocess.run(command, check=True, capture_output=True)
    return data_dir


@pytest.fixture
def mlflow_server(tmp_path: Path) -> Iterator[str]:
    """The address of a real `mlflow server` on SQLite, that keeps the artifacts itself."""
    uri = f"http://127.0.0.1:{free_port()}"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", uri.rpartition(":")[2]]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{tmp_path}/server.db"]
    command += ["--artifacts-destination", str(tmp_path / "server-artifacts")]
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            _wait_for(f"{uri}/health", server)
            yield uri
        finally:
            server.terminate()
            server.wait(timeout=30)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SERVER_START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError(f"{address} did not answer")
