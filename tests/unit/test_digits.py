"""The handwritten digits as tfds prepared them, against scikit-learn's."""

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits
from tensorflow_datasets.proto import tf_example_pb2

from components.ingest.source import open_source
from components.ingest.tfrecord import read_records


@pytest.fixture(scope="module")
def prepared(digits_dir: Path) -> dict[str, list[tuple[int, bytes]]]:
    """Per split, the label and the decoded pixels of every example."""
    source = open_source("digits", digits_dir)
    assert source is not None
    examples: dict[str, list[tuple[int, bytes]]] = {}
    for split in source.num_examples:
        examples[split] = []
        for piece in source.slices(split):
            for record in read_records(piece.path):
                features = tf_example_pb2.Example.FromString(record).features.feature
                with Image.open(io.BytesIO(features["image"].bytes_list.value[0])) as image:
                    assert (image.format, image.mode, image.size) == ("PNG", "L", (8, 8))
                    examples[split].append((features["label"].int64_list.value[0], image.tobytes()))
    return examples


def test_the_splits_have_1437_and_360_examples(prepared: dict[str, list[tuple[int, bytes]]]) -> None:
    assert {split: len(examples) for split, examples in prepared.items()} == {"train": 1437, "test": 360}


def test_both_splits_together_are_scikit_learns_images_with_their_labels(
    prepared: dict[str, list[tuple[int, bytes]]],
) -> None:
    digits = load_digits()
    wanted = Counter(
        (int(label), np.rint(image * 255 / 16).astype(np.uint8).tobytes())
        for image, label in zip(digits.images, digits.target, strict=True)
    )
    assert Counter(prepared["train"] + prepared["test"]) == wanted


def test_each_class_is_in_both_splits_in_proportion(prepared: dict[str, list[tuple[int, bytes]]]) -> None:
    everywhere = Counter(load_digits().target.tolist())
    for split, share in (("train", 0.8), ("test", 0.2)):
        counts = Counter(label for label, _ in prepared[split])
        assert counts.keys() == everywhere.keys()
        for label, total in everywhere.items():
            assert abs(counts[label] - share * total) < 1


def test_the_classes_are_named_after_the_digits(digits_dir: Path) -> None:
    source = open_source("digits", digits_dir)
    assert source is not None
    assert source.full_name == "digits/1.0.0"
    assert source.class_names == tuple("0123456789")
