"""The trigger with KFP's own client, over HTTP, against a stand-in that keeps runs as KFP's API server does: names are
not unique there, and an answer may be lost after the work was done.
"""

import json
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest

from .conftest import PEDIGREE

pytestmark = pytest.mark.integration
EXPERIMENT = {"experiment_id": "1", "display_name": "pedigree-training"}


class KfpStandIn(ThreadingHTTPServer):
    """`runs` are what was created; `lose_answers` is how many answers to CreateRun are dropped after the work."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), KfpHandler)
        self.runs: list[dict[str, Any]] = []
        self.lose_answers = 0


class KfpHandler(BaseHTTPRequestHandler):
    server: KfpStandIn

    def do_GET(self) -> None:
        address = urlparse(self.path)
        if address.path.endswith("/healthz"):
            self.answer({"multi_user": False})
        elif address.path.endswith("/experiments"):
            self.answer({"experiments": [EXPERIMENT]})
        elif address.path.endswith("/runs"):
            (predicate,) = json.loads(parse_qs(address.query)["filter"][0])["predicates"]
            self.answer({"runs": [run for run in self.server.runs if run["display_name"] == predicate["stringValue"]]})
        else:
            self.send_error(404)

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not urlparse(self.path).path.endswith("/runs"):
            self.answer(EXPERIMENT)
            return
        self.server.runs.append({**content, "run_id": f"run-{len(self.server.runs) + 1}"})
        if self.server.lose_answers:
            self.server.lose_answers -= 1
            self.close_connection = True
            self.connection.close()
            return
        self.answer(self.server.runs[-1])

    def answer(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def kfp() -> Iterator[KfpStandIn]:
    server = KfpStandIn()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def trigger(kfp: KfpStandIn, data_dir: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(PEDIGREE), "trigger", "--dataset", "digits", "--data-dir", str(data_dir), "--image-size-px", "32"]
    command += ["--ledger", str(folder / "ledger"), "--run-root", str(folder / "runs"), "--mlflow-uri", "http://mlflow"]
    command += ["--kfp-host", f"http://127.0.0.1:{kfp.server_port}", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_a_refresh_gets_one_run_however_often_it_is_triggered(
    kfp: KfpStandIn, prepared_digits: Path, tmp_path: Path
) -> None:
    answers = [trigger(kfp, prepared_digits, tmp_path) for _ in range(3)]
    assert [answer.returncode for answer in answers] == [0, 0, 0], answers[0].stderr
    decisions = [json.loads(answer.stdout)["decision"] for answer in answers]
    assert decisions == ["submitted", "already submitted", "already submitted"]
    (run,) = kfp.runs
    parameters = run["runtime_config"]["parameters"]
    assert parameters["dataset"] == "digits"
    assert parameters["run_name"] == run["display_name"] == json.loads(answers[0].stdout)["run_name"]
    assert parameters["fingerprint"].startswith("sha256:")
    assert run["pipeline_spec"]["pipelineInfo"]["name"] == "pedigree-training"


def test_a_lost_answer_is_followed_by_a_look_and_never_by_a_second_run(
    kfp: KfpStandIn, prepared_digits: Path, tmp_path: Path
) -> None:
    kfp.lose_answers = 1
    answer = trigger(kfp, prepared_digits, tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout)["decision"] == "found"
    assert json.loads(trigger(kfp, prepared_digits, tmp_path).stdout)["decision"] == "already submitted"
    assert len(kfp.runs) == 1


def test_triggers_at_the_same_time_make_one_run(kfp: KfpStandIn, prepared_digits: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: trigger(kfp, prepared_digits, tmp_path), range(4)))
    assert len(kfp.runs) == 1
    for answer in answers:
        assert answer.returncode == 0 or "is at work on it" in answer.stderr


def test_a_dry_run_does_nothing(kfp: KfpStandIn, prepared_digits: Path, tmp_path: Path) -> None:
    answer = trigger(kfp, prepared_digits, tmp_path, "--dry-run")
    assert json.loads(answer.stdout)["decision"] == "would submit"
    assert kfp.runs == []
    assert not (tmp_path / "ledger").exists()


def test_a_cluster_that_does_not_answer_is_one_line(kfp: KfpStandIn, prepared_digits: Path, tmp_path: Path) -> None:
    answer = trigger(kfp, prepared_digits, tmp_path, "--kfp-host", "http://127.0.0.1:9")
    assert answer.returncode == 2
    (line,) = answer.stderr.splitlines()
    assert line.startswith("pedigree trigger: error: KFP at http://127.0.0.1:9 does not answer")
    assert json.loads(trigger(kfp, prepared_digits, tmp_path).stdout)["decision"] == "submitted", "nothing was lost"
