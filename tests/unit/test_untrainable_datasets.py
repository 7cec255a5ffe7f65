"""Datasets that no classifier can be trained on, each a real tfds dataset: each is refused with what is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets as tfds
from tensorflow_datasets.proto import tf_example_pb2

from components.contracts.errors import InputError
from components.ingest.source import open_source
from components.ingest.tfrecord import read_records, write_record

IMAGE = tfds.features.Image(shape=(None, None, 3), encoding_format="png")
CLASSES = tfds.features.ClassLabel(names=["cat", "dog"])


def pixels(side: int = 8) -> np.ndarray:
    return np.zeros((side, side, 3), np.uint8)


def examples(count: int = 10) -> list[dict[str, Any]]:
    return [{"image": pixels(), "label": index % 2} for index in range(count)]


def refusal(ingest: Callable[..., Any], data_dir: Path, target: Path) -> str:
    """What ingest says of the prepared dataset, which it must refuse, and leave no manifest of."""
    with pytest.raises(InputError) as caught:
        ingest(data_dir, target, dataset="beasts")
    assert not (target / "manifest.json").exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("features", "example", "wanted"),
    [
        pytest.param(
            {"pixels": IMAGE, "label": CLASSES},
            {"pixels": pixels(), "label": 0},
            "beasts/1.0.0: no `image` feature; it has ",
            id="no image",
        ),
        pytest.param(
            {"image": tfds.features.Tensor(shape=(8, 8, 3), dtype=np.uint8), "label": CLASSES},
            {"image": pixels(), "label": 0},
            "beasts/1.0.0: no `image` feature",
            id="an image that is a tensor",
        ),
        pytest.param(
            {"image": IMAGE, "species": CLASSES},
            {"image": pixels(), "species": 0},
            "beasts/1.0.0: no `label` feature of classes; it has ",
            id="no label",
        ),
        pytest.param(
            {"image": IMAGE, "label": tfds.features.Scalar(np.float32)},
            {"image": pixels(), "label": 0.5},
            "beasts/1.0.0: no `label` feature of classes",
            id="a label that is a number",
        ),
        pytest.param(
            {"image": IMAGE, "label": tfds.features.ClassLabel(names=["cat"])},
            {"image": pixels(), "label": 0},
            "beasts/1.0.0: label: 1 class; a classifier needs two",
            id="one class",
        ),
    ],
)
def test_features_that_are_not_an_image_and_its_class_are_refused(
    features: dict[str, Any], example: dict[str, Any], wanted: str, tmp_path: Path, prepare_beasts: Callable[..., Path]
) -> None:
    prepare_beasts(tmp_path, {"train": [example] * 4}, features)
    with pytest.raises(InputError) as caught:
        open_source("beasts", tmp_path)
    message = str(caught.value)
    assert message.startswith(wanted)
    if wanted.endswith("it has "):
        assert sorted(message.removeprefix(wanted).split(", ")) == sorted(features)


def test_a_file_format_other_than_tfrecord_is_refused(tmp_path: Path, prepare_beasts: Callable[..., Path]) -> None:
    prepare_beasts(tmp_path, {"train": examples()})
    info = tmp_path / "beasts" / "1.0.0" / "dataset_info.json"
    info.write_text(info.read_text().replace('"fileFormat": "tfrecord"', '"fileFormat": "array_record"'))
    with pytest.raises(InputError, match=r"beasts/1\.0\.0: file format array_record; only tfrecord can be read"):
        open_source("beasts", tmp_path)


def test_a_train_split_of_one_class_is_refused(
    tmp_path: Path, ingest: Callable[..., Any], prepare_beasts: Callable[..., Path]
) -> None:
    dogs = [{"image": pixels(), "label": 1}] * 10
    data_dir = prepare_beasts(tmp_path / "tfds", {"train": dogs, "test": examples()})
    message = refusal(ingest, data_dir, tmp_path / "target")
    assert message == "beasts/1.0.0: the train split holds one class only, 'dog'; a classifier needs two"


@pytest.mark.parametrize(("side", "refused"), [(4, True), (7, True), (8, False)])
def test_an_image_of_fewer_than_eight_pixels_a_side_is_refused_and_its_record_named(
    side: int, refused: bool, tmp_path: Path, ingest: Callable[..., Any], prepare_beasts: Callable[..., Path]
) -> None:
    train = [*examples(3), {"image": np.zeros((20, side, 3), np.uint8), "label": 0}, *examples(3)]
    data_dir = prepare_beasts(tmp_path / "tfds", {"train": train, "test": examples()})
    if not refused:
        assert ingest(data_dir, tmp_path / "target", dataset="beasts").splits["train"].num_examples == 7
        return
    message = refusal(ingest, data_dir, tmp_path / "target")
    assert f": record 3: image: {side}×20 px is too small, at least 8 px are wanted" in message
    assert "beasts-train.tfrecord-00000-of-00001" in message


def overwrite_shard(data_dir: Path, index: int, **features: Any) -> None:
    """Writes the train shard anew, with well-formed examples of which one has other features."""
    path = data_dir / "beasts" / "1.0.0" / "beasts-train.tfrecord-00000-of-00001"
    source = open_source("beasts", data_dir)
    assert source is not None
    records = list(read_records(path))
    with path.open("wb") as file:
        for position, record in enumerate(records):
            example = tf_example_pb2.Example.FromString(record)
            if position == index:
                for name, value in features.items():
                    del example.features.feature[name]
                    if isinstance(value, bytes):
                        example.features.feature[name].bytes_list.value.append(value)
                    elif value is not None:
                        example.features.feature[name].int64_list.value.append(value)
            write_record(file, example.SerializeToString())


@pytest.mark.parametrize(
    ("features", "wanted"),
    [
        pytest.param({"image": b"no image at all"}, ": record 2: image: 15 bytes that are no image", id="no image"),
        pytest.param({"image": b""}, ": record 2: image: 0 bytes that are no image", id="no bytes"),
        pytest.param({"image": None}, ": record 2: image: ", id="no image feature"),
        pytest.param({"label": 2}, ": record 2: label: 2 is not in [0, 2)", id="a class too many"),
        pytest.param({"label": -1}, ": record 2: label: -1 is not in [0, 2)", id="tfds's label of a secret"),
        pytest.param({"label": None}, ": record 2: label: ", id="no label feature"),
    ],
)
def test_an_example_that_is_no_image_with_a_class_is_refused_and_its_record_named(
    features: dict[str, Any],
    wanted: str,
    tmp_path: Path,
    ingest: Callable[..., Any],
    prepare_beasts: Callable[..., Path],
) -> None:
    data_dir = prepare_beasts(tmp_path / "tfds", {"train": examples(), "test": examples()})
    overwrite_shard(data_dir, 2, **features)
    assert wanted in refusal(ingest, data_dir, tmp_path / "target")


def test_a_png_that_breaks_off_is_refused_and_its_record_named(
    tmp_path: Path, ingest: Callable[..., Any], prepare_beasts: Callable[..., Path]
) -> None:
    """Its header is whole, so only decoding finds it; training would, minutes later, without its record's number."""
    data_dir = prepare_beasts(tmp_path / "tfds", {"train": examples(), "test": examples()})
    record = next(read_records(data_dir / "beasts" / "1.0.0" / "beasts-train.tfrecord-00000-of-00001"))
    png = tf_example_pb2.Example.FromString(record).features.feature["image"].bytes_list.value[0]
    overwrite_shard(data_dir, 2, image=png[:45])
    assert ": record 2: image: " in refusal(ingest, data_dir, tmp_path / "target")


@pytest.mark.parametrize("name", ["no such", "", "a/b/c/d", "../tfds"])
def test_what_cannot_be_a_datasets_name_is_refused_and_shown(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_source(name, tmp_path)
    assert repr(name) in str(caught.value)


def test_a_dataset_that_is_not_there_is_not_there(tmp_path: Path) -> None:
    assert open_source("mnist", tmp_path) is None
    assert open_source("mnist:9.9.9", tmp_path) is None
