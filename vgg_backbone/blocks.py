"""Encoder and decoder blocks of VGG-19, at any widths.

Cut after relu1_1, relu2_1, relu3_1 and relu4_1. 3x3 convolutions run on reflection-padded input.
"""

import keras

from common.network.autoencoder import BlockBuilders
from common.network.layers import Upsample, conv3x3
from common.photos import IMAGE_CHANNELS
from vgg_backbone import BACKBONE

# Convolutions of each encoder block; max-pooling stands before the last of levels 1 to 3.
ENCODER_LAYERS = (
    ("conv1_1",),
    ("conv1_2", "conv2_1"),
    ("conv2_2", "conv3_1"),
    ("conv3_2", "conv3_3", "conv3_4", "conv4_1"),
)
# What VGG was trained on: BGR in [0, 255], less the mean of ImageNet (Simonyan & Zisserman 2015).
IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)


def encoder_block(level, in_channels, widths, batch_norm=False):
    """Encoder block `level`: `(batch, height, width, in_channels)` to the feature of that level.

    Args:
        widths: output channels of each convolution.
        batch_norm: normalise before every ReLU (for training; folded into the weights afterwards).
    """
    x = inputs = keras.Input((None, None, in_channels))
    if level == 0:
        x = preprocess(x)
    names = ENCODER_LAYERS[level]
    for name, width in zip(names, widths, strict=True):
        if level > 0 and name == names[-1]:
            x = keras.layers.MaxPooling2D(2)(x)
        x = conv3x3(x, width, name, batch_norm=batch_norm)
    return keras.Model(inputs, x, name=f"encoder_{level}")


def preprocess(images):
    """RGB in [0, 1] to VGG's input: a frozen 1x1 convolution, as in the paper's checkpoints."""
    layer = keras.layers.Conv2D(
        IMAGE_CHANNELS,
        1,
        kernel_initializer=lambda shape, dtype: 255 * keras.ops.eye(3, dtype=dtype)[None, None, ::-1],
        bias_initializer=lambda shape, dtype: -keras.ops.convert_to_tensor(IMAGENET_MEAN_BGR, dtype=dtype),
        trainable=False,
        name=BACKBONE.preprocessing,
    )
    return layer(images)


def decoder_block(level, in_channels, skip_channels, widths):
    """Decoder block `level`: [feature, skip] to the feature a level up; level 0 to an image `(batch, height, width, 3)`.

    Args:
        widths: output channels of each convolution; the last before the skip is added, at levels 1 to 3, has to be
            `skip_channels`.
    """
    feature = keras.Input((None, None, in_channels))
    skip = keras.Input((None, None, skip_channels))
    if level == 0:
        (width,) = widths
        x = conv3x3(keras.layers.Concatenate()([feature, skip]), width, "conv1", activation=None)
    else:
        first, *middle, last = widths
        x = Upsample()(conv3x3(feature, first, "conv1"))
        for index, width in enumerate(middle, start=2):
            x = conv3x3(x, width, f"conv{index}")
        x = conv3x3(keras.layers.Add()([x, skip]), last, f"conv{len(widths)}")
    return keras.Model([feature, skip], x, name=f"decoder_{level}")


BUILDERS = BlockBuilders(encoder_block, decoder_block)
