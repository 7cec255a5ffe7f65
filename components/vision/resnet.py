"""ResNet, as He et al. draw it: a stem, four stages of bottleneck blocks, a linear head.

Sources: He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition" (2015), table 1. The stride sits in
the 3×3 convolution ("v1.5"), as in torchvision and the MLPerf reference; the zero start of each block's last scale
is Goyal et al., "Accurate, Large Minibatch SGD" (2017), section 5.1.
"""

import keras
from keras import KerasTensor, layers

from components.contracts.errors import InputError
from components.contracts.model_manifest import MIN_IMAGE_SIZE_PX

BLOCKS_PER_STAGE = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
STAGE_CHANNELS = (64, 128, 256, 512)
VARIANT = "v1.5"


def build_resnet(
    *, num_classes: int, image_size_px: int = 224, depth: int = 50, batch_norm_momentum: float = 0.9
) -> keras.Model:
    """A classifier: float32 images `(batch, image_size_px, image_size_px, 3)` to logits `(batch, num_classes)`.

    `batch_norm_momentum` is Keras' momentum, the share of the old average that stays after a step. Its default of 0.99
    leaves the moving averages useless after the few hundred steps that a small dataset has.

    Raises InputError for a depth that the paper does not have and for images smaller than 32 px.
    """
    if depth not in BLOCKS_PER_STAGE:
        raise InputError(f"depth: one of {', '.join(map(str, BLOCKS_PER_STAGE))} is wanted, {depth} was given")
    if image_size_px < MIN_IMAGE_SIZE_PX:
        raise InputError(
            f"image_size_px: at least {MIN_IMAGE_SIZE_PX} is wanted (halved five times), {image_size_px} was given"
        )
    inputs = keras.Input((image_size_px, image_size_px, 3), name="image")
    x = _convolution(inputs, 64, kernel_size=7, stride=2, name="stem")
    x = layers.ReLU(name="stem_relu")(_normalization(x, batch_norm_momentum, name="stem"))
    x = layers.ZeroPadding2D(1, name="stem_pool_pad")(x)  # a zero never wins the maximum after a ReLU
    x = layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)
    for stage, (channels, num_blocks) in enumerate(zip(STAGE_CHANNELS, BLOCKS_PER_STAGE[depth], strict=True), start=1):
        for block in range(1, num_blocks + 1):
            stride = 2 if stage > 1 and block == 1 else 1
            x = _bottleneck(x, channels, stride, batch_norm_momentum, name=f"stage{stage}_block{block}")
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    logits = layers.Dense(num_classes, kernel_initializer=keras.initializers.RandomNormal(stddev=0.01), name="logits")(
        x
    )
    return keras.Model(inputs, logits, name=f"resnet{depth}")


def _bottleneck(x: KerasTensor, channels: int, stride: int, momentum: float, name: str) -> KerasTensor:
    """`(batch, h, w, c)` to `(batch, h/stride, w/stride, 4·channels)`: 1×1, 3×3, 1×1 convolutions plus the shortcut."""
    shortcut = x
    if stride > 1 or x.shape[-1] != 4 * channels:
        shortcut = _convolution(x, 4 * channels, kernel_size=1, stride=stride, name=f"{name}_shortcut")
        shortcut = _normalization(shortcut, momentum, name=f"{name}_shortcut")
    for part, (filters, kernel_size, part_stride) in enumerate(((channels, 1, 1), (channels, 3, stride)), start=1):
        x = _convolution(x, filters, kernel_size, part_stride, name=f"{name}_{part}")
        x = layers.ReLU(name=f"{name}_{part}_relu")(_normalization(x, momentum, name=f"{name}_{part}"))
    x = _convolution(x, 4 * channels, kernel_size=1, stride=1, name=f"{name}_3")
    x = _normalization(x, momentum, name=f"{name}_3", initial_scale="zeros")  # each block starts as its shortcut
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([shortcut, x]))


def _convolution(x: KerasTensor, filters: int, kernel_size: int, stride: int, name: str) -> KerasTensor:
    """Without a bias, which the batch normalization behind it would take away again."""
    if stride > 1 and kernel_size > 1:  # Keras' "same" pads a strided convolution on one side only
        x = layers.ZeroPadding2D(kernel_size // 2, name=f"{name}_pad")(x)
        padding = "valid"
    else:
        padding = "same"
    return layers.Conv2D(
        filters,
        kernel_size,
        strides=stride,
        padding=padding,
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)


def _normalization(x: KerasTensor, momentum: float, name: str, initial_scale: str = "ones") -> KerasTensor:
    return layers.BatchNormalization(
        momentum=momentum, epsilon=1e-5, gamma_initializer=initial_scale, name=f"{name}_norm"
    )(x)
