"""One tfds example to one of ours: the encoded image as it is, and its label."""

import io

from PIL import Image, UnidentifiedImageError
from tensorflow_datasets.proto import tf_example_pb2

from components.contracts.errors import InputError

# Below this there is nothing to recognize: the handwritten digits have 8 px.
MIN_SIDE_PX = 8


def convert_example(record: bytes, num_classes: int, source: str) -> tuple[bytes, int]:
    """A serialized tfds example to a serialized `tf.train.Example` of `image` and `label` alone, and the label.

    Raises InputError that names `source` for an image that cannot be decoded or is smaller than 8 px on a side, for
    a label outside [0, num_classes), and where either is missing.
    """
    features = tf_example_pb2.Example.FromString(record).features.feature
    images, labels = features["image"].bytes_list.value, features["label"].int64_list.value
    for name, values in (("image", images), ("label", labels)):
        if len(values) != 1:
            raise InputError(f"{source}: {name}: one value is wanted, {len(values)} were found")
    encoded, label = images[0], labels[0]
    try:
        with Image.open(io.BytesIO(encoded)) as image:
            image.load()  # the whole image: one that breaks off would end the training that comes to it
            width, height = image.size
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError) as error:
        raise InputError(f"{source}: image: {len(encoded)} bytes that are no image ({error})") from error
    if min(width, height) < MIN_SIDE_PX:
        raise InputError(f"{source}: image: {width}×{height} px is too small, at least {MIN_SIDE_PX} px are wanted")
    if not 0 <= label < num_classes:
        raise InputError(f"{source}: label: {label} is not in [0, {num_classes})")
    example = tf_example_pb2.Example()
    example.features.feature["image"].bytes_list.value.append(encoded)
    example.features.feature["label"].int64_list.value.append(label)
    return example.SerializeToString(deterministic=True), label
