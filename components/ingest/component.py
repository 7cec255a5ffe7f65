from kfp import dsl


@dsl.component(base_image="pedigree-ingest-python:0.1.0", install_kfp_package=False)
def ingest(
    dataset_name: str,
    data_dir: str,
    fingerprint: str,
    train_split: str,
    validation_split: str,
    test_split: str,
    dataset: dsl.Output[dsl.Dataset],
) -> None:
    """Turns a prepared tfds dataset into TFRecord shards with a manifest.

    Args:
        dataset_name: The tfds name, such as stanford_dogs.
        data_dir: Folder that tfds prepared the dataset in.
        fingerprint: The refresh that the run was started for; another one is refused.
        train_split: tfds split expression; empty for the default.
        validation_split: tfds split expression; empty for the default.
        test_split: tfds split expression; empty for the default.
        dataset: The shards and their manifest.
    """
    from pathlib import Path

    from components.contracts.step_console import one_line_errors
    from components.ingest.ingest import ingest_dataset
    from components.ingest.splits import SplitExpressions

    with one_line_errors("ingest"):
        manifest = ingest_dataset(
            dataset=dataset_name,
            data_dir=Path(data_dir),
            fingerprint=fingerprint,
            splits=SplitExpressions(train_split, validation_split, test_split),
            target=Path(dataset.path),
        )
    dataset.metadata["dataset"] = manifest.dataset
    dataset.metadata["fingerprint"] = manifest.fingerprint
