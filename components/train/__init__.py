"""Step: a dataset becomes a trained model, with what a server needs to load it."""
