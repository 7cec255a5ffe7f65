"""What train leaves behind, beside the weights. Written last."""

from dataclasses import dataclass
from typing import ClassVar

MODEL_MANIFEST_FILE = "model.json"
# ResNet halves the image five times: below 32 px its last stage would see padding only.
MIN_IMAGE_SIZE_PX = 32


@dataclass(frozen=True)
class Normalization:
    """`(pixel - mean) / standard_deviation` per channel (red, green, blue), for pixels in [0, 255]."""

    mean: tuple[float, ...]
    standard_deviation: tuple[float, ...]


# The channel statistics of ImageNet, customary for ResNet whatever the dataset: a pre-trained model can take over.
IMAGENET_NORMALIZATION = Normalization(mean=(123.675, 116.28, 103.53), standard_deviation=(58.395, 57.12, 57.375))


@dataclass(frozen=True)
class EpochMetrics:
    """One line of the learning curve. Losses are mean cross-entropies in nats, accuracies are in [0, 1]."""

    epoch: int  # from 1
    train_loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    learning_rate: float
    seconds: float
    images_per_second: float


@dataclass(frozen=True)
class ModelManifest:
    """A trained classifier and all that is needed to feed it, so that nobody has to guess the preprocessing."""

    SCHEMA_VERSION: ClassVar[int] = 1

    architecture: str  # resnet
    depth: int
    variant: str
    num_parameters: int
    image_size_px: int
    normalization: Normalization
    class_names: tuple[str, ...]
    keras_file: str  # relative to this manifest
    keras_file_sha256: str
    weights_sha256: str  # of names, shapes and values: the same for the same weights, whenever they were saved
    served_model: str  # the MLflow model directory, relative to this manifest
    served_model_sha256: str
    dataset: str
    dataset_fingerprint: str
    recipe: dict[str, str]
    config_sha256: str
    seed: int
    best_epoch: int
    history: tuple[EpochMetrics, ...]
