"""A run that registers with a real `mlflow server`, over HTTP."""

import subprocess
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient

from components.contracts.dataset_manifest import MANIFEST_FILE
from components.ingest.tfrecord import read_records

from .conftest import MINIATURE, PEDIGREE

pytestmark = pytest.mark.integration


def test_a_run_registers_with_a_server(tmp_path: Path, prepared_digits: Path, mlflow_server: str) -> None:
    from tensorflow_datasets.proto import tf_example_pb2

    work_dir = tmp_path / "work"
    command = [str(PEDIGREE), "run", "--work-dir", str(work_dir), "--data-dir", str(prepared_digits)]
    command += ["--num-epochs", "1", "--mlflow-uri", mlflow_server, *MINIATURE]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{mlflow_server}/#/models/pedigree-digits/versions/1" in run.stdout

    (version,) = MlflowClient(mlflow_server, mlflow_server).search_model_versions("name = 'pedigree-digits'")
    assert version.status == "READY"
    (manifest,) = work_dir.glob(f"runs/*/dataset/{MANIFEST_FILE}")
    record = next(read_records(manifest.with_name("test-00000-of-00001.tfrecord")))
    image = tf_example_pb2.Example.FromString(record).features.feature["image"].bytes_list.value[0]
    mlflow.set_tracking_uri(mlflow_server)
    model = mlflow.pyfunc.load_model("models:/pedigree-digits@challenger")
    predicted = model.predict(pd.DataFrame({"image": [image]}))
    assert predicted["class"][0] in set("0123456789")
