"""The real training loop, on a network that learns the digits in seconds."""

import dataclasses
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from components.contracts.errors import ContractError, InputError
from components.contracts.files import sha256_of_file, sha256_of_folder
from components.contracts.model_manifest import ModelManifest
from components.contracts.strict_json import load
from components.train.config import TrainingConfig
from components.train.recipe import find_recipe


@pytest.fixture(scope="module")
def finished(few_digits: Path, tiny_training: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of two epochs, never cut off: its `model` and its `checkpoints`. To be read only."""
    folder = tmp_path_factory.mktemp("finished")
    tiny_training.train(few_digits, folder / "model", folder / "checkpoints", num_epochs=2)
    return folder


@pytest.fixture(scope="module")
def two_epochs(finished: Path) -> ModelManifest:
    """What the training of two epochs came to."""
    return load(ModelManifest, finished / "model" / "model.json")


@pytest.fixture
def its_checkpoint(finished: Path, tmp_path: Path) -> Path:
    """The checkpoint that the training of two epochs left, where the test's own training looks for it."""
    return Path(shutil.copytree(finished / "checkpoints", tmp_path / "checkpoints")) / "checkpoint.bin"


@pytest.fixture
def train_two_epochs(few_digits: Path, tiny_training: ModuleType, tmp_path: Path) -> Callable[..., ModelManifest]:
    """Another training of two epochs, with the checkpoints of the test."""

    def train(**changes: Any) -> ModelManifest:
        changes = {"num_epochs": 2, **changes}
        return tiny_training.train(few_digits, tmp_path / "model", tmp_path / "checkpoints", **changes)

    return train


def progress_of(checkpoint: Path) -> dict[str, Any]:
    npz = io.BytesIO(checkpoint.read_bytes()[32:])  # behind its SHA-256
    with np.load(npz, allow_pickle=False) as arrays:
        return dict(json.loads(arrays["progress"].tobytes()))


def test_the_loss_falls_and_the_network_learns(trained: Path) -> None:
    history = load(ModelManifest, trained / "model.json").history
    assert [epoch.epoch for epoch in history] == list(range(1, 9))
    assert history[-1].train_loss < history[0].train_loss / 2
    assert history[-1].validation_loss < history[0].validation_loss
    assert history[-1].train_accuracy > 0.7
    assert history[-1].validation_accuracy > 0.8


def test_the_manifest_tells_the_truth_about_what_lies_beside_it(trained: Path, few_digits: Path) -> None:
    manifest = load(ModelManifest, trained / "model.json")
    dataset = json.loads((few_digits / "manifest.json").read_text())
    assert manifest.keras_file_sha256 == sha256_of_file(trained / manifest.keras_file)
    assert manifest.served_model_sha256 == sha256_of_folder(trained / manifest.served_model)
    assert (manifest.dataset, manifest.dataset_fingerprint) == (dataset["dataset"], dataset["fingerprint"])
    assert list(manifest.class_names) == dataset["class_names"]
    assert (manifest.image_size_px, manifest.seed) == (32, 0)
    assert manifest.recipe["peak_learning_rate"] == "0.01"
    best = min(manifest.history, key=lambda epoch: epoch.validation_loss)
    assert manifest.best_epoch == best.epoch
    assert {path.name for path in trained.iterdir()} == {"model.json", "model.keras", "served_model"}


def test_the_weights_that_are_kept_are_the_best_epochs(trained: Path, few_digits: Path) -> None:
    import keras

    from components.contracts.model_manifest import IMAGENET_NORMALIZATION
    from components.vision.input_pipeline import evaluation_batches, open_dataset

    manifest = load(ModelManifest, trained / "model.json")
    model = keras.models.load_model(trained / "model.keras", safe_mode=True)
    batches = evaluation_batches(few_digits, open_dataset(few_digits), "validation", 64, 32, IMAGENET_NORMALIZATION)
    ((images, labels),) = batches
    losses = keras.losses.sparse_categorical_crossentropy(labels, model.predict_on_batch(images), from_logits=True)
    assert float(np.mean(losses)) == pytest.approx(manifest.history[manifest.best_epoch - 1].validation_loss, rel=1e-4)


def test_the_same_seed_gives_the_same_weights(
    two_epochs: ModelManifest, train_two_epochs: Callable[..., ModelManifest]
) -> None:
    assert train_two_epochs().weights_sha256 == two_epochs.weights_sha256


def test_another_seed_gives_other_weights(
    two_epochs: ModelManifest, train_two_epochs: Callable[..., ModelManifest]
) -> None:
    assert train_two_epochs(seed=1).weights_sha256 != two_epochs.weights_sha256


def test_a_training_that_was_killed_ends_with_the_weights_of_one_that_was_not(
    few_digits: Path, tiny_training: ModuleType, tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    num_epochs = 4
    uninterrupted = tiny_training.train(few_digits, whole / "model", whole / "checkpoints", num_epochs=num_epochs)
    script, checkpoint = str(tiny_training.__file__), cut / "checkpoints" / "checkpoint.bin"
    command = [sys.executable, script, str(few_digits), str(cut / "model"), str(checkpoint.parent), str(num_epochs)]
    here = tmp_path / "here"
    here.mkdir()
    with subprocess.Popen(command, cwd=here, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not checkpoint.exists():
            assert process.poll() is None, "the training ended without a checkpoint"
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert 1 <= progress_of(checkpoint)["num_epochs_done"] < num_epochs
    assert not (cut / "model" / "model.json").exists()
    resumed = subprocess.run(command, cwd=here, capture_output=True, text=True, timeout=300, check=True)
    assert list(here.iterdir()) == [], "something was left where the training was started"
    assert f" of {num_epochs}\n" in resumed.stdout
    assert "[train] resumed after epoch " in resumed.stdout
    assert "epoch 1/4: loss" not in resumed.stdout
    manifest = load(ModelManifest, cut / "model" / "model.json")
    assert manifest.weights_sha256 == uninterrupted.weights_sha256
    assert [epoch.validation_loss for epoch in manifest.history] == [
        epoch.validation_loss for epoch in uninterrupted.history
    ]


def test_a_training_that_was_done_is_exported_again_without_an_epoch(
    its_checkpoint: Path,
    two_epochs: ModelManifest,
    train_two_epochs: Callable[..., ModelManifest],
    capsys: pytest.CaptureFixture[str],
) -> None:
    again = train_two_epochs()
    assert "resumed after epoch 2 of 2" in capsys.readouterr().out
    assert again.weights_sha256 == two_epochs.weights_sha256
    assert again.history == two_epochs.history


@pytest.mark.parametrize("damage", ["flipped", "cut off", "empty", "no checkpoint"])
def test_a_damaged_checkpoint_is_set_aside_and_training_begins_anew(
    damage: str,
    its_checkpoint: Path,
    two_epochs: ModelManifest,
    train_two_epochs: Callable[..., ModelManifest],
    capsys: pytest.CaptureFixture[str],
) -> None:
    content = bytearray(its_checkpoint.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    elif damage == "cut off":
        del content[-100:]
    else:
        content = bytearray(b"no checkpoint" if damage == "no checkpoint" else b"")
    its_checkpoint.write_bytes(content)
    assert train_two_epochs().weights_sha256 == two_epochs.weights_sha256
    assert "epoch 1/2: loss" in capsys.readouterr().out
    assert its_checkpoint.with_name("checkpoint.bin.damaged").read_bytes() == content
    assert progress_of(its_checkpoint)["num_epochs_done"] == 2


def test_a_checkpoint_of_another_configuration_is_not_resumed(
    its_checkpoint: Path, train_two_epochs: Callable[..., ModelManifest], capsys: pytest.CaptureFixture[str]
) -> None:
    train_two_epochs(num_epochs=1)
    assert "resumed" not in capsys.readouterr().out
    assert progress_of(its_checkpoint)["num_epochs_done"] == 1


def test_every_flipped_bit_of_a_small_checkpoint_is_found_or_harmless(tmp_path: Path) -> None:
    """Also those in the zip's own headers, which no checksum covers: never a traceback, never other values."""
    import keras

    from components.train.checkpoint import Progress, load_checkpoint, save_checkpoint

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    model.optimizer.build(model.trainable_variables)
    wanted = [variable.numpy().copy() for variable in model.variables]
    save_checkpoint(tmp_path, model, wanted, Progress("sha256:00", 1, 1, 0.5, ()))
    path = tmp_path / "checkpoint.bin"
    whole = path.read_bytes()
    for offset in range(len(whole)):
        damaged = bytearray(whole)
        damaged[offset] ^= 0x08
        path.write_bytes(damaged)
        if loaded := load_checkpoint(tmp_path, model, "sha256:00"):
            progress, best = loaded
            assert progress == Progress("sha256:00", 1, 1, 0.5, ())
            for group in (best, [variable.numpy() for variable in model.variables]):
                assert len(group) == len(wanted), f"byte {offset}: a weight was dropped"
                assert all(np.array_equal(one, other) for one, other in zip(group, wanted, strict=True)), offset


def test_a_batch_larger_than_the_train_split_is_refused(train_two_epochs: Callable[..., ModelManifest]) -> None:
    with pytest.raises(InputError) as caught:
        train_two_epochs(batch_size=257)
    assert str(caught.value) == "batch_size: 257 was given, but the train split has 256 examples only"


@pytest.mark.parametrize("batch_size", [16, 128])
def test_a_loss_that_is_no_number_is_refused_and_leaves_no_model(
    batch_size: int, tiny_training: ModuleType, train_two_epochs: Callable[..., ModelManifest], tmp_path: Path
) -> None:
    """With batches of 128 an epoch has two steps: the second ruins the weights, and only validation can notice."""
    absurd = dataclasses.replace(tiny_training.RECIPE, peak_learning_rate=1e38, warmup_share=0.0)
    with pytest.raises(InputError) as caught:
        train_two_epochs(recipe=absurd, batch_size=batch_size, num_epochs=1)
    assert "loss: nan" in str(caught.value)
    assert "epoch 1" in str(caught.value)
    assert not (tmp_path / "model" / "model.json").exists()


def test_a_damaged_dataset_is_refused(few_digits_copy: Path, tiny_training: ModuleType, tmp_path: Path) -> None:
    shard = few_digits_copy / "train-00000-of-00001.tfrecord"
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(ContractError):
        tiny_training.train(few_digits_copy, tmp_path / "model", tmp_path / "checkpoints")
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("parameter", "value", "least"),
    [("image_size_px", 31, 32), ("num_epochs", 0, 1), ("batch_size", 0, 1), ("batch_size", -1, 1), ("seed", -1, 0)],
)
def test_a_parameter_below_its_least_value_is_refused(parameter: str, value: int, least: int) -> None:
    asked = {"image_size_px": 32, "num_epochs": 1, "batch_size": 1, "seed": 0, parameter: value}
    with pytest.raises(InputError) as caught:
        TrainingConfig(find_recipe("default"), **asked)
    assert str(caught.value) == f"{parameter}: at least {least} is wanted, {value} was given"


def test_an_unknown_recipe_is_refused_and_the_known_ones_listed() -> None:
    with pytest.raises(InputError) as caught:
        find_recipe("secret")
    assert str(caught.value).startswith("recipe: 'secret' is not known; known: default")
