"""A prepared tfds dataset on disk: what it is called, what it holds, and its fingerprint. No TensorFlow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import google_crc32c
import tensorflow_datasets as tfds
from google.protobuf.json_format import ParseError
from tensorflow_datasets.core import read_only_builder

from components.contracts.errors import ContractError, InputError
from components.contracts.fingerprint import SourceShard, fingerprint

CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Slice:
    """`num_examples` consecutive records of one TFRecord file, after the first `skip`."""

    path: Path
    skip: int
    num_examples: int


@dataclass(frozen=True)
class Source:
    """A prepared dataset. `num_examples` is per split, as the dataset's authors made them."""

    full_name: str  # name/version or name/config/version
    folder: Path
    features: dict[str, str]
    class_names: tuple[str, ...]
    num_examples: dict[str, int]
    _info: Any

    def slices(self, expression: str) -> tuple[Slice, ...]:
        """The records that a tfds split expression such as `test[:10%]` names, in order.

        Raises InputError for an unknown split, an expression that tfds cannot parse, and one without examples.
        """
        try:
            instructions = self._info.splits[expression].file_instructions
        except (ValueError, AssertionError) as error:
            raise InputError(
                f"split {expression!r}: not a split of {self.full_name}, which has {_listed(self.num_examples)}"
            ) from error
        slices = tuple(
            Slice(
                Path(instruction.filename),
                instruction.skip,
                instruction.examples_in_shard - instruction.skip if instruction.take == -1 else instruction.take,
            )
            for instruction in instructions
        )
        if not slices or any(piece.num_examples < 1 for piece in slices):  # train[10:5] is minus five to tfds
            raise InputError(f"split {expression!r} of {self.full_name}: no examples")
        return slices

    def fingerprint(self) -> str:
        """`sha256:…` of the name, the feature spec and every shard's name, size and CRC32C. Reads every shard once."""
        splits = {
            split: tuple(_source_shard(Path(path)) for path in sorted(info.filepaths))
            for split, info in self._info.splits.items()
        }
        # tfds keeps the names of the classes in a file beside the feature spec.
        features = {"spec": self._info.features.to_json(), "class_names": self.class_names}
        return fingerprint(self.full_name, features, splits)


def open_source(dataset: str, data_dir: Path) -> Source | None:
    """The dataset (`name`, `name/config` or `name:version`) prepared below `data_dir`; None where it is not prepared.

    Raises InputError for a name that is none, and where the dataset cannot be trained on: no `image` and `label`
    features, one class only, a file format other than TFRecord; ContractError where its own description is damaged.
    """
    try:
        info = read_only_builder.builder_from_files(dataset, data_dir=str(data_dir)).info
    except tfds.core.registered.DatasetNotFoundError:
        return None
    except ParseError as error:
        raise ContractError(f"{data_dir}: {dataset}: a damaged dataset_info.json or features.json ({error})") from error
    except ValueError as error:
        raise InputError(f"dataset {dataset!r}: not a tfds name (name, name/config or name:version)") from error
    features = dict(sorted(info.features.items())) if isinstance(info.features, tfds.features.FeaturesDict) else {}
    if not isinstance(features.get("image"), tfds.features.Image):
        raise InputError(f"{info.full_name}: no `image` feature; it has {_listed(features)}")
    if not isinstance(features.get("label"), tfds.features.ClassLabel):
        raise InputError(f"{info.full_name}: no `label` feature of classes; it has {_listed(features)}")
    if features["label"].num_classes < 2:
        raise InputError(f"{info.full_name}: label: {features['label'].num_classes} class; a classifier needs two")
    if info.file_format is not tfds.core.FileFormat.TFRECORD:
        raise InputError(f"{info.full_name}: file format {info.file_format.value}; only tfrecord can be read")
    return Source(
        full_name=info.full_name,
        folder=Path(info.data_dir),
        features={name: " ".join(repr(feature).split()) for name, feature in features.items()},
        class_names=tuple(features["label"].names),
        num_examples={name: split.num_examples for name, split in info.splits.items()},
        _info=info,
    )


def require_source(dataset: str, data_dir: Path) -> Source:
    """As `open_source`; raises InputError where the dataset is not prepared."""
    if source := open_source(dataset, data_dir):
        return source
    raise InputError(f"{data_dir}: {dataset!r} is not prepared there")


def _source_shard(path: Path) -> SourceShard:
    checksum, num_bytes = google_crc32c.Checksum(), 0
    try:
        with path.open("rb") as file:
            for chunk in iter(lambda: file.read(CHUNK_BYTES), b""):
                checksum.update(chunk)
                num_bytes += len(chunk)
    except FileNotFoundError as error:
        raise ContractError(f"{path}: there is no such file, but its dataset_info.json lists it") from error
    return SourceShard(path.name, num_bytes, checksum.digest().hex())


def _listed(names: Any) -> str:
    return ", ".join(names) or "none"
