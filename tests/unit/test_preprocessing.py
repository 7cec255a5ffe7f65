"""From encoded images to what the network sees, on images of which every pixel is known."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.contracts.model_manifest import IMAGENET_NORMALIZATION
from components.vision.preprocessing import decode_image, normalize, preprocess, random_shift, resize_and_crop


def encoded(pixels: np.ndarray, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, image_format, **options)
    return buffer.getvalue()


def random_pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_a_grey_png_becomes_three_equal_channels() -> None:
    grey = random_pixels(5, 7)
    decoded = decode_image(encoded(grey, "PNG")).numpy()
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, np.stack([grey] * 3, axis=-1))


def test_a_colour_png_keeps_its_pixels() -> None:
    colours = random_pixels(5, 7, 3)
    np.testing.assert_array_equal(decode_image(encoded(colours, "PNG")).numpy(), colours)


def test_a_jpeg_keeps_its_colours_in_the_order_red_green_blue() -> None:
    colours = np.zeros((16, 24, 3), np.uint8)  # JPEG's blocks are of 8 px: the edge lies between two
    colours[:, :8] = (200, 30, 60)
    colours[:, 8:] = (10, 90, 220)
    decoded = decode_image(encoded(colours, "JPEG", quality=100, subsampling=0)).numpy()
    assert decoded.shape == (16, 24, 3)
    assert np.abs(decoded.astype(int) - colours).max() <= 3


def test_the_first_frame_of_a_moving_gif_is_taken() -> None:
    frames = [Image.fromarray(np.full((8, 8), value, np.uint8)) for value in (10, 200)]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    decoded = decode_image(buffer.getvalue()).numpy()
    assert decoded.shape == (8, 8, 3)
    assert np.abs(decoded.astype(int) - 10).max() <= 2


@pytest.mark.parametrize("wide", [True, False])
def test_of_an_oblong_image_the_centred_square_is_kept(wide: bool) -> None:
    """8×12 pixels, of which the outer two columns (or rows) at each end must not be seen."""
    square = random_pixels(8, 8, 3)
    edge = np.full((8, 2, 3), 255, np.uint8)
    oblong = np.concatenate([edge, square, edge], axis=1)
    if not wide:
        oblong, square = oblong.transpose(1, 0, 2), square.transpose(1, 0, 2)
    np.testing.assert_array_equal(resize_and_crop(tf.constant(oblong), 8).numpy(), square.astype(np.float32))


def test_an_image_is_enlarged_bilinearly() -> None:
    """Between two pixels' centres the value changes linearly; beyond the outer centres it stays."""
    row = np.array([[[0], [100]]] * 2, np.uint8).repeat(3, axis=2)
    enlarged = resize_and_crop(tf.constant(row), 4).numpy()
    assert enlarged.shape == (4, 4, 3)
    np.testing.assert_allclose(enlarged[:, :, 0], [[0, 25, 75, 100]] * 4, atol=1e-4)


def test_an_image_is_shrunk_without_skipping_pixels() -> None:
    """One white row in eight makes the whole a dark grey; picking pixels near the centres would leave it black."""
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[::8] = 255
    shrunk = resize_and_crop(tf.constant(stripes), 8).numpy()
    np.testing.assert_allclose(shrunk[1:-1], 255 / 8, atol=4)


def test_pixels_are_normalized_by_the_channels_own_numbers() -> None:
    pixels = tf.constant([[[123.675, 116.28, 103.53], [255.0, 255.0, 255.0], [0.0, 0.0, 0.0]]])
    wanted = [[[0, 0, 0], [2.2489083, 2.4285714, 2.64], [-2.117904, -2.0357144, -1.8044444]]]
    np.testing.assert_allclose(normalize(pixels, IMAGENET_NORMALIZATION).numpy(), wanted, atol=1e-6)


def test_one_image_goes_all_the_way() -> None:
    white = encoded(np.full((20, 30), 255, np.uint8), "PNG")
    image = preprocess(tf.constant(white), 32, IMAGENET_NORMALIZATION)
    assert image.shape == (32, 32, 3)
    assert image.dtype == tf.float32
    np.testing.assert_allclose(image.numpy()[5, 5], [2.2489083, 2.4285714, 2.64], atol=1e-5)


def test_bytes_that_are_no_image_are_refused() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError):
        decode_image(tf.constant(b"no image"))


def test_a_shift_depends_on_its_seed_alone() -> None:
    image = tf.constant(random_pixels(32, 32, 3), tf.float32)
    shifted = [random_shift(image, 0.1, seed=tf.constant([1, position])).numpy() for position in (0, 0, 1, 2, 3)]
    np.testing.assert_array_equal(shifted[0], shifted[1])
    assert len({image.tobytes() for image in shifted}) > 1


def test_a_shift_moves_the_image_by_at_most_its_share_and_mirrors_the_edge() -> None:
    """The image shifted by hand in all 7×7 ways that 3 of 32 px allow: each result is one of them, and most appear."""
    pixels = random_pixels(32, 32, 3).astype(np.float32)
    padded = np.pad(pixels, ((3, 3), (3, 3), (0, 0)), mode="symmetric")
    allowed = {padded[y : y + 32, x : x + 32].tobytes() for y in range(7) for x in range(7)}
    shifted = {
        random_shift(tf.constant(pixels), 0.1, seed=tf.constant([0, position])).numpy().tobytes()
        for position in range(200)
    }
    assert shifted <= allowed
    assert len(shifted) > 35


def test_no_share_is_no_shift() -> None:
    image = tf.constant(random_pixels(32, 32, 3), tf.float32)
    np.testing.assert_array_equal(random_shift(image, 0.0, seed=tf.constant([0, 0])).numpy(), image.numpy())
