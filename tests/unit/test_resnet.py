"""ResNet against the published figures, and what its blocks are at the start."""

from pathlib import Path

import keras
import numpy as np
import pytest

from components.contracts.errors import InputError
from components.vision.resnet import build_resnet


def num_trainable(model: keras.Model) -> int:
    return sum(int(np.prod(variable.shape)) for variable in model.trainable_variables)


@pytest.fixture(scope="module")
def resnet50() -> keras.Model:
    """For 1,000 classes at 224 px."""
    return build_resnet(num_classes=1000)


@pytest.fixture(scope="module")
def small_resnet50() -> keras.Model:
    """For 10 classes at 32 px."""
    keras.utils.set_random_seed(0)
    return build_resnet(num_classes=10, image_size_px=32)


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 32, 32, 3)).astype(np.float32)


def test_resnet50_has_the_published_number_of_trainable_parameters(resnet50: keras.Model) -> None:
    """25,557,032 in torchvision, whose ResNet-50 has its strides in the 3×3 convolutions too."""
    assert num_trainable(resnet50) == 25_557_032


@pytest.mark.parametrize(("depth", "wanted"), [(101, 44_549_160), (152, 60_192_808)])
def test_the_deeper_ones_have_the_published_number_of_trainable_parameters(depth: int, wanted: int) -> None:
    assert num_trainable(build_resnet(num_classes=1000, image_size_px=32, depth=depth)) == wanted


def test_the_stages_halve_the_image_from_56_px_to_7(resnet50: keras.Model) -> None:
    shapes = [
        resnet50.get_layer(f"stage{stage}_block{blocks}_relu").output.shape
        for stage, blocks in ((1, 3), (2, 4), (3, 6), (4, 3))
    ]
    assert shapes == [(None, 56, 56, 256), (None, 28, 28, 512), (None, 14, 14, 1024), (None, 7, 7, 2048)]
    assert resnet50.input_shape == (None, 224, 224, 3)
    assert resnet50.output_shape == (None, 1000)


def test_the_stride_is_in_the_3x3_convolution(resnet50: keras.Model) -> None:
    for stage in (2, 3, 4):
        assert resnet50.get_layer(f"stage{stage}_block1_1_conv").strides == (1, 1)
        assert resnet50.get_layer(f"stage{stage}_block1_2_conv").strides == (2, 2)


def test_no_convolution_has_a_bias(resnet50: keras.Model) -> None:
    convolutions = [layer for layer in resnet50.layers if isinstance(layer, keras.layers.Conv2D)]
    assert len(convolutions) == 53
    assert not any(layer.use_bias for layer in convolutions)


def test_a_block_starts_as_its_shortcut(small_resnet50: keras.Model) -> None:
    names = [f"stage2_block{block}_relu" for block in (1, 2, 3, 4)]
    outputs = [small_resnet50.get_layer(name).output for name in names]
    first, *others = keras.Model(small_resnet50.input, outputs).predict_on_batch(images(2))
    assert np.ptp(first) > 0
    for other in others:
        np.testing.assert_array_equal(other, first)


def test_the_momentum_of_the_moving_averages_is_the_one_asked_for() -> None:
    network = build_resnet(num_classes=2, image_size_px=32, batch_norm_momentum=0.75)
    momenta = {layer.momentum for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)}
    assert momenta == {0.75}


def test_a_new_network_gives_finite_logits_that_depend_on_the_image(small_resnet50: keras.Model) -> None:
    logits = small_resnet50.predict_on_batch(images(3))
    assert logits.shape == (3, 10)
    assert np.isfinite(logits).all()
    assert not np.allclose(logits[0], logits[1])


def test_a_saved_network_is_loaded_in_safe_mode_with_the_same_outputs(
    small_resnet50: keras.Model, tmp_path: Path
) -> None:
    small_resnet50.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.predict_on_batch(images(3)), small_resnet50.predict_on_batch(images(3)))


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"depth": 18}, "depth: one of 50, 101, 152 is wanted, 18 was given"),
        ({"image_size_px": 31}, "image_size_px: at least 32 is wanted (halved five times), 31 was given"),
    ],
)
def test_what_is_no_resnet_is_refused_in_one_line(asked: dict[str, int], wanted: str) -> None:
    with pytest.raises(InputError) as caught:
        build_resnet(num_classes=10, **asked)
    assert str(caught.value) == wanted
