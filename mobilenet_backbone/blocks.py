"""Encoder and decoder blocks of MobileNet v1, at any widths.

Cut after conv1, conv_dw_2, conv_dw_4 and conv_dw_6. 'dw' is a 3x3 depthwise, 'pw' a 1x1 convolution. The student runs on
reflection-padded input with plain ReLU; `pretrained=True` gives Keras Applications' zero padding and ReLU6.
"""

import keras

from common.network.autoencoder import BlockBuilders
from common.network.layers import ReflectPad, Upsample, activate, conv3x3

# Convolutions of each encoder block; the last of each has stride 2.
ENCODER_LAYERS = (
    ("conv1",),
    ("dw1", "pw1", "dw2"),
    ("pw2", "dw3", "pw3", "dw4"),
    ("pw4", "dw5", "pw5", "dw6"),
)
# Standard deviation of He's initialisation for the nine weights that an output depends on; Keras counts all channels.
DEPTHWISE_SPREAD = (2 / 9) ** 0.5


def encoder_block(level, in_channels, widths, batch_norm=False, pretrained=False):
    """Encoder block `level`: `(batch, height, width, in_channels)` to the feature of that level, at half the size.

    Args:
        widths: output channels of each convolution; a depthwise one has as many as its input.
        batch_norm: normalise before every ReLU (for training; folded into the weights afterwards).
        pretrained: padding and activation of Keras Applications' MobileNet.
    """
    x = inputs = keras.Input((None, None, in_channels))
    if level == 0:
        x = keras.layers.Rescaling(2, offset=-1)(x)
    names = ENCODER_LAYERS[level]
    for name, width in zip(names, widths, strict=True):
        x = convolution(x, width, name, strides=2 if name == names[-1] else 1, pretrained=pretrained)
        x = activate(x, name, "relu6" if pretrained else "relu", batch_norm)
    return keras.Model(inputs, x, name=f"encoder_{level}")


def convolution(x, width, name, strides, pretrained):
    """The convolution called `name`, padded as the student's or as the pretrained network's."""
    if name.startswith("pw"):
        return keras.layers.Conv2D(width, 1, kernel_initializer="he_normal", name=name)(x)
    padding = "valid"
    if not pretrained:
        x = ReflectPad(2 - strides)(x)
    elif name.startswith("dw") and strides == 2:
        x = keras.layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    else:
        padding = "same"
    if name.startswith("dw"):
        spread = keras.initializers.RandomNormal(stddev=DEPTHWISE_SPREAD)
        layer = keras.layers.DepthwiseConv2D(3, strides, padding, depthwise_initializer=spread, name=name)
    else:
        layer = keras.layers.Conv2D(width, 3, strides, padding, kernel_initializer="he_normal", name=name)
    return layer(x)


def decoder_block(level, in_channels, skip_channels, widths):
    """Decoder block `level`: [feature, skip] to the feature a level up; level 0 to an image `(batch, height, width, 3)`.

    Args:
        widths: output channels of each convolution; at levels 1 to 3 the first has to be `skip_channels`.
    """
    feature = keras.Input((None, None, in_channels))
    skip = keras.Input((None, None, skip_channels))
    x = Upsample()(feature)
    if level == 0:
        (width,) = widths
        x = conv3x3(keras.layers.Concatenate()([x, skip]), width, "conv1", activation=None)
    else:
        first, second = widths
        x = keras.layers.Add()([conv3x3(x, first, "conv1"), skip])
        x = conv3x3(x, second, "conv2")
    return keras.Model([feature, skip], x, name=f"decoder_{level}")


BUILDERS = BlockBuilders(encoder_block, decoder_block)
