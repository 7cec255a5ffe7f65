"""The fingerprint is of what a dataset holds: not of when, where or how often it was written."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tensorflow_datasets.proto import tf_example_pb2

from components.ingest.source import open_source
from components.ingest.tfrecord import read_records


def fingerprint(data_dir: Path, dataset: str = "digits") -> str:
    source = open_source(dataset, data_dir)
    assert source is not None
    return source.fingerprint()


def shard(data_dir: Path) -> Path:
    return data_dir / "digits" / "1.0.0" / "digits-train.tfrecord-00000-of-00001"


def test_it_is_a_sha256(digits_dir: Path) -> None:
    kind, digits = fingerprint(digits_dir).split(":")
    assert kind == "sha256"
    assert len(bytes.fromhex(digits)) == 32


def test_a_second_preparation_in_another_folder_has_the_same(
    digits_dir: Path, prepare_digits: Callable[[Path], Path], tmp_path: Path
) -> None:
    assert fingerprint(prepare_digits(tmp_path / "again")) == fingerprint(digits_dir)


def test_every_record_is_prepared_in_the_one_canonical_order_of_its_features(digits_dir: Path) -> None:
    """A protobuf map is written in an order that changes from process to process, unless it is asked not to."""
    records = list(read_records(shard(digits_dir)))
    canonical = [tf_example_pb2.Example.FromString(record).SerializeToString(deterministic=True) for record in records]
    assert records == canonical


def test_a_copy_with_other_times_has_the_same(digits_dir: Path, digits_copy: Path) -> None:
    for path in digits_copy.rglob("*"):
        os.utime(path, (1, 1))
    assert fingerprint(digits_copy) == fingerprint(digits_dir)


def test_the_dataset_named_with_its_version_has_the_same(digits_dir: Path) -> None:
    assert fingerprint(digits_dir, "digits:1.0.0") == fingerprint(digits_dir)


def test_one_flipped_bit_gives_another(digits_dir: Path, digits_copy: Path) -> None:
    content = bytearray(shard(digits_copy).read_bytes())
    content[len(content) // 2] ^= 1
    shard(digits_copy).write_bytes(content)
    assert shard(digits_copy).stat().st_size == shard(digits_dir).stat().st_size
    assert fingerprint(digits_copy) != fingerprint(digits_dir)


def test_two_records_that_changed_places_give_another(tmp_path: Path, prepare_beasts: Callable[..., Path]) -> None:
    cat, dog = ({"image": np.full((8, 8, 3), 60 * label, np.uint8), "label": label} for label in (0, 1))
    one = prepare_beasts(tmp_path / "one", {"train": [cat, dog]})
    other = prepare_beasts(tmp_path / "other", {"train": [dog, cat]})
    assert fingerprint(one, "beasts") != fingerprint(other, "beasts")


@pytest.mark.parametrize("change", ["class_names", "split_name"])
def test_the_same_records_under_another_name_give_another(
    change: str, tmp_path: Path, prepare_beasts: Callable[..., Path]
) -> None:
    import tensorflow_datasets as tfds

    def features(*names: str) -> dict[str, Any]:
        return {"image": tfds.features.Image(shape=(8, 8, 3)), "label": tfds.features.ClassLabel(names=names)}

    examples = [{"image": np.zeros((8, 8, 3), np.uint8), "label": label} for label in (0, 1)]
    one = prepare_beasts(tmp_path / "one", {"train": examples}, features("cat", "dog"))
    if change == "class_names":
        other = prepare_beasts(tmp_path / "other", {"train": examples}, features("cat", "hound"))
    else:
        other = prepare_beasts(tmp_path / "other", {"test": examples}, features("cat", "dog"))
    assert fingerprint(one, "beasts") != fingerprint(other, "beasts")
