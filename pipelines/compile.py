"""The DAG as the package that KFP takes: IR YAML, byte for byte the same each time."""

import tempfile
from pathlib import Path

from kfp import compiler

from pipelines.training import training


def compile_pipeline(target: Path) -> None:
    """Writes the IR YAML to `target`, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".compile-") as folder:
        package = Path(folder) / "package.yaml"
        compiler.Compiler().compile(training, str(package))
        package.replace(target)
