"""The DAG as the package that KFP takes: IR YAML, byte for byte the same each time."""

from pathlib import Path

from kfp import compiler

from pipelines.training import training


def compile_pipeline(target: Path) -> None:
    """Writes the IR YAML to `target`, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.stem}.yaml")  # the compiler goes by the ending
    compiler.Compiler().compile(training, str(temporary))
    temporary.replace(target)
