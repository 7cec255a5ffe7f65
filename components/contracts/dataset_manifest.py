"""What ingest leaves behind. Written last: a dataset without a manifest does not exist."""

from dataclasses import dataclass
from typing import ClassVar

MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True)
class Shard:
    """One TFRecord file, named relative to the manifest. `crc32c` is of the file's bytes, 8 hexadecimal digits."""

    name: str
    num_examples: int
    num_bytes: int
    crc32c: str


@dataclass(frozen=True)
class Split:
    """`expression` is the tfds split expression that the examples were taken from, such as `test[:10%]`."""

    expression: str
    num_examples: int
    num_bytes: int
    shards: tuple[Shard, ...]


@dataclass(frozen=True)
class DatasetManifest:
    """A dataset of `(image, label)` examples, as `tf.train.Example`s with the features `image` and `label`.

    `image` is the encoded image (PNG or JPEG bytes), `label` an integer in [0, len(class_names)).
    `fingerprint` is the identity of the prepared tfds dataset that it was made of.
    """

    SCHEMA_VERSION: ClassVar[int] = 1

    dataset: str  # the tfds full name, such as digits/1.0.0
    fingerprint: str
    features: dict[str, str]
    class_names: tuple[str, ...]
    splits: dict[str, Split]  # train, validation, test
