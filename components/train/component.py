from kfp import dsl


@dsl.component(base_image="pedigree-train-python:0.1.0", install_kfp_package=False)
def train(
    dataset: dsl.Input[dsl.Dataset],
    recipe: str,
    image_size_px: int,
    num_epochs: int,
    batch_size: int,
    seed: int,
    run_dir: str,
    model: dsl.Output[dsl.Model],
) -> None:
    """Trains ResNet-50 and keeps the epoch with the lowest validation loss.

    Args:
        dataset: The shards and their manifest.
        recipe: Name of the training recipe.
        image_size_px: Side of the square that the network sees, in pixels.
        num_epochs: Passes over the train split.
        batch_size: Examples a step.
        seed: Of the initial weights and of the data's order.
        run_dir: Folder of this run, where its checkpoints are: a training that was cut off goes on from them.
        model: The Keras file, the model as a server takes it, and their manifest.
    """
    from pathlib import Path

    from components.contracts.step_console import one_line_errors
    from components.train.config import TrainingConfig
    from components.train.recipe import find_recipe

    with one_line_errors("train"):
        config = TrainingConfig(find_recipe(recipe), image_size_px, num_epochs, batch_size, seed)

        from components.train.train import train_model  # TensorFlow: after what is quick to check

        manifest = train_model(
            dataset=Path(dataset.path),
            config=config,
            target=Path(model.path),
            checkpoints=Path(run_dir) / "checkpoints",
        )
    model.metadata["weights_sha256"] = manifest.weights_sha256
    model.metadata["best_epoch"] = manifest.best_epoch
