"""One worker's task: a slice of a tfds shard becomes one shard of ours."""

import itertools
import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import google_crc32c

from components.contracts.errors import ContractError
from components.contracts.step_console import say
from components.ingest.examples import convert_example
from components.ingest.source import Slice
from components.ingest.tfrecord import read_records, write_record


@dataclass(frozen=True)
class ShardTask:
    """Which records to read, and the file to write them to. What it writes depends on nothing else."""

    split: str
    index: int
    source: Slice
    target: Path
    num_classes: int


@dataclass(frozen=True)
class ShardResult:
    """What was written, as plain values that any Beam runner can carry."""

    split: str
    index: int
    name: str
    num_examples: int
    num_bytes: int
    crc32c: str
    examples_per_label: dict[str, int]


def write_shard(task: ShardTask) -> dict[str, Any]:
    """Writes the shard whole or not at all, and returns its ShardResult as a dict.

    Raises ContractError for damaged records and where the source holds fewer than it says, InputError for examples
    that cannot be trained on.
    """
    checksum, num_bytes, labels = google_crc32c.Checksum(), 0, Counter[str]()
    first, last = task.source.skip, task.source.skip + task.source.num_examples
    temporary = task.target.with_name(f".{task.target.name}.{os.getpid()}")
    try:
        with temporary.open("wb+") as file:
            for number, record in enumerate(itertools.islice(read_records(task.source.path), first, last), start=first):
                example, label = convert_example(record, task.num_classes, f"{task.source.path}: record {number}")
                write_record(file, example)
                labels[str(label)] += 1
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            for chunk in iter(lambda: file.read(1 << 20), b""):
                checksum.update(chunk)
                num_bytes += len(chunk)
        if labels.total() != task.source.num_examples:
            raise ContractError(
                f"{task.source.path}: {first + labels.total()} records, at least {last} are in its dataset_info.json"
            )
        temporary.replace(task.target)
    finally:
        temporary.unlink(missing_ok=True)
    say("ingest", f"{task.target.name}: {labels.total():,} examples, {num_bytes / 1e6:.1f} MB")
    result = ShardResult(
        task.split, task.index, task.target.name, labels.total(), num_bytes, checksum.digest().hex(), dict(labels)
    )
    return asdict(result)
