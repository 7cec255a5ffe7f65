"""The examples of a manifest as batches: in a fixed order to evaluate, in a repeatable disorder to train."""

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.contracts.dataset_manifest import DatasetManifest
from components.contracts.errors import ContractError
from components.contracts.model_manifest import IMAGENET_NORMALIZATION, Normalization
from components.contracts.strict_json import load
from components.ingest.tfrecord import read_records
from components.vision.input_pipeline import encoded_examples, evaluation_batches, open_dataset, training_batches

AS_IT_IS = Normalization(mean=(0.0, 0.0, 0.0), standard_deviation=(1.0, 1.0, 1.0))
Batch = tuple[np.ndarray, np.ndarray]


def epoch_of(folder: Path, manifest: DatasetManifest, **changes: Any) -> list[Batch]:
    """The training batches of one epoch."""
    asked: dict[str, Any] = {
        "batch_size": 50,
        "image_size_px": 32,
        "normalization": AS_IT_IS,
        "max_shift_share": 0.1,
        "seed": 0,
        "epoch": 1,
        **changes,
    }
    return [(images.numpy(), labels.numpy()) for images, labels in training_batches(folder, manifest, **asked)]


def same(one: list[Batch], other: list[Batch]) -> bool:
    return len(one) == len(other) and all(
        np.array_equal(images, other_images) and np.array_equal(labels, other_labels)
        for (images, labels), (other_images, other_labels) in zip(one, other, strict=True)
    )


def labels_of(batches: list[Batch]) -> list[int]:
    return np.concatenate([labels for _, labels in batches]).tolist()


@pytest.fixture(scope="module")
def numbered(
    tmp_path_factory: pytest.TempPathFactory, prepare_beasts: Callable[..., Path], ingest: Callable[..., Any]
) -> Path:
    """130 training examples in 3 shards, each an image of one grey that no other example has."""
    folder = tmp_path_factory.mktemp("numbered")
    examples = [{"image": np.full((8, 8, 3), number, np.uint8), "label": number % 2} for number in range(130)]
    data_dir = prepare_beasts(folder / "tfds", {"train": examples, "test": examples[:20]}, num_shards=3)
    ingest(data_dir, folder / "dataset", dataset="beasts")
    return folder / "dataset"


def numbers_of(batches: list[Batch]) -> list[int]:
    """Which examples of `numbered` the batches hold, in order."""
    images = np.concatenate([images for images, _ in batches])
    assert np.ptp(images, axis=(1, 2, 3)).max() < 1e-3
    return np.rint(images[:, 0, 0, 0]).astype(int).tolist()


def test_the_same_seed_and_epoch_give_the_same_batches(few_digits: Path) -> None:
    manifest = open_dataset(few_digits)
    batches = epoch_of(few_digits, manifest)
    assert [images.shape for images, _ in batches] == [(50, 32, 32, 3)] * 5
    assert same(batches, epoch_of(few_digits, manifest))


@pytest.mark.parametrize("change", [{"epoch": 2}, {"seed": 1}])
def test_another_epoch_or_another_seed_give_another_order(few_digits: Path, change: dict[str, int]) -> None:
    manifest = open_dataset(few_digits)
    assert labels_of(epoch_of(few_digits, manifest)) != labels_of(epoch_of(few_digits, manifest, **change))


@pytest.mark.parametrize(("batch_size", "num_batches"), [(50, 2), (13, 10), (130, 1)])
def test_each_example_comes_at_most_once_an_epoch(numbered: Path, batch_size: int, num_batches: int) -> None:
    batches = epoch_of(numbered, open_dataset(numbered), batch_size=batch_size)
    numbers = numbers_of(batches)
    assert len(batches) == num_batches
    assert len(set(numbers)) == len(numbers) == batch_size * num_batches
    assert labels_of(batches) == [number % 2 for number in numbers]


def test_what_one_epoch_leaves_out_comes_in_others(numbered: Path) -> None:
    manifest = open_dataset(numbered)
    seen = Counter(number for epoch in range(1, 9) for number in numbers_of(epoch_of(numbered, manifest, epoch=epoch)))
    assert seen.keys() == set(range(130))


def test_the_order_is_a_good_disorder(numbered: Path) -> None:
    """Not the order of the shards, and neighbours seldom stay neighbours."""
    numbers = numbers_of(epoch_of(numbered, open_dataset(numbered), batch_size=130))
    assert sum(after - before == 1 for before, after in itertools.pairwise(numbers)) < 10


def test_images_are_shifted_to_train_and_by_another_amount_each_epoch(few_digits: Path) -> None:
    manifest = open_dataset(few_digits)
    still = epoch_of(few_digits, manifest, max_shift_share=0.0)
    shifted = epoch_of(few_digits, manifest)
    assert labels_of(still) == labels_of(shifted)
    assert not np.array_equal(still[0][0], shifted[0][0])


@pytest.mark.parametrize("batch_size", [7, 96, 1000])
def test_evaluation_takes_every_example_once_in_the_order_of_the_shard(few_digits: Path, batch_size: int) -> None:
    manifest = open_dataset(few_digits)
    batches = list(evaluation_batches(few_digits, manifest, "test", batch_size, 32, IMAGENET_NORMALIZATION))
    assert sum(len(labels) for _, labels in batches) == 96
    assert all(len(labels) == batch_size for _, labels in batches[:-1])
    (whole,) = evaluation_batches(few_digits, manifest, "test", 96, 32, IMAGENET_NORMALIZATION)
    np.testing.assert_array_equal(np.concatenate([images for images, _ in batches]), whole[0])
    shard = few_digits / manifest.splits["test"].shards[0].name
    wanted = [image.numpy() for image, _ in encoded_examples(few_digits, manifest, "test")]
    assert all(image in record for image, record in zip(wanted, read_records(shard), strict=True))


def test_evaluation_reads_several_shards_one_after_the_other(numbered: Path) -> None:
    manifest = open_dataset(numbered)
    batches = evaluation_batches(numbered, manifest, "train", 50, 32, AS_IT_IS)
    assert numbers_of([(images.numpy(), labels.numpy()) for images, labels in batches]) == list(range(130))


def test_a_whole_dataset_is_opened(few_digits: Path) -> None:
    assert open_dataset(few_digits) == load(DatasetManifest, few_digits / "manifest.json")


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_a_missing_shard_is_refused_and_named(few_digits_copy: Path, split: str) -> None:
    shard = few_digits_copy / f"{split}-00000-of-00001.tfrecord"
    shard.unlink()
    with pytest.raises(ContractError) as caught:
        open_dataset(few_digits_copy)
    assert str(caught.value) == f"{shard}: there is no such file, but manifest.json lists it"


@pytest.mark.parametrize("damage", ["flipped", "cut off"])
def test_a_damaged_shard_is_refused_and_named(few_digits_copy: Path, damage: str) -> None:
    shard = few_digits_copy / "test-00000-of-00001.tfrecord"
    content = bytearray(shard.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 1
    else:
        del content[-1]
    shard.write_bytes(content)
    with pytest.raises(ContractError) as caught:
        open_dataset(few_digits_copy)
    assert str(caught.value).startswith(f"{shard}: CRC32C ")
    wanted = load(DatasetManifest, few_digits_copy / "manifest.json").splits["test"].shards[0].crc32c
    assert str(caught.value).endswith(f"but manifest.json lists {wanted}")


def test_a_damaged_or_a_missing_manifest_is_refused_and_named(few_digits_copy: Path) -> None:
    path = few_digits_copy / "manifest.json"
    path.write_text(path.read_text()[:-20])
    with pytest.raises(ContractError, match=r"manifest\.json: not JSON"):
        open_dataset(few_digits_copy)
    path.unlink()
    with pytest.raises(ContractError, match=r"manifest\.json: there is no such file"):
        open_dataset(few_digits_copy)
