"""The real training loop on a network of a few thousand weights.

As a script, `tiny_training.py DATASET MODEL CHECKPOINTS NUM_EPOCHS`, it trains in a process that a test can kill.
"""

import dataclasses
import sys
from pathlib import Path

import keras

from components.contracts.model_manifest import ModelManifest
from components.train.config import TrainingConfig
from components.train.recipe import find_recipe
from components.train.train import train_model

RECIPE = dataclasses.replace(find_recipe("default"), peak_learning_rate=0.01)
CONFIG = TrainingConfig(RECIPE, image_size_px=32, num_epochs=8, batch_size=8, seed=0)


def tiny_network(config: TrainingConfig, num_classes: int) -> keras.Model:
    """One convolution, one batch normalization, one pooling, one linear head."""
    inputs = keras.Input((config.image_size_px, config.image_size_px, 3), name="image")
    x = keras.layers.Conv2D(16, 5, strides=2, padding="same", use_bias=False, name="conv")(inputs)
    x = keras.layers.BatchNormalization(momentum=config.recipe.batch_norm_momentum, name="norm")(x)
    x = keras.layers.ReLU(name="relu")(x)
    x = keras.layers.MaxPooling2D(4, name="max_pool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, keras.layers.Dense(num_classes, name="logits")(x), name="tiny")


def train(dataset: Path, target: Path, checkpoints: Path, **changes: object) -> ModelManifest:
    """Trains the tiny network; `changes` are to the fields of `CONFIG`."""
    config = dataclasses.replace(CONFIG, **changes)
    return train_model(dataset=dataset, config=config, target=target, checkpoints=checkpoints, network=tiny_network)


if __name__ == "__main__":
    train(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), num_epochs=int(sys.argv[4]))
