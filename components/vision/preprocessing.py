"""From encoded bytes to the tensor that the network takes. Training, evaluation and the served model share it."""

import tensorflow as tf

from components.contracts.model_manifest import Normalization


def decode_image(encoded: tf.Tensor) -> tf.Tensor:
    """PNG, JPEG, GIF (first frame) or BMP bytes to uint8 `(height, width, 3)`; grey becomes three equal channels."""
    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    return tf.ensure_shape(image, (None, None, 3))


def resize_and_crop(image: tf.Tensor, image_size_px: int) -> tf.Tensor:
    """The largest centred square of `(height, width, 3)`, as float32 `(image_size_px, image_size_px, 3)` in [0, 255].

    Bilinear; antialiased where it shrinks, so that no source pixel is skipped.
    """
    shape = tf.shape(image)
    side = tf.minimum(shape[0], shape[1])
    square = tf.image.crop_to_bounding_box(image, (shape[0] - side) // 2, (shape[1] - side) // 2, side, side)
    return tf.image.resize(square, (image_size_px, image_size_px), method="bilinear", antialias=True)


def normalize(image: tf.Tensor, normalization: Normalization) -> tf.Tensor:
    """`(pixel - mean) / standard_deviation` on the last axis of `(…, 3)`, pixels in [0, 255]."""
    return (image - tf.constant(normalization.mean)) / tf.constant(normalization.standard_deviation)


def preprocess(encoded: tf.Tensor, image_size_px: int, normalization: Normalization) -> tf.Tensor:
    """One encoded image to the network's float32 `(image_size_px, image_size_px, 3)`."""
    return normalize(resize_and_crop(decode_image(encoded), image_size_px), normalization)


def random_shift(image: tf.Tensor, max_shift_share: float, seed: tf.Tensor) -> tf.Tensor:
    """`(size, size, 3)` shifted by up to that share of its side in each direction, mirrored at the edge.

    The pad-and-crop of He et al. (2015), section 4.2, with a share for their 4 of 32 px. The same `seed` `(2,)`, the
    same shift.
    """
    size = image.shape[0]
    shift_px = round(size * max_shift_share)
    padded = tf.pad(image, ((shift_px, shift_px), (shift_px, shift_px), (0, 0)), mode="SYMMETRIC")
    return tf.image.stateless_random_crop(padded, (size, size, 3), seed=seed)
