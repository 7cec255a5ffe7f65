"""Dependencies point one way. Read from the source, lazy imports inside functions included."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import components
import pipelines

ROOT = Path(components.__file__).parent.parent
MODULES = sorted([*Path(components.__file__).parent.rglob("*.py"), *Path(pipelines.__file__).parent.rglob("*.py")])
STEPS = ("ingest", "train", "evaluate", "registry", "claim")
# What may import these, as beginnings of module names. Everything else may not.
RESERVED = {
    "apache_beam": ("components.ingest.",),
    "tensorflow_datasets": ("components.ingest.",),
    "mlflow": ("components.registry.", "components.train.export", "components.train.served_classifier"),
    "tensorflow": ("components.vision.", "components.train.", "components.evaluate."),
    "keras": ("components.vision.", "components.train.", "components.evaluate."),
}
# Beside their shells, what the pipelines may know of the steps.
OPEN_TO_PIPELINES = (
    "components.contracts",
    "components.ingest.source",
    "components.ingest.splits",
    "components.train.config",
    "components.train.recipe",
)


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(tree: ast.AST, package: str) -> Iterator[str]:
    """Every module that the tree imports anywhere, `from a import b` as `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{package}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


TREES = {name_of(path): ast.parse(path.read_text()) for path in MODULES}
IMPORTS = {name: set(imports_of(tree, name)) for name, tree in TREES.items()}
SHELLS = [name for name in IMPORTS if name.startswith("components.") and name.endswith(".component")]


def each_of(*packages: str) -> pytest.MarkDecorator:
    """The test once for each module of the packages."""
    return pytest.mark.parametrize("module", sorted(name for name in IMPORTS if within(name, *packages)))


def ours(module: str) -> set[str]:
    """The modules of components and pipelines among its imports."""
    return {name for name in IMPORTS[module] if name.split(".")[0] in ("components", "pipelines")}


def test_the_modules_are_found() -> None:
    """Otherwise the tests below would hold of nothing."""
    assert {"components.train.train", "components.vision.resnet", "pipelines.training", "pipelines.cli"} <= set(IMPORTS)
    assert "components.ingest.ingest.ingest_dataset" in IMPORTS["components.ingest.component"]
    assert {shell.split(".")[1] for shell in SHELLS} == set(STEPS)


@each_of("components.contracts")
def test_contracts_import_the_standard_library_only(module: str) -> None:
    foreign = {name for name in IMPORTS[module] if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name for name in foreign if not within(name, "components.contracts")} == set()


@each_of("components.contracts", "components.vision", *(f"components.{step}" for step in STEPS))
def test_components_import_contracts_and_their_own_step(module: str) -> None:
    """Train and evaluate import vision too. None imports another step, none imports pipelines."""
    part = module.split(".")[1]
    shared = ["components.vision"] if part in ("train", "evaluate") else []
    foreign = {name for name in ours(module) if not within(name, "components.contracts", f"components.{part}", *shared)}
    assert foreign == set()


@pytest.mark.parametrize("library", RESERVED)
def test_a_heavy_library_is_imported_where_it_belongs_and_nowhere_else(library: str) -> None:
    importers = {module for module in IMPORTS if any(within(name, library) for name in IMPORTS[module])}
    assert importers
    assert {module for module in importers if not module.startswith(RESERVED[library])} == set()


def test_only_shells_and_pipelines_import_kfp() -> None:
    importers = {module for module in IMPORTS if any(within(name, "kfp") for name in IMPORTS[module])}
    assert set(SHELLS) <= importers
    assert {module for module in importers if module not in SHELLS and not within(module, "pipelines")} == set()


@each_of("pipelines")
def test_pipelines_know_of_components_the_shells_the_contracts_and_what_checks_a_request(module: str) -> None:
    assert {name for name in ours(module) if not within(name, "pipelines", *OPEN_TO_PIPELINES, *SHELLS)} == set()


@each_of("components", "pipelines")
def test_only_the_command_line_and_the_shells_read_the_environment(module: str) -> None:
    uses = {
        node.attr
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    } | {name.removeprefix("os.") for name in IMPORTS[module] if name.startswith("os.")}
    environment = uses & {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
    assert environment == set() or module == "pipelines.cli" or module in SHELLS


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_has_kfp_alone_at_module_level_and_its_own_core_inside(shell: str) -> None:
    """KFP takes the source of the function only: what stands beside it is not there when it runs."""
    tree = TREES[shell]
    assert isinstance(tree, ast.Module)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["from kfp import dsl"]
    others = [node for node in tree.body if node not in imports]
    assert others
    assert all(isinstance(node, ast.FunctionDef) for node in others)
    assert ours(shell)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_is_a_few_lines(shell: str) -> None:
    for function in ast.walk(TREES[shell]):
        if isinstance(function, ast.FunctionDef):
            statements = [node for node in ast.walk(function) if isinstance(node, ast.stmt)]
            assert len(statements) <= 20, function.name
