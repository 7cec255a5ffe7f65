"""Ingest of a real dataset: the manifest says what is there, and nothing is there without a manifest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
from tensorflow_datasets.proto import tf_example_pb2

from components.contracts.dataset_manifest import DatasetManifest
from components.contracts.errors import ContractError, InputError
from components.contracts.strict_json import load
from components.ingest.ingest import ingest_dataset
from components.ingest.source import open_source
from components.ingest.splits import SplitExpressions
from components.ingest.tfrecord import read_records

SPLITS = ("train[:256]", "test[:64]", "test[64:160]")
FIRST_RECORD_DATA = 12  # a byte of the first record's data, behind its header


def examples_of(path: Path) -> list[tuple[bytes, int]]:
    parsed = [tf_example_pb2.Example.FromString(record).features.feature for record in read_records(path)]
    return [(features["image"].bytes_list.value[0], features["label"].int64_list.value[0]) for features in parsed]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_manifest_tells_the_truth_about_every_shard(few_digits: Path) -> None:
    manifest = load(DatasetManifest, few_digits / "manifest.json")
    assert {name: split.expression for name, split in manifest.splits.items()} == dict(
        zip(("train", "validation", "test"), SPLITS, strict=True)
    )
    assert [split.num_examples for split in manifest.splits.values()] == [256, 64, 96]
    for split in manifest.splits.values():
        assert split.num_bytes == sum(shard.num_bytes for shard in split.shards)
        assert split.num_examples == sum(shard.num_examples for shard in split.shards)
        for shard in split.shards:
            content = (few_digits / shard.name).read_bytes()
            assert len(content) == shard.num_bytes
            assert f"{google_crc32c.value(content):08x}" == shard.crc32c
            assert len(examples_of(few_digits / shard.name)) == shard.num_examples


def test_the_manifest_names_the_dataset_its_features_and_its_classes(few_digits: Path, digits_dir: Path) -> None:
    manifest = load(DatasetManifest, few_digits / "manifest.json")
    source = open_source("digits", digits_dir)
    assert source is not None
    assert (manifest.dataset, manifest.fingerprint) == ("digits/1.0.0", source.fingerprint())
    assert manifest.class_names == tuple("0123456789")
    assert manifest.features.keys() == {"image", "label"}
    assert "Image(shape=(8, 8, 1)" in manifest.features["image"]


def test_nothing_but_the_manifest_and_its_shards_is_left(few_digits: Path) -> None:
    manifest = load(DatasetManifest, few_digits / "manifest.json")
    shards = {shard.name for split in manifest.splits.values() for shard in split.shards}
    assert {path.name for path in few_digits.iterdir()} == {"manifest.json", *shards}


def test_the_examples_are_the_sources_own_bytes_in_its_order(few_digits: Path, digits_dir: Path) -> None:
    source = open_source("digits", digits_dir)
    assert source is not None
    wanted = examples_of(source.slices("test")[0].path)
    assert examples_of(few_digits / "validation-00000-of-00001.tfrecord") == wanted[:64]
    assert examples_of(few_digits / "test-00000-of-00001.tfrecord") == wanted[64:160]


def test_the_same_input_gives_the_same_bytes(
    few_digits: Path, digits_copy: Path, ingest: Callable[..., Any], tmp_path: Path
) -> None:
    ingest(digits_copy, tmp_path / "again", *SPLITS)
    first, again = (
        {path.name: path.read_bytes() for path in folder.iterdir()} for folder in (few_digits, tmp_path / "again")
    )
    assert first == again


def test_the_features_are_listed_in_alphabetical_order(
    ingest: Callable[..., Any], prepare_beasts: Callable[..., Path], tmp_path: Path
) -> None:
    """tfds lists them in an order that changes from process to process; the manifest's bytes must not."""
    import tensorflow_datasets as tfds

    others = dict.fromkeys(("age", "height", "owner", "weight"), np.int64)
    features = {
        "image": tfds.features.Image(shape=(8, 8, 3)),
        "label": tfds.features.ClassLabel(names=["cat", "dog"]),
        **others,
    }
    examples = [
        {"image": np.zeros((8, 8, 3), np.uint8), "label": number % 2, **dict.fromkeys(others, number)}
        for number in range(10)
    ]
    data_dir = prepare_beasts(tmp_path / "tfds", {"train": examples}, features)
    manifest = ingest(data_dir, tmp_path / "target", dataset="beasts")
    assert list(manifest.features) == ["age", "height", "image", "label", "owner", "weight"]


def test_a_dataset_of_many_shards_is_ingested_slice_by_slice(
    ingest: Callable[..., Any], prepare_beasts: Callable[..., Path], tmp_path: Path
) -> None:
    examples = [{"image": np.full((8, 8, 3), number, np.uint8), "label": number % 2} for number in range(30)]
    data_dir = prepare_beasts(tmp_path / "tfds", {"train": examples, "test": examples[:4]}, num_shards=3)
    target = tmp_path / "target"
    manifest = ingest(data_dir, target, "train[5:25]", "train[:5]", "train[25:]", dataset="beasts")
    assert [(shard.name, shard.num_examples) for shard in manifest.splits["train"].shards] == [
        ("train-00000-of-00003.tfrecord", 5),
        ("train-00001-of-00003.tfrecord", 10),
        ("train-00002-of-00003.tfrecord", 5),
    ]
    source = open_source("beasts", data_dir)
    assert source is not None
    everything = [example for piece in source.slices("train") for example in examples_of(piece.path)]
    ingested = [example for shard in manifest.splits["train"].shards for example in examples_of(target / shard.name)]
    assert ingested == everything[5:25]
    assert [label for _, label in ingested] == [number % 2 for number in range(5, 25)]


def test_a_refresh_other_than_the_runs_is_refused_and_both_are_named(digits_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        ingest_dataset(
            dataset="digits",
            data_dir=digits_dir,
            fingerprint="sha256:0000",
            splits=SplitExpressions(),
            target=tmp_path / "target",
        )
    source = open_source("digits", digits_dir)
    assert source is not None
    assert f"fingerprint {source.fingerprint()}; the run was started for sha256:0000" in str(caught.value)
    assert not (tmp_path / "target" / "manifest.json").exists()


def test_a_dataset_that_is_not_prepared_is_refused_with_the_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        ingest_dataset(
            dataset="digits",
            data_dir=tmp_path,
            fingerprint="sha256:0000",
            splits=SplitExpressions(),
            target=tmp_path / "target",
        )
    assert str(caught.value) == f"{tmp_path}: 'digits' is not prepared there"


@pytest.mark.parametrize("damage", ["flipped", "cut off", "fewer records"])
def test_a_damaged_source_is_refused_and_leaves_no_manifest(
    damage: str, digits_copy: Path, ingest: Callable[..., Any], tmp_path: Path
) -> None:
    shard = digits_copy / "digits" / "1.0.0" / "digits-train.tfrecord-00000-of-00001"
    content = bytearray(shard.read_bytes())
    if damage == "flipped":
        content[FIRST_RECORD_DATA] ^= 1
        wanted = f"{shard}: record 0: the checksum of its data does not match"
    elif damage == "cut off":
        del content[-1]
        wanted = f"{shard}: record 1436: cut off after"
    else:
        last = next(reversed(list(read_records(shard))))
        del content[-(len(last) + 16) :]
        wanted = f"{shard}: 1436 records, at least 1437 are in its dataset_info.json"
    shard.write_bytes(content)
    with pytest.raises(ContractError) as caught:
        ingest(digits_copy, tmp_path / "target")
    assert str(caught.value).startswith(wanted)
    assert not [
        path.name for path in (tmp_path / "target").iterdir() if path.name.startswith((".train", "train", "man"))
    ]
