"""Steps on the MLflow model registry: resolve the champion, register a version."""
