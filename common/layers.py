"""The layers that the blocks of both backbones are made of."""

import keras
from keras import ops


def reflect_pad(x, before, after):
    """`x`, `(batch, height, width, channels)`, with its height and width padded by reflection."""
    return ops.pad(x, ((0, 0), (before, after), (before, after), (0, 0)), mode="reflect")


def activate(x, name, activation="relu", batch_norm=False):
    """What follows the convolution called `name`: batch normalisation where asked, then the activation (None: neither)."""
    if activation is None:
        return x
    if batch_norm:
        x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.Activation(activation, name=f"{name}_relu")(x)


def conv3x3(x, filters, name, activation="relu", batch_norm=False):
    """A 3x3 convolution on reflection-padded input; the size stays."""
    x = keras.layers.Conv2D(filters, 3, kernel_initializer="he_normal", name=name)(reflect_pad(x, 1, 1))
    return activate(x, name, activation, batch_norm)


def upsample(x):
    """Twice the height and width, bilinear, half-pixel centres."""
    return keras.layers.UpSampling2D(2, interpolation="bilinear")(x)


def convolutions(block):
    """The layers of a block that hold a kernel and a bias, in the order they apply."""
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return [layer for layer in block.layers if isinstance(layer, kinds)]
