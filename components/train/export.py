"""The model as a server takes it: an MLflow model directory around a SavedModel, without pickle.

It carries its own decoding, preprocessing and class names, so that encoded images go in and class names come out.
"""

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

import keras
import mlflow
import pandas as pd
import tensorflow as tf
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array

from components.contracts.model_manifest import Normalization
from components.vision.preprocessing import preprocess

SIGNATURE = ModelSignature(
    inputs=Schema([ColSpec(DataType.binary, "image")]),
    outputs=Schema(
        [
            ColSpec(DataType.string, "class"),
            ColSpec(DataType.float, "probability"),
            ColSpec(Array(DataType.double), "probabilities"),
        ]
    ),
)
# What a server must install. TensorFlow without "-cpu": the same version, on any machine.
REQUIREMENTS = [
    f"mlflow=={version('mlflow')}",
    f"tensorflow=={tf.__version__}",
    f"numpy=={version('numpy')}",
    f"pandas=={version('pandas')}",
]


class _Graph(tf.Module):
    """Encoded images `(n,)` to the likeliest class and its probability `(n,)`, and all probabilities `(n, classes)`."""

    def __init__(
        self, model: keras.Model, normalization: Normalization, image_size_px: int, class_names: tuple[str, ...]
    ) -> None:
        super().__init__()
        self.model = model
        self.normalization = normalization
        self.image_size_px = image_size_px
        self.class_names = tf.constant(class_names)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.string, name="image")])
    def classify(self, image: tf.Tensor) -> dict[str, tf.Tensor]:
        images = tf.map_fn(
            lambda encoded: preprocess(encoded, self.image_size_px, self.normalization),
            image,
            fn_output_signature=tf.TensorSpec((self.image_size_px, self.image_size_px, 3), tf.float32),
        )
        probabilities = tf.nn.softmax(self.model(images, training=False))
        return {
            "class": tf.gather(self.class_names, tf.argmax(probabilities, axis=-1)),
            "probability": tf.reduce_max(probabilities, axis=-1),
            "probabilities": probabilities,
        }


def export_model(
    model: keras.Model,
    normalization: Normalization,
    image_size_px: int,
    class_names: tuple[str, ...],
    example: bytes,
    target: Path,
) -> None:
    """Writes the MLflow model directory `target`, anew where there is one already. `example` is an encoded image."""
    graph = _Graph(model, normalization, image_size_px, class_names)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".export-") as folder:
        saved_model, whole = Path(folder) / "saved_model", Path(folder) / target.name
        tf.saved_model.save(graph, str(saved_model), signatures={"serving_default": graph.classify})
        mlflow.pyfunc.save_model(
            whole,
            python_model=str(Path(__file__).with_name("served_classifier.py")),
            artifacts={"saved_model": str(saved_model)},
            signature=SIGNATURE,
            input_example=pd.DataFrame({"image": [example]}),
            pip_requirements=REQUIREMENTS,
        )
        if target.exists():
            shutil.rmtree(target)
        whole.replace(target)
