"""Step: a model is measured on the test split, and blessed or not."""
