"""Prepares a tfds dataset, in a process of its own: tfds writes with TensorFlow, and nothing else here may import it.

python -m components.ingest.prepare --dataset digits --data-dir DIR [--manual-dir DIR]
"""

import argparse
from pathlib import Path
from typing import Any

import requests
import tensorflow_datasets as tfds
from tensorflow_datasets.core.download import downloader
from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError
from tensorflow_datasets.core.download.extractor import ExtractError
from tensorflow_datasets.core.download.util import DownloadError
from tensorflow_datasets.core.example_serializer import ExampleSerializer

from components.contracts.errors import InputError
from components.contracts.step_console import one_line_errors
from components.ingest import digits  # noqa: F401  registers the dataset with tfds

# tfds' own ten tries with back-off keep somebody without a network waiting for three and a half minutes; five take 6 s.
downloader.MAX_RETRIES = 5


def _serialize_in_order(serializer: ExampleSerializer, example: Any) -> bytes:
    return bytes(serializer.get_tf_example(example).SerializeToString(deterministic=True))


# tfds leaves the order of an example's features to protobuf, which draws it anew in every process: the same dataset,
# prepared twice, would be two refreshes.
ExampleSerializer.serialize_example = _serialize_in_order


def prepare_dataset(dataset: str, data_dir: Path, manual_dir: Path | None) -> None:
    """Downloads what is missing and writes the dataset below `data_dir`, with tfds' progress bars; whole or not at all.

    Files that lie in `manual_dir` under the names that the dataset's authors gave them are not downloaded, and are
    checked against the checksums that tfds knows. Raises InputError for an unknown dataset and a failed download.
    """
    if manual_dir is not None and not manual_dir.is_dir():
        raise InputError(f"--manual-dir: {manual_dir} is not a folder")
    try:
        builder = tfds.builder(dataset, data_dir=str(data_dir), try_gcs=False)
    except (tfds.core.registered.DatasetNotFoundError, ValueError) as error:
        raise InputError(f"dataset {dataset!r}: tfds knows no such dataset ({str(error).splitlines()[0]})") from error
    config = tfds.download.DownloadConfig(manual_dir=manual_dir, try_download_gcs=False)
    try:
        builder.download_and_prepare(download_config=config)
    except (requests.exceptions.RequestException, DownloadError) as error:  # the first is an OSError
        raise InputError(
            f"dataset {dataset!r}: the download failed ({type(error).__name__}). Where there is a network: "
            f"python -m components.ingest.prepare --dataset {dataset} --data-dir DIR, then --data-dir DIR here; "
            "or put its files into a folder and pass --manual-dir"
        ) from error
    except (NonMatchingChecksumError, ExtractError) as error:
        raise InputError(f"dataset {dataset!r}: a file is not the one that tfds knows ({error})") from error
    except OSError as error:
        if builder.data_path.exists():  # another process was faster
            return
        if error.errno is None:  # tfds' own words, such as those for too little disk space
            raise InputError(f"dataset {dataset!r}: {error}") from error
        raise


def main() -> None:
    parser = argparse.ArgumentParser(description="Prepare a tfds dataset.")
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--manual-dir", type=Path)
    arguments = parser.parse_args()
    with one_line_errors("prepare"):
        prepare_dataset(arguments.dataset, arguments.data_dir, arguments.manual_dir)


if __name__ == "__main__":
    main()
