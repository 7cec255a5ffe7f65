"""The command line. Nothing heavy is imported before a command needs it: `--help` must answer at once."""

import errno
import json
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from components.contracts.errors import PedigreeError
from components.contracts.step_console import EXIT_CODE_FOR_INPUT, USERS_ERRNOS
from pipelines.step_errors import StepFaultError

DEFAULT_WORK_DIR = Path("pedigree-work")
EXIT_CODE_FOR_FAULT = 1
EXIT_CODE_FOR_INTERRUPT = 130
USERS_PATH_ERRNOS = (*USERS_ERRNOS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="pedigree")
def cli() -> None:
    """Every model with its papers: a refreshed image dataset becomes a reviewable model version.

    \b
    Examples:
      pedigree run --dataset digits --image-size-px 32     the whole pipeline, on this machine
      pedigree ui                                          the registry's pages
      pedigree compile --output training.yaml              the package for a KFP cluster
    """


def dataset_options(command: Any) -> Any:
    """What both a local run and a trigger take: the parameters of the DAG."""
    for option in reversed(
        (
            click.option("--dataset", default="stanford_dogs", show_default=True, help="A tfds name."),
            click.option(
                "--data-dir", type=click.Path(path_type=Path), help="Where tfds prepared it; `run` prepares it there."
            ),
            click.option("--train-split", default="", help="tfds split expression [default: the dataset's own]."),
            click.option("--validation-split", default="", help="Likewise [default: its own, or test[:10%]]."),
            click.option("--test-split", default="", help="Likewise [default: its own, or test[10%:]]."),
            click.option("--recipe", default="default", show_default=True, help="Name of the training recipe."),
            click.option("--image-size-px", default=224, show_default=True, help="What the network sees; at least 32."),
            click.option("--num-epochs", default=20, show_default=True, help="Passes over the train split."),
            click.option("--batch-size", default=64, show_default=True, help="Examples a step."),
            click.option("--seed", default=0, show_default=True, help="Of the first weights and the data's order."),
            click.option(
                "--blessing-threshold",
                default=0.5,
                show_default=True,
                help="The least top-1, in [0, 1], of a model that is registered.",
            ),
            click.option("--model-name", help="In the registry [default: pedigree-DATASET]."),
        )
    ):
        command = option(command)
    return command


WORK_DIR = click.option(
    "--work-dir",
    type=click.Path(path_type=Path),
    default=DEFAULT_WORK_DIR,
    show_default=True,
    help="Where all that a local run makes is kept.",
)


@cli.command(short_help="Run the whole pipeline on this machine, once per refresh.")
@dataset_options
@WORK_DIR
@click.option(
    "--manual-dir", type=click.Path(path_type=Path), help="Files that tfds shall take instead of downloading."
)
@click.option("--mlflow-uri", help="An MLflow server [default: embedded, in the work directory].")
@click.option("--force", is_flag=True, help="Run again, though this refresh was run.")
def run(
    data_dir: Path | None,
    work_dir: Path,
    manual_dir: Path | None,
    mlflow_uri: str | None,
    model_name: str | None,
    force: bool,
    **parameters: Any,
) -> None:
    """Run the whole pipeline on this machine, once per dataset refresh.

    A second call answers "already run". A run that failed or was cut off goes on where it can.

    \b
    Examples:
      pedigree run --dataset digits --image-size-px 32 --num-epochs 8 --blessing-threshold 0.95
      pedigree run --dataset fashion_mnist --manual-dir downloads --train-split 'train[:2000]' --image-size-px 32
      pedigree run --dataset stanford_dogs --mlflow-uri http://mlflow.example:5000
    """
    from pipelines.local_run import LocalRun, run_locally
    from pipelines.run_request import RunParameters, default_model_name
    from pipelines.work_dir import open_work_dir

    work = open_work_dir(work_dir)
    request = LocalRun(
        parameters=RunParameters(**parameters),
        data_dir=data_dir or work.tfds,
        manual_dir=manual_dir,
        mlflow_uri=mlflow_uri or work.mlflow_uri,
        model_name=model_name or default_model_name(parameters["dataset"]),
        force=force,
    )
    run_locally(request, work, sys.stdout)


@cli.command("compile", short_help="Write the DAG as the package for a KFP cluster.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("training.yaml"),
    show_default=True,
    help="The file to write.",
)
def compile_command(output: Path) -> None:
    """Write the DAG as the IR YAML package that a KFP cluster takes.

    \b
    Examples:
      pedigree compile --output training.yaml
      kfp pipeline create training.yaml --pipeline-name pedigree-training
    """
    from pipelines.compile import compile_pipeline

    compile_pipeline(output)
    click.echo(f"{output}: {output.stat().st_size:,} bytes")


@cli.command(short_help="Submit one run to a KFP cluster per dataset refresh.")
@dataset_options
@click.option("--ledger", type=click.Path(path_type=Path), required=True, help="Folder of the run ledger.")
@click.option("--run-root", type=click.Path(path_type=Path), required=True, help="Folder of the runs' checkpoints.")
@click.option("--mlflow-uri", required=True, help="The MLflow server that the steps use.")
@click.option("--kfp-host", required=True, help="The KFP API server.")
@click.option("--kfp-token", envvar="PEDIGREE_KFP_TOKEN", help="A bearer token; better in PEDIGREE_KFP_TOKEN.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def trigger(data_dir: Path | None, model_name: str | None, **options: Any) -> None:
    """Submit one run to a KFP cluster per dataset refresh.

    Meant for a CronJob: prints one line of JSON, and a refresh that has its run gets no second one. The folders must
    be the same ones that the cluster's pods see.

    \b
    Example:
      pedigree trigger --dataset stanford_dogs --data-dir /data/tfds --ledger /data/ledger --run-root /data/runs \\
          --mlflow-uri http://mlflow:5000 --kfp-host http://ml-pipeline:8888
    """
    from pipelines.run_request import RunParameters, default_model_name
    from pipelines.trigger import TriggerRequest
    from pipelines.trigger import trigger as trigger_run

    if data_dir is None:
        raise click.MissingParameter(param_hint="--data-dir", param_type="option")
    names = RunParameters.__dataclass_fields__.keys()
    parameters = RunParameters(**{name: options.pop(name) for name in names})
    model_name = model_name or default_model_name(parameters.dataset)
    request = TriggerRequest(parameters=parameters, data_dir=data_dir, model_name=model_name, **options)
    click.echo(json.dumps(trigger_run(request)))


@cli.command(short_help="Print the identity of a prepared dataset.")
@click.option("--dataset", required=True, help="A tfds name.")
@click.option("--data-dir", type=click.Path(path_type=Path), required=True, help="Where tfds prepared it.")
def fingerprint(dataset: str, data_dir: Path) -> None:
    """Print the identity of a prepared dataset: of its bytes, never of its folder or its times.

    \b
    Example:
      pedigree fingerprint --dataset digits --data-dir pedigree-work/tfds
    """
    from components.ingest.source import require_source

    click.echo(require_source(dataset, data_dir).fingerprint())


@cli.command()
@WORK_DIR
@click.option("--port", default=5000, show_default=True, help="On this machine only.")
def ui(work_dir: Path, port: int) -> NoReturn:
    """Serve the embedded MLflow's pages, until Ctrl-C.

    \b
    Example:
      pedigree ui --port 5000      then open http://127.0.0.1:5000
    """
    from components.contracts.errors import InputError
    from pipelines.work_dir import WorkDir

    work = WorkDir(work_dir.absolute())
    if not (work.root / "mlflow" / "mlflow.db").exists():
        raise InputError(f"--work-dir: {work_dir} holds no registry yet; `pedigree run` makes it")
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    os.execv(sys.executable, [*command, "--backend-store-uri", work.mlflow_uri])


# The steps inherit these: no start-up messages of TensorFlow's in the story, nothing reported to MLflow's makers.
QUIET_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "2", "MLFLOW_DISABLE_TELEMETRY": "true"}


def main() -> NoReturn:
    """Runs the command line; a mistake of the user's is one line on standard error and exit code 2."""
    for name, value in QUIET_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # what came of its retries is told in a line
    signal.signal(signal.SIGTERM, _interrupt)
    command = f"pedigree {sys.argv[1]}" if len(sys.argv) > 1 and sys.argv[1] in cli.commands else "pedigree"
    try:
        sys.exit(cli(standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "")
        sys.exit(EXIT_CODE_FOR_INPUT)
    except click.ClickException as error:
        _fail(command, error.format_message())
    except PedigreeError as error:
        _fail(command, str(error))
    except OSError as error:
        if error.errno not in USERS_PATH_ERRNOS or not error.filename:
            raise
        _fail(command, f"{error.filename}: {error.strerror}")
    except StepFaultError as error:
        click.echo(f"{command}: {error}", err=True)
        sys.exit(EXIT_CODE_FOR_FAULT)
    except (KeyboardInterrupt, click.Abort):
        click.echo(f"\n{command}: interrupted; the next call goes on", err=True)
        sys.exit(EXIT_CODE_FOR_INTERRUPT)


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _fail(command: str, message: str) -> NoReturn:
    click.echo(f"{command}: error: {' '.join(message.split())}", err=True)
    sys.exit(EXIT_CODE_FOR_INPUT)


if __name__ == "__main__":
    main()
