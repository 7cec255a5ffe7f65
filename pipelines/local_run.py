"""`pedigree run`: one refresh, once, through the whole DAG on this machine."""

import contextlib
import logging
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TextIO

from components.contracts.claim import Attempt, Claim
from components.contracts.evaluation_report import REPORT_FILE, EvaluationReport
from components.contracts.registered_version import VERSION_FILE, RegisteredVersion
from components.contracts.strict_json import load
from pipelines import PIPELINE_NAME
from pipelines.ledger import Ledger, utc_now
from pipelines.prepared import prepared_source
from pipelines.processes import end_children, end_leftovers
from pipelines.run_request import RunParameters
from pipelines.step_errors import StepFailedError, StepFaultError
from pipelines.step_log import StepLog
from pipelines.summary import RunResult, already_run, summary
from pipelines.work_dir import WorkDir, check_free_space, shown

STEPS_FOLDER = "steps"
FINISHED_FOLDER = "finished"
INTERRUPTED = "interrupted"
CUT_OFF = "cut off"


@dataclass(frozen=True)
class LocalRun:
    """What `pedigree run` was asked for."""

    parameters: RunParameters
    data_dir: Path
    manual_dir: Path | None
    mlflow_uri: str
    model_name: str
    force: bool


def run_locally(request: LocalRun, work: WorkDir, terminal: TextIO) -> None:
    """Runs the DAG for the dataset's present refresh, unless that was done; prints the story and the summary.

    A run that failed or was cut off goes on where it can. Raises PedigreeError with one line where the user can mend
    it, KeyboardInterrupt where the user ended it, and StepFaultError where a step is at fault.
    """
    with contextlib.closing(StepLog(work.root / "prepare.log", terminal)) as log:
        source = prepared_source(request.parameters.dataset, request.data_dir, request.manual_dir, log)
    request.parameters.check(source)
    fingerprint = source.fingerprint()
    ledger = Ledger(work.ledger, PIPELINE_NAME)
    with ledger.exclusive(fingerprint):
        claim = ledger.find(fingerprint)
        if claim and claim.attempts[-1].state == "succeeded" and not request.force:
            terminal.write(already_run(claim, _parameters_text(request), work))
            return
        check_free_space(work)
        claim = _attempt(claim, ledger, fingerprint, source.full_name, request, work, terminal)
        _execute(claim, ledger, request, work, terminal)


def _attempt(
    claim: Claim | None,
    ledger: Ledger,
    fingerprint: str,
    dataset: str,
    request: LocalRun,
    work: WorkDir,
    terminal: TextIO,
) -> Claim:
    """The attempt to work on: the first, another one, or the last one again where it did not end well."""
    parameters = _parameters_text(request)
    if claim is None:
        return ledger.claim(fingerprint, dataset, parameters)
    last = claim.attempts[-1]
    if last.state != "succeeded":
        terminal.write(f"run {last.run_name} {_how_it_ended(last)}\n")
        end_leftovers(work.run(last.run_name) / STEPS_FOLDER)
        if last.parameters == parameters and not request.force:
            terminal.write("going on with it\n")
            ledger.release_owner(last.run_name)  # nobody is left: `exclusive` is ours, and its steps have ended
            return claim
        if last.state != "failed":
            claim = ledger.advance(claim, state="failed", finished_at=utc_now(), error=CUT_OFF)
    return ledger.claim_again(claim, parameters)


def _how_it_ended(attempt: Attempt) -> str:
    error = attempt.error if attempt.state == "failed" else CUT_OFF
    return f"was {error}" if error in (INTERRUPTED, CUT_OFF) else f"failed ({error})"


def _execute(claim: Claim, ledger: Ledger, request: LocalRun, work: WorkDir, terminal: TextIO) -> None:
    run_name = claim.attempts[-1].run_name
    run_dir = work.run(run_name)
    claim = ledger.advance(claim, state="running", finished_at=None, failed_step=None, error=None)
    terminal.write(f"run {run_name}: {claim.dataset}, fingerprint {claim.fingerprint}\n")
    with contextlib.closing(StepLog(run_dir / "run.log", terminal)) as log:
        try:
            folders = _run_dag(claim, request, work, run_dir, log)
            report = load(EvaluationReport, folders["report"] / REPORT_FILE)
            version = load(RegisteredVersion, run_dir / VERSION_FILE) if report.blessed else None
        except BaseException as error:
            end_children()
            failure = _failure(error, log)
            if log.damaged:  # by a result that an earlier step left: all of them are made again
                shutil.rmtree(run_dir / FINISHED_FOLDER, ignore_errors=True)
            with contextlib.suppress(OSError):  # a full disk must not hide what it has caused
                ledger.advance(claim, state="failed", finished_at=utc_now(), failed_step=log.step, error=str(failure))
            raise failure from error
        _remove_leftovers(run_dir, folders)
        claim = ledger.advance(
            claim,
            state="succeeded",
            finished_at=utc_now(),
            blessed=report.blessed,
            model_version=version and version.version,
        )
        terminal.write(summary(RunResult(claim, report, version, folders, log.seconds), work))


def _failure(error: BaseException, log: StepLog) -> BaseException:
    """What to tell the user: the step's own line where it left one, otherwise where to read more."""
    if isinstance(error, KeyboardInterrupt):
        return KeyboardInterrupt(INTERRUPTED)
    if log.error:
        # What ingest reads is tfds' own, which no call of ours makes again.
        remedy = "; the next call makes it again" if log.damaged and log.step != "ingest" else ""
        return StepFailedError(f"{log.step}: {log.error}{remedy}")
    if isinstance(error, RuntimeError):  # kfp's word for a step that ended with another exit code than 0
        return StepFaultError(f"{log.step} broke off; {shown(log.path)} says more")
    return error


def _run_dag(claim: Claim, request: LocalRun, work: WorkDir, run_dir: Path, log: StepLog) -> dict[str, Path]:
    """The folders that ingest, train and evaluate left, by the names of the DAG's outputs."""
    from kfp import local

    from pipelines.training import training

    # What steps finished in an earlier, cut-off execution of this very run is not done again.
    local.init(
        runner=local.SubprocessRunner(use_venv=False),
        pipeline_root=str(run_dir / STEPS_FOLDER),
        workspace_root=str(run_dir / "workspace"),  # which kfp removes; its own choice in /tmp outlives a kill
        enable_caching=True,
        cache_root=str(run_dir / FINISHED_FOLDER),
    )
    with contextlib.redirect_stdout(log), _logged_to(log):
        task = training(
            **asdict(request.parameters),
            data_dir=str(request.data_dir.absolute()),
            fingerprint=claim.fingerprint,
            run_name=claim.attempts[-1].run_name,
            ledger=str(work.ledger),
            run_dir=str(run_dir),
            mlflow_uri=request.mlflow_uri,
            model_name=request.model_name,
        )
    return {name: _linked(run_dir / name, Path(artifact.path)) for name, artifact in task.outputs.items()}


def _remove_leftovers(run_dir: Path, folders: dict[str, Path]) -> None:
    """The checkpoints, four times the weights, and what executions that were cut off had put out."""
    shutil.rmtree(run_dir / "checkpoints", ignore_errors=True)
    steps = run_dir / STEPS_FOLDER
    used = {folder.resolve().relative_to(steps.resolve()).parts[0] for folder in folders.values()}
    for execution in steps.iterdir():
        if execution.name not in used:
            shutil.rmtree(execution, ignore_errors=True)


def _linked(link: Path, folder: Path) -> Path:
    """A short name for what a step left in a folder with a long one."""
    link.unlink(missing_ok=True)
    link.symlink_to(folder.relative_to(link.parent))
    return link


@contextlib.contextmanager
def _logged_to(log: StepLog) -> Iterator[None]:
    """The runner says with `logging`, beside what it prints, which steps it takes from an earlier execution."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    root.handlers, root.level = [logging.StreamHandler(log)], logging.INFO
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level


def _parameters_text(request: LocalRun) -> dict[str, str]:
    return request.parameters.as_text(request.mlflow_uri, request.model_name)
