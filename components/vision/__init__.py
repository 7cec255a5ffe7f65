"""Pixels and tensors, shared by train and evaluate."""
