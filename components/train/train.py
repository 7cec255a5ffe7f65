"""Training, top to bottom: data, network, epochs with a checkpoint after each, the best one exported."""

import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from components.contracts.dataset_manifest import DatasetManifest
from components.contracts.errors import InputError
from components.contracts.files import sha256_of_file, sha256_of_folder
from components.contracts.model_manifest import IMAGENET_NORMALIZATION, MODEL_MANIFEST_FILE, EpochMetrics, ModelManifest
from components.contracts.step_console import say
from components.contracts.strict_json import save
from components.train.checkpoint import Progress, load_checkpoint, save_checkpoint
from components.train.config import TrainingConfig
from components.train.export import export_model
from components.train.schedule import build_optimizer
from components.vision.input_pipeline import encoded_examples, evaluation_batches, open_dataset, training_batches
from components.vision.resnet import VARIANT, build_resnet

KERAS_FILE = "model.keras"
SERVED_MODEL_FOLDER = "served_model"
NetworkBuilder = Callable[[TrainingConfig, int], keras.Model]


def build_network(config: TrainingConfig, num_classes: int) -> keras.Model:
    """The ResNet that the configuration asks for."""
    return build_resnet(
        num_classes=num_classes,
        image_size_px=config.image_size_px,
        depth=config.depth,
        batch_norm_momentum=config.recipe.batch_norm_momentum,
    )


def train_model(
    *, dataset: Path, config: TrainingConfig, target: Path, checkpoints: Path, network: NetworkBuilder = build_network
) -> ModelManifest:
    """Trains on the dataset in a folder; leaves the best epoch's model in `target`, its manifest written last.

    A training that was cut off goes on from `checkpoints`, after the last epoch that it finished. Raises ContractError
    for a damaged dataset and InputError for a configuration that cannot be trained.
    """
    manifest = open_dataset(dataset)
    num_steps = config.steps_per_epoch(manifest) * config.num_epochs
    keras.utils.set_random_seed(config.seed)
    model = network(config, len(manifest.class_names))
    model.compile(
        optimizer=build_optimizer(config.recipe, num_steps),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        jit_compile=config.recipe.jit_compile,
    )
    devices = ", ".join(device.device_type for device in tf.config.list_logical_devices())
    say("train", f"{model.name}: {model.count_params():,} parameters, {num_steps:,} steps on {devices}")
    progress, best_weights = _train_epochs(model, dataset, manifest, config, checkpoints)
    say("train", f"best epoch {progress.best_epoch}: validation loss {progress.best_validation_loss:.4f}")
    untied = network(config, len(manifest.class_names))  # from the optimizer, whose state is twice the weights
    untied.set_weights(best_weights)
    return _save_model(untied, dataset, manifest, config, progress, target)


def _train_epochs(
    model: keras.Model, dataset: Path, manifest: DatasetManifest, config: TrainingConfig, checkpoints: Path
) -> tuple[Progress, list[np.ndarray]]:
    config_sha256 = config.sha256(manifest.fingerprint)
    progress = Progress(config_sha256, 0, 0, float("inf"), ())
    best_weights: list[np.ndarray] = []
    if resumed := load_checkpoint(checkpoints, model, config_sha256):
        progress, best_weights = resumed
        say("train", f"resumed after epoch {progress.num_epochs_done} of {config.num_epochs}")
    for epoch in range(progress.num_epochs_done + 1, config.num_epochs + 1):
        metrics = _train_epoch(model, dataset, manifest, config, epoch)
        _check_finite(metrics.validation_loss, f"validation after epoch {epoch}", config)
        best_epoch, best_loss = progress.best_epoch, progress.best_validation_loss
        if metrics.validation_loss < best_loss:
            best_epoch, best_loss, best_weights = epoch, metrics.validation_loss, model.get_weights()
        progress = Progress(config_sha256, epoch, best_epoch, best_loss, (*progress.history, metrics))
        save_checkpoint(checkpoints, model, best_weights, progress)
        say(
            "train",
            f"epoch {epoch}/{config.num_epochs}: loss {metrics.train_loss:.4f}, accuracy {metrics.train_accuracy:.4f}, "
            f"validation loss {metrics.validation_loss:.4f}, accuracy {metrics.validation_accuracy:.4f}, "
            f"{metrics.images_per_second:.0f} images/s",
        )
    return progress, best_weights


def _train_epoch(
    model: keras.Model, dataset: Path, manifest: DatasetManifest, config: TrainingConfig, epoch: int
) -> EpochMetrics:
    batches = training_batches(
        dataset,
        manifest,
        batch_size=config.batch_size,
        image_size_px=config.image_size_px,
        normalization=IMAGENET_NORMALIZATION,
        max_shift_share=config.recipe.max_shift_share,
        seed=config.seed,
        epoch=epoch,
    )
    num_images = config.steps_per_epoch(manifest) * config.batch_size
    losses, accuracies, started = [], [], time.monotonic()
    description = f"epoch {epoch}/{config.num_epochs}"
    with tqdm(total=num_images, desc=description, unit=" images", file=sys.stdout, mininterval=0.5, ncols=110) as bar:
        for images, labels in batches:
            model.reset_metrics()  # so that the step's own loss and accuracy come back, not an average
            step = model.train_on_batch(images, labels, return_dict=True)
            losses.append(float(step["loss"]))
            accuracies.append(float(step["accuracy"]))
            _check_finite(losses[-1], f"step {len(losses)} of epoch {epoch}", config)
            bar.set_postfix(loss=f"{np.mean(losses):.4f}", accuracy=f"{np.mean(accuracies):.4f}", refresh=False)
            bar.update(config.batch_size)
    seconds = time.monotonic() - started
    validation_loss, validation_accuracy = _validate(model, dataset, manifest, config)
    return EpochMetrics(
        epoch=epoch,
        train_loss=float(np.mean(losses)),
        train_accuracy=float(np.mean(accuracies)),
        validation_loss=validation_loss,
        validation_accuracy=validation_accuracy,
        learning_rate=float(model.optimizer.learning_rate),
        seconds=seconds,
        images_per_second=num_images / seconds,
    )


def _check_finite(loss: float, where: str, config: TrainingConfig) -> None:
    if not np.isfinite(loss):
        raise InputError(f"loss: {loss} in {where}; recipe {config.recipe.name!r} does not fit this dataset")


def _validate(
    model: keras.Model, dataset: Path, manifest: DatasetManifest, config: TrainingConfig
) -> tuple[float, float]:
    """Mean cross-entropy in nats and accuracy over the validation split."""
    losses, correct = [], []
    for images, labels in evaluation_batches(
        dataset, manifest, "validation", config.batch_size, config.image_size_px, IMAGENET_NORMALIZATION
    ):
        logits = model.predict_on_batch(images)
        losses.append(
            keras.ops.convert_to_numpy(keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True))
        )
        correct.append(np.argmax(logits, axis=-1) == labels.numpy())
    return float(np.mean(np.concatenate(losses))), float(np.mean(np.concatenate(correct)))


def _save_model(
    model: keras.Model,
    dataset: Path,
    manifest: DatasetManifest,
    config: TrainingConfig,
    progress: Progress,
    target: Path,
) -> ModelManifest:
    target.mkdir(parents=True, exist_ok=True)
    model.save(target / KERAS_FILE)
    example, _ = next(iter(encoded_examples(dataset, manifest, "test")))
    export_model(
        model,
        IMAGENET_NORMALIZATION,
        config.image_size_px,
        manifest.class_names,
        example.numpy(),
        target / SERVED_MODEL_FOLDER,
    )
    model_manifest = ModelManifest(
        architecture="resnet",
        depth=config.depth,
        variant=VARIANT,
        num_parameters=model.count_params(),
        image_size_px=config.image_size_px,
        normalization=IMAGENET_NORMALIZATION,
        class_names=manifest.class_names,
        keras_file=KERAS_FILE,
        keras_file_sha256=sha256_of_file(target / KERAS_FILE),
        weights_sha256=_sha256_of_weights(model),
        served_model=SERVED_MODEL_FOLDER,
        served_model_sha256=sha256_of_folder(target / SERVED_MODEL_FOLDER),
        dataset=manifest.dataset,
        dataset_fingerprint=manifest.fingerprint,
        recipe={name: str(value) for name, value in asdict(config.recipe).items()},
        config_sha256=progress.config_sha256,
        seed=config.seed,
        best_epoch=progress.best_epoch,
        history=progress.history,
    )
    save(model_manifest, target / MODEL_MANIFEST_FILE)
    return model_manifest


def _sha256_of_weights(model: keras.Model) -> str:
    digest = hashlib.sha256()
    for variable in model.variables:
        digest.update(f"{variable.path}\0{variable.shape}\0{variable.dtype}\0".encode())
        digest.update(np.ascontiguousarray(variable.numpy()).tobytes())
    return f"sha256:{digest.hexdigest()}"
