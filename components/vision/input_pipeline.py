"""The examples of a manifest as batches of tensors."""

import os
from pathlib import Path

import google_crc32c
import numpy as np
import tensorflow as tf

from components.contracts.dataset_manifest import MANIFEST_FILE, DatasetManifest
from components.contracts.errors import ContractError
from components.contracts.model_manifest import Normalization
from components.contracts.strict_json import load
from components.vision.preprocessing import preprocess, random_shift

SHUFFLE_BUFFER_EXAMPLES = 10_000
NUM_PARALLEL_READS = 16
NUM_PARALLEL_CALLS = os.cpu_count() or 1
NUM_PREFETCHED_BATCHES = 2
FEATURES = {"image": tf.io.FixedLenFeature((), tf.string), "label": tf.io.FixedLenFeature((), tf.int64)}


def open_dataset(folder: Path) -> DatasetManifest:
    """The manifest of a dataset whose shards are all there and whole.

    Raises ContractError for a damaged manifest, and for a shard whose bytes are not those that the manifest lists.
    """
    manifest = load(DatasetManifest, folder / MANIFEST_FILE)
    for split in manifest.splits.values():
        for shard in split.shards:
            path = folder / shard.name
            if not path.is_file():
                raise ContractError(f"{path}: there is no such file, but {MANIFEST_FILE} lists it")
            if (crc32c := _crc32c_of_file(path)) != shard.crc32c:
                raise ContractError(f"{path}: CRC32C {crc32c}, but {MANIFEST_FILE} lists {shard.crc32c}")
    return manifest


def encoded_examples(folder: Path, manifest: DatasetManifest, split: str) -> tf.data.Dataset:
    """`(encoded image, label)` of a split, in the order of its shards."""
    files = [str(folder / shard.name) for shard in manifest.splits[split].shards]
    examples = tf.data.TFRecordDataset(files)
    return examples.map(lambda record: _image_and_label(tf.io.parse_single_example(record, FEATURES)))


def evaluation_batches(
    folder: Path,
    manifest: DatasetManifest,
    split: str,
    batch_size: int,
    image_size_px: int,
    normalization: Normalization,
) -> tf.data.Dataset:
    """`(images (n, size, size, 3), labels (n,))` in order, every example once; the last batch may be smaller."""
    return (
        encoded_examples(folder, manifest, split)
        .map(lambda image, label: (preprocess(image, image_size_px, normalization), label), NUM_PARALLEL_CALLS)
        .batch(batch_size)
        .prefetch(NUM_PREFETCHED_BATCHES)
        .with_options(_fixed_parallelism())
    )


def training_batches(
    folder: Path,
    manifest: DatasetManifest,
    *,
    batch_size: int,
    image_size_px: int,
    normalization: Normalization,
    max_shift_share: float,
    seed: int,
    epoch: int,
) -> tf.data.Dataset:
    """`(images (batch_size, size, size, 3), labels (batch_size,))` of one epoch over `train`, shuffled and shifted.

    The order and every shift depend on `(seed, epoch)` alone. A last batch that is not full is left out: its examples
    come in other epochs. Shards are shuffled as files, then examples within a buffer of 10,000.
    """
    random = np.random.default_rng((seed, epoch))
    files = [str(folder / shard.name) for shard in manifest.splits["train"].shards]
    shuffled = [files[index] for index in random.permutation(len(files))]
    shuffle_seed, shift_seed = (int(value) for value in random.integers(1 << 31, size=2))

    def prepare(position: tf.Tensor, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        features = tf.io.parse_single_example(record, FEATURES)
        image = preprocess(features["image"], image_size_px, normalization)
        return random_shift(image, max_shift_share, seed=tf.stack([shift_seed, position])), features["label"]

    dataset = (
        tf.data.Dataset.from_tensor_slices(shuffled)
        .interleave(tf.data.TFRecordDataset, cycle_length=NUM_PARALLEL_READS)
        .shuffle(SHUFFLE_BUFFER_EXAMPLES, seed=shuffle_seed, reshuffle_each_iteration=False)
        .enumerate()
        .map(prepare, NUM_PARALLEL_CALLS)
        .batch(batch_size, drop_remainder=True)
        .prefetch(NUM_PREFETCHED_BATCHES)
    )
    return dataset.with_options(_fixed_parallelism())


def _fixed_parallelism() -> tf.data.Options:
    """Without autotuning, whose thread holds up the end of every epoch until its next period, up to ten seconds."""
    options = tf.data.Options()
    options.autotune.enabled = False
    options.deterministic = True
    return options


def _image_and_label(features: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    return features["image"], features["label"]


def _crc32c_of_file(path: Path) -> str:
    checksum = google_crc32c.Checksum()
    with path.open("rb") as file:
        for chunk in iter(lambda: file.read(1 << 20), b""):
            checksum.update(chunk)
    return str(checksum.digest().hex())
