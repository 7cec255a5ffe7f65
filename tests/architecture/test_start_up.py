"""What starts without TensorFlow, whose import takes seconds and a gigabyte: seen in processes of their own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("tensorflow", "keras", "jax", "torch", "apache_beam", "mlflow", "tensorflow_datasets", "kfp")
# Runs a command line in this very process, then tells which modules it left behind.
COMMAND = """
import json, sys
from pipelines.cli import main
sys.argv = ["pedigree", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    print("MODULES", json.dumps({"code": end.code, "modules": sorted(sys.modules)}))
"""
IMPORT = """
import importlib, json, sys
importlib.import_module(sys.argv[1])
print("MODULES", json.dumps({"code": 0, "modules": sorted(sys.modules)}))
"""


def heavy_modules(source: str, *arguments: str) -> set[str]:
    """Which of the heavy libraries the process had imported when it ended well."""
    done = subprocess.run(
        [sys.executable, "-c", source, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    told = json.loads(done.stdout.rpartition("MODULES ")[2])
    assert told["code"] in (0, None), done.stderr
    return set(HEAVY) & set(told["modules"])


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["compile", "--help"], ["trigger", "--help"], ["--version"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    assert heavy_modules(COMMAND, *arguments) == set()


def test_compile_imports_kfp_and_no_step(tmp_path: Path) -> None:
    assert heavy_modules(COMMAND, "compile", "--output", str(tmp_path / "training.yaml")) == {"kfp"}


def test_fingerprint_imports_tfds_without_tensorflow(tmp_path: Path) -> None:
    """A made-up dataset of no records will do: it is read as any other."""
    folder = tmp_path / "blank" / "1.0.0"
    folder.mkdir(parents=True)
    package = "tensorflow_datasets.core.features"
    features = {
        "pythonClassName": f"{package}.features_dict.FeaturesDict",
        "featuresDict": {
            "features": {
                "image": {
                    "pythonClassName": f"{package}.image_feature.Image",
                    "image": {"shape": {"dimensions": ["8", "8", "1"]}, "dtype": "uint8", "encodingFormat": "png"},
                },
                "label": {
                    "pythonClassName": f"{package}.class_label_feature.ClassLabel",
                    "classLabel": {"numClasses": "2"},
                },
            }
        },
    }
    split = {
        "name": "train",
        "shardLengths": ["0"],
        "numBytes": "0",
        "filepathTemplate": "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}",
    }
    info = {"name": "blank", "version": "1.0.0", "fileFormat": "tfrecord", "splits": [split]}
    (folder / "features.json").write_text(json.dumps(features))
    (folder / "dataset_info.json").write_text(json.dumps(info))
    (folder / "label.labels.txt").write_text("no\nyes\n")
    (folder / "blank-train.tfrecord-00000-of-00001").touch()
    imported = heavy_modules(COMMAND, "fingerprint", "--dataset", "blank", "--data-dir", str(tmp_path))
    assert imported == {"tensorflow_datasets"}


@pytest.mark.parametrize(
    ("module", "wanted"),
    [
        ("components.ingest.ingest", {"apache_beam", "tensorflow_datasets"}),
        ("components.registry.register", {"mlflow"}),
        ("components.registry.champion", {"mlflow"}),
        ("components.claim.claim", set()),
        ("components.train.config", set()),
        ("pipelines.training", {"kfp"}),
        ("pipelines.trigger", {"tensorflow_datasets"}),
        ("pipelines.kfp_cluster", {"kfp"}),
    ],
)
def test_a_module_imports_the_heavy_libraries_that_it_works_with_and_no_other(module: str, wanted: set[str]) -> None:
    assert heavy_modules(IMPORT, module) == wanted
