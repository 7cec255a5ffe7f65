"""The package that a KFP cluster takes: always the same bytes, whichever way it is compiled."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kfp import components

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden" / "training.yaml"
SCRIPTS = Path(sys.executable).parent


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("package") / "training.yaml"
    subprocess.run([SCRIPTS / "pedigree", "compile", "--output", path], check=True, cwd=path.parent)
    return path


def test_the_package_is_the_golden_one(package: Path) -> None:
    assert package.read_text() == GOLDEN.read_text(), "an intended change? make golden"


def test_two_compiles_give_the_same_bytes(package: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.yaml"
    subprocess.run([SCRIPTS / "pedigree", "compile", "--output", again], check=True)
    assert again.read_bytes() == package.read_bytes()


def test_kfp_s_own_compiler_agrees(package: Path, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs.yaml"
    command = [SCRIPTS / "kfp", "dsl", "compile", "--py", ROOT / "pipelines" / "training.py", "--output", theirs]
    subprocess.run(command, check=True, capture_output=True)
    assert theirs.read_bytes() == package.read_bytes()


def test_kfp_loads_the_package(package: Path) -> None:
    loaded = components.load_component_from_file(str(package))
    assert loaded.name == "pedigree-training"
    assert {
        "dataset",
        "train_split",
        "recipe",
        "num_epochs",
        "blessing_threshold",
    } <= loaded.component_spec.inputs.keys()


def test_every_parameter_is_described(package: Path) -> None:
    parameters = yaml.safe_load(package.read_text())["root"]["inputDefinitions"]["parameters"]
    assert [name for name, parameter in parameters.items() if not parameter.get("description")] == []


def test_claim_and_register_are_never_taken_from_the_cache(package: Path) -> None:
    content = yaml.safe_load(package.read_text())
    dags = [content["root"]["dag"], *(part["dag"] for part in content["components"].values() if "dag" in part)]
    cached = {
        name: task["cachingOptions"].get("enableCache", False)
        for dag in dags
        for name, task in dag["tasks"].items()
        if "condition" not in name
    }
    assert cached == {
        "claim": False,
        "resolve-champion": False,
        "ingest": True,
        "train": True,
        "evaluate": True,
        "register": False,
    }
