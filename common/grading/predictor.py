"""The network that predicts a grade: from two photos to a 3D LUT.

A photo is measured once into a *descriptor*: statistics of its colours, and what a small convolutional network sees in its
64x64 copy. Two descriptors give a LUT: Reinhard's transform in Lab, at strengths that the network predicts for each of three
means and three spreads; a predicted share of the linear Monge-Kantorovich transport in RGB in its place; and a sum of *basis
LUTs* with predicted weights. Weights of a photo with itself are subtracted, so that a photo graded like itself stays.
"""

import keras
import numpy as np
from keras import ops

from common.grading import descriptor
from common.grading.colour import lab_to_rgb, rgb_to_lab
from common.grading.lut import identity

# Nodes a side of a LUT.
NODES = 9
# Basis LUTs.
BASES = 40
# Length of what the convolutions see.
SEEN = 96
# What the networks read of a photo, and the whole descriptor, which has its moments in RGB too.
READ = descriptor.LENGTH + SEEN
DESCRIPTOR = READ + descriptor.MOMENTS
# Shape of a linear map, see `descriptor.transport`.
TRANSPORT = (4, 3)
# Weights that are not those of basis LUTs: six strengths of Reinhard's transform and the share of the transport.
STRENGTHS = 7
# Reinhard's gain is held in this range.
GAINS = (0.3, 3.0)
# Strengths that Reinhard's transform starts training with.
FIRST_STRENGTH = 0.7


def build_encoder():
    """A model from copies `(batch, 64, 64, 3)`, RGB in [0, 1], to what is seen in them, `(batch, SEEN)`."""
    side = descriptor.COPY_SIDE
    image = keras.Input((side, side, 3), name="copy")
    x = keras.layers.Rescaling(4, offset=-2)(image)
    x = keras.layers.Conv2D(32, 4, strides=4, activation="silu", name="patches")(x)
    for filters in (64, 96):
        x = keras.layers.LayerNormalization(name=f"norm{filters}")(x)
        x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="silu", name=f"conv{filters}")(x)
    mean = ops.mean(x, axis=(1, 2))
    spread = ops.sqrt(ops.mean(ops.square(x - mean[:, None, None]), axis=(1, 2)) + 1e-4)
    x = ops.concatenate([mean, spread], axis=-1)
    return keras.Model(image, keras.layers.Dense(SEEN, name="seen")(x), name="grade_encoder")


def build_mapper(bases=BASES, nodes=NODES, width=224):
    """A model from what is read of content and style, `(batch, READ)`, and the transport between them, to a LUT each.

    LUTs are `(batch, nodes, nodes, nodes, 3)`, not clipped.
    """
    content = keras.Input((READ,), name="content")
    style = keras.Input((READ,), name="style")
    transport = keras.Input(TRANSPORT, name="transport")
    choose = build_weights(bases, width)
    weights = choose([content, style]) - choose([content, content])
    weights = keras.layers.Identity(name="weights")(weights)
    base = Reinhard(nodes, name="reinhard")([content, style, weights[:, :6]])
    linear = ops.matmul(identity(nodes).reshape(1, -1, 3), transport[:, :3]) + transport[:, 3:]
    share = weights[:, 6:STRENGTHS, None]
    residual = keras.layers.Dense(nodes**3 * 3, use_bias=False, name="bases")(weights[:, STRENGTHS:])
    lut = base + share * (linear - base) + keras.layers.Reshape((-1, 3))(residual)
    lut = keras.layers.Reshape((nodes, nodes, nodes, 3))(lut)
    return keras.Model([content, style, transport], lut, name="grade_mapper")


def build_weights(bases, width):
    """A model from what is read of two photos to strengths and the weights of basis LUTs, `(batch, STRENGTHS + bases)`."""
    content = keras.Input((READ,))
    style = keras.Input((READ,))
    normalise = keras.layers.Normalization(name="normalise")
    read = keras.layers.Dense(160, name="read")
    first, second = read(normalise(content)), read(normalise(style))
    x = ops.concatenate([ops.silu(first), ops.silu(second), second - first, first * second / 8], axis=-1)
    x = keras.layers.Dense(width, activation="silu", name="compare")(x)
    for index in range(2):
        y = keras.layers.LayerNormalization(name=f"norm{index}")(x)
        x = x + keras.layers.Dense(width, activation="silu", name=f"think{index}")(y)
    weights = keras.layers.Dense(STRENGTHS + bases, use_bias=False, kernel_initializer="zeros", name="choose")(x)
    return keras.Model([content, style], weights, name="choose_weights")


def normalisation(mapper):
    """The layer of a mapper that standardises descriptors."""
    return mapper.get_layer("choose_weights").get_layer("normalise")


class Reinhard(keras.layers.Layer):
    """Mean and spread in Lab of one photo moved towards another's, tabulated (Reinhard et al. 2001).

    L' = gain (L - mean) + mean + move, both by channel, where a strength of 0 moves nothing and gains 1, and a strength of 1
    moves all the way. What is predicted is added to `FIRST_STRENGTH`.
    """

    def __init__(self, nodes, **kwargs):
        super().__init__(**kwargs)
        self.nodes = nodes

    def call(self, inputs):
        content, style, strengths = inputs
        scale = descriptor.LAB_SCALE
        mean, goal = (x[:, None, :3] * scale for x in (content, style))
        spread, goal_spread = (ops.maximum(x[:, None, 3:6], descriptor.SMALLEST_SPREAD) for x in (content, style))
        strengths = strengths[:, None] + FIRST_STRENGTH
        gain = ops.clip(goal_spread / spread, *GAINS) ** strengths[..., 3:]
        nodes = rgb_to_lab(ops.convert_to_tensor(identity(self.nodes).reshape(1, -1, 3)))
        moved = lab_to_rgb(gain * (nodes - mean) + mean + strengths[..., :3] * (goal - mean))
        return moved

    def get_config(self):
        return super().get_config() | {"nodes": self.nodes}


def count(*models):
    """Numbers in the weights of models."""
    return sum(int(np.prod(weight.shape)) for model in models for weight in model.weights)
