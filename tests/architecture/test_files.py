"""A place for everything: one concept a file, with a name that says which."""

from pathlib import Path

import pytest

import components
import pipelines

MAX_LINES = 250
MEDIAN_LINES = 120
SAYS_NOTHING = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
FOLDERS = [Path(components.__file__).parent, Path(pipelines.__file__).parent]
MODULES = [
    pytest.param(path, id=path.relative_to(folder.parent).as_posix())
    for folder in FOLDERS
    for path in sorted(folder.rglob("*.py"))
]


def num_lines(path: Path) -> int:
    return len(path.read_text().splitlines())


@pytest.mark.parametrize("path", MODULES)
def test_no_module_is_named_after_nothing(path: Path) -> None:
    words = {word for part in (path.stem, path.parent.name) for word in part.split("_")}
    assert words & SAYS_NOTHING == set()


@pytest.mark.parametrize("path", MODULES)
def test_no_module_is_longer_than_a_sitting(path: Path) -> None:
    assert num_lines(path) <= MAX_LINES


def test_half_of_the_modules_are_short() -> None:
    lengths = sorted(num_lines(path) for folder in FOLDERS for path in folder.rglob("*.py"))
    assert len(lengths) > 30
    assert lengths[len(lengths) // 2] <= MEDIAN_LINES


@pytest.mark.parametrize("path", MODULES)
def test_every_module_says_first_what_it_is(path: Path) -> None:
    if path.name != "component.py":  # KFP wants the function alone
        assert path.read_text().startswith('"""')
