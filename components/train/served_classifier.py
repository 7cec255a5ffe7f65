"""The served model's Python side. MLflow copies this file into the model directory and runs it wherever the model is
loaded, where pedigree is not installed: it imports nothing of ours.

The graph, with decoding and preprocessing, lies beside it as a SavedModel.
"""

from typing import Any

import mlflow
import pandas as pd
from mlflow.pyfunc import PythonModel, PythonModelContext


class ServedClassifier(PythonModel):  # type: ignore[misc]
    """A table with a column `image` of PNG or JPEG bytes to `class`, `probability` and `probabilities` a row."""

    def load_context(self, context: PythonModelContext) -> None:
        import tensorflow as tf

        self._saved_model = tf.saved_model.load(context.artifacts["saved_model"])
        self._classify = self._saved_model.signatures["serving_default"]

    def predict(
        self, context: PythonModelContext, model_input: pd.DataFrame, params: dict[str, Any] | None = None
    ) -> pd.DataFrame:
        import tensorflow as tf

        predicted = self._classify(image=tf.constant(model_input["image"].tolist(), tf.string))
        return pd.DataFrame(
            {
                "class": [name.decode() for name in predicted["class"].numpy()],
                "probability": predicted["probability"].numpy(),
                "probabilities": predicted["probabilities"].numpy().tolist(),
            }
        )


mlflow.models.set_model(ServedClassifier())
