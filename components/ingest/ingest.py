"""Ingest, top to bottom: the source's splits become tasks, Beam runs them, the manifest is written last."""

import json
import re
from collections import Counter
from pathlib import Path

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from components.contracts.dataset_manifest import MANIFEST_FILE, DatasetManifest, Shard, Split
from components.contracts.errors import InputError, PedigreeError
from components.contracts.strict_json import save
from components.ingest.shards import ShardResult, ShardTask, write_shard
from components.ingest.source import Source, require_source
from components.ingest.splits import SplitExpressions, resolve_splits

RESULTS_FILE = ".shards.json"
BEAM_SUFFIX = re.compile(r" \[while running '[^']*'\]$")  # what Beam appends to a message that a worker raised


def ingest_dataset(
    *,
    dataset: str,
    data_dir: Path,
    fingerprint: str,
    splits: SplitExpressions,
    target: Path,
    runner: str = "FnApiRunner",
) -> DatasetManifest:
    """Turns the prepared tfds `dataset` below `data_dir` into TFRecord shards and a manifest in the folder `target`.

    `fingerprint` is what the run was started for: a dataset that has changed since is refused. `runner` is a name that
    Beam knows. Raises InputError for what cannot be trained on and ContractError for damaged files.
    """
    source = require_source(dataset, data_dir)
    if (found := source.fingerprint()) != fingerprint:
        raise InputError(f"{source.folder}: fingerprint {found}; the run was started for {fingerprint}")
    target.mkdir(parents=True, exist_ok=True)
    resolved = resolve_splits(source, splits)
    tasks = [
        ShardTask(
            split, index, piece, target / f"{split}-{index:05d}-of-{len(pieces):05d}.tfrecord", len(source.class_names)
        )
        for split, (_, pieces) in resolved.items()
        for index, piece in enumerate(pieces)
    ]
    results = _run(tasks, target / RESULTS_FILE, runner)
    _check_classes(source, results)
    manifest = DatasetManifest(
        dataset=source.full_name,
        fingerprint=fingerprint,
        features=source.features,
        class_names=source.class_names,
        splits={
            split: _split(expression, [result for result in results if result.split == split])
            for split, (expression, _) in resolved.items()
        },
    )
    save(manifest, target / MANIFEST_FILE)
    return manifest


def _run(tasks: list[ShardTask], results_path: Path, runner: str) -> list[ShardResult]:
    """The Beam graph: one element a shard, so that per-record overhead does not rule."""
    try:
        with beam.Pipeline(runner=runner, options=PipelineOptions([])) as pipeline:
            (
                pipeline
                | "Tasks" >> beam.Create(tasks)
                | "One shard a worker" >> beam.Reshuffle()
                | "Write shard" >> beam.Map(write_shard)
                | "All results" >> beam.combiners.ToList()
                | "Write results" >> beam.Map(lambda results, path: path.write_text(json.dumps(results)), results_path)
            )
    except Exception as error:  # a runner wraps what a worker raised
        raise _root_cause(error) from error
    results = [ShardResult(**result) for result in json.loads(results_path.read_text())]
    results_path.unlink()
    return sorted(results, key=lambda result: (result.split, result.index))


def _root_cause(error: BaseException) -> BaseException:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, PedigreeError):
            return type(cause)(BEAM_SUFFIX.sub("", str(cause)))
        if isinstance(cause, OSError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return error


def _check_classes(source: Source, results: list[ShardResult]) -> None:
    labels: Counter[str] = Counter()
    for result in results:
        if result.split == "train":
            labels.update(result.examples_per_label)
    if len(labels) < 2:
        name = source.class_names[int(next(iter(labels)))]
        raise InputError(f"{source.full_name}: the train split holds one class only, {name!r}; a classifier needs two")


def _split(expression: str, results: list[ShardResult]) -> Split:
    return Split(
        expression=expression,
        num_examples=sum(result.num_examples for result in results),
        num_bytes=sum(result.num_bytes for result in results),
        shards=tuple(Shard(result.name, result.num_examples, result.num_bytes, result.crc32c) for result in results),
    )
