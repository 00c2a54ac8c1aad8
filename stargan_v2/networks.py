"""The four networks of StarGAN v2 (Choi et al., CVPR 2020): generator, mapping network, style encoder, discriminator.

A teacher and a student are the same networks at other widths; a student's encoder blocks may have separable convolutions.
"""

import math
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

LEAK = 0.2
SMALLEST_VARIANCE = 1e-5
# Sides, in pixels, at which high-pass skips join encoder and decoder, and which of the two masks each takes.
SKIP_MASKS = {32: 0, 64: 1, 128: 1}


class Config(NamedTuple):
    """What networks are built from.

    Attributes:
        size: side of images in pixels, a power of two, at least 16.
        domains: how many.
        width: channels at full size; the paper's is 2^14 / size.
        cap: channels at most.
        style_dim, latent_dim: length of a style code, and of the noise that the mapping network makes one of.
        hidden: units of the mapping network's layers.
        high_pass: what the high-pass skips are divided by; 0 for none. With them the generator takes two masks.
        separable: encoder blocks of generator and style encoder have depthwise and pointwise convolutions.
        halvings: of the generator's feature; None: down to 16x16 pixels, or 8x8 with high-pass skips.
    """

    size: int = 256
    domains: int = 2
    width: int = 64
    cap: int = 512
    style_dim: int = 64
    latent_dim: int = 16
    hidden: int = 512
    high_pass: float = 0.0
    separable: bool = False
    halvings: int | None = None

    def widths(self, halvings):
        """Channels before and after each of so many blocks: doubled up to the cap."""
        return [min(self.width * 2**block, max(self.cap, self.width)) for block in range(halvings + 1)]

    def generator_halvings(self):
        """How often the generator halves the size of its feature."""
        if self.halvings is not None:
            return self.halvings
        return int(math.log2(self.size)) - 4 + (self.high_pass > 0)


# --- layers --------------------------------------------------------------------------------------------------------------


def normalised(x):
    """`x` with mean 0 and variance 1 over the pixels of each channel of each image, computed and given in float32."""
    x = ops.cast(x, "float32")
    mean, variance = ops.moments(x, axes=(1, 2), keepdims=True)
    return (x - mean) * ops.rsqrt(variance + SMALLEST_VARIANCE)


class InstanceNorm(keras.layers.Layer):
    """Instance normalisation with a scale and an offset for each channel, and no running statistics."""

    def build(self, shape):
        self.gamma = self.add_weight(shape=(shape[-1],), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(shape[-1],), initializer="zeros", name="beta")

    def call(self, x):
        return ops.cast(self.gamma, "float32") * normalised(x) + ops.cast(self.beta, "float32")


class AdaIN(keras.layers.Layer):
    """Instance normalisation whose scale and offset come from a style.

    Called on `[x, affine]`: a feature `(batch, height, width, channels)`, and `(batch, 2 channels)`, scales less 1 first.
    """

    def call(self, inputs):
        x, affine = inputs
        gamma, beta = ops.split(ops.cast(affine, "float32")[:, None, None], 2, axis=-1)
        return (1 + gamma) * normalised(x) + beta


class HighPass(keras.layers.Layer):
    """Edges of a masked feature: a fixed 3x3 kernel, 8 in the middle and -1 around it, divided by `divisor`.

    Called on `[x, mask]`; the mask `(batch, any height, any width, 1)` is resized to the feature.
    """

    def __init__(self, divisor, **kwargs):
        super().__init__(**kwargs)
        self.divisor = divisor

    def call(self, inputs):
        x, mask = inputs
        x = x * ops.cast(ops.image.resize(mask, x.shape[1:3]), x.dtype)
        kernel = np.full((3, 3, x.shape[-1], 1), -1 / self.divisor)
        kernel[1, 1] = 8 / self.divisor
        return ops.depthwise_conv(x, ops.convert_to_tensor(kernel, x.dtype), padding="same")


class Pick(keras.layers.Layer):
    """Of values by domain, `(batch, domains, n)`, those of a one-hot domain, `(batch, domains)`."""

    def call(self, inputs):
        values, domain = inputs
        return ops.sum(values * ops.cast(domain, values.dtype)[..., None], axis=1)


def he_normal(fan_in):
    """Random weights that keep the variance of what a ReLU lets through (He et al., 2015)."""
    return keras.initializers.RandomNormal(stddev=math.sqrt(2 / fan_in))


def conv(x, filters, name, kernel=3, separable=False, bias=True, padding="same"):
    """A convolution; separable: one for each channel, then one over channels, nothing between them."""
    channels = x.shape[-1]
    if separable:
        x = keras.layers.DepthwiseConv2D(
            kernel, padding=padding, depthwise_initializer=he_normal(kernel**2), name=f"{name}_depthwise"
        )(x)
        return conv(x, filters, f"{name}_pointwise", kernel=1)
    initializer = he_normal(kernel**2 * channels)
    layer = keras.layers.Conv2D(filters, kernel, padding=padding, use_bias=bias, kernel_initializer=initializer, name=name)
    return layer(x)


def dense(x, units, name):
    """A dense layer."""
    return keras.layers.Dense(units, kernel_initializer=he_normal(x.shape[-1]), name=name)(x)


def leaky(x, name):
    """A leaky ReLU."""
    return keras.layers.LeakyReLU(negative_slope=LEAK, name=name)(x)


def in_float32(x, name):
    """`x` in float32 whatever the precision of the network."""
    return keras.layers.Activation("linear", dtype="float32", name=name)(x)


# --- blocks --------------------------------------------------------------------------------------------------------------


def encoder_block(x, filters, name, norm=False, halve=False, separable=False):
    """A residual block before which nothing is activated; `norm`: with instance normalisation; `halve`: height and width."""
    channels, shortcut = x.shape[-1], x
    for part, out in (("a", channels), ("b", filters)):
        x = InstanceNorm(name=f"{name}{part}_norm")(x) if norm else x
        x = conv(leaky(x, f"{name}{part}_relu"), out, f"{name}{part}_conv", separable=separable)
        if halve and part == "a":
            x = keras.layers.AveragePooling2D(2, name=f"{name}{part}_pool")(x)
    if channels != filters:
        shortcut = conv(shortcut, filters, f"{name}_shortcut", kernel=1, bias=False)
    if halve:
        shortcut = keras.layers.AveragePooling2D(2, name=f"{name}_pool")(shortcut)
    return (x + shortcut) / math.sqrt(2)


def decoder_block(x, style, filters, name, double=False, residual=True):
    """A block whose normalisations take scale and offset from `style`; `double`: height and width.

    residual: add a shortcut, which high-pass skips take the place of.
    """
    shortcut = x
    for part in ("a", "b"):
        affine = dense(style, 2 * x.shape[-1], f"{name}{part}_affine")
        x = leaky(AdaIN(name=f"{name}{part}_norm")([x, affine]), f"{name}{part}_relu")
        if double and part == "a":
            x = keras.layers.UpSampling2D(name=f"{name}{part}_up")(x)
        x = conv(x, filters, f"{name}{part}_conv")
    if not residual:
        return x
    if double:
        shortcut = keras.layers.UpSampling2D(name=f"{name}_up")(shortcut)
    if shortcut.shape[-1] != filters:
        shortcut = conv(shortcut, filters, f"{name}_shortcut", kernel=1, bias=False)
    return (x + shortcut) / math.sqrt(2)


def trunk(image, config, separable):
    """What style encoder and discriminator have in common: outputs of blocks that halve down to 4x4 pixels."""
    x = conv(image, config.width, "stem")
    outputs = []
    for number, filters in enumerate(config.widths(int(math.log2(config.size)) - 2)[1:]):
        x = encoder_block(x, filters, f"block{number}", halve=True, separable=separable)
        outputs.append(x)
    return outputs


def by_domain(heads, domain):
    """Of heads `(batch, n)`, one a domain, that of `domain`, in float32."""
    stacked = keras.layers.Concatenate(axis=1, name="heads")([ops.expand_dims(head, 1) for head in heads])
    return in_float32(Pick(name="pick")([stacked, domain]), "picked")


def inputs_of(config):
    """Inputs for an image and a domain."""
    return keras.Input((config.size, config.size, 3), name="image"), keras.Input((config.domains,), name="domain")


# --- networks ------------------------------------------------------------------------------------------------------------


def build_generator(config):
    """An untrained generator.

    Called on `[image, style]`, and two masks `(batch, height, width, 1)` where there are high-pass skips, it gives a list:
    the image, then the outputs of all encoder and decoder blocks from first to last.
    """
    image, _ = inputs_of(config)
    style = keras.Input((config.style_dim,), name="style")
    masks = [keras.Input((None, None, 1), name=f"mask{number}") for number in (1, 2)] if config.high_pass else []
    x = conv(image, config.width, "stem")
    widths, blocks, skips = config.widths(config.generator_halvings()), [], {}
    for number, filters in enumerate(widths[1:] + widths[-1:] * 2):
        skips[x.shape[1]] = skips.get(x.shape[1], x)
        halve = number < len(widths) - 1
        x = encoder_block(x, filters, f"encoder{number}", norm=True, halve=halve, separable=config.separable)
        blocks.append(x)
    for number, filters in enumerate(widths[-1:] * 2 + widths[-2::-1]):
        x = decoder_block(x, style, filters, f"decoder{number}", double=number > 1, residual=not masks)
        if masks and number > 1 and x.shape[1] in SKIP_MASKS:
            mask = masks[SKIP_MASKS[x.shape[1]]]
            x = x + HighPass(config.high_pass, name=f"decoder{number}_skip")([skips[x.shape[1]], mask])
        blocks.append(x)
    x = leaky(InstanceNorm(name="last_norm")(x), "last_relu")
    result = in_float32(conv(x, 3, "to_rgb", kernel=1), "result")
    return keras.Model([image, style, *masks], [result, *blocks], name="generator")


def build_mapping(config):
    """An untrained mapping network: `[noise, domain]` to a style, `(batch, style_dim)`."""
    noise, domain = keras.Input((config.latent_dim,), name="noise"), keras.Input((config.domains,), name="domain")
    shared = noise
    for layer in range(4):
        shared = ops.relu(dense(shared, config.hidden, f"shared{layer}"))
    heads = []
    for head in range(config.domains):
        x = shared
        for layer in range(3):
            x = ops.relu(dense(x, config.hidden, f"head{head}_{layer}"))
        heads.append(dense(x, config.style_dim, f"head{head}_style"))
    return keras.Model([noise, domain], by_domain(heads, domain), name="mapping")


def build_encoder(config):
    """An untrained style encoder: `[image, domain]` to a style, `(batch, style_dim)`."""
    image, domain = inputs_of(config)
    x = trunk(image, config, config.separable)[-1]
    x = conv(leaky(x, "trunk_relu"), x.shape[-1], "whole", kernel=4, padding="valid")
    x = keras.layers.Flatten(name="flat")(leaky(x, "whole_relu"))
    heads = [dense(x, config.style_dim, f"head{head}_style") for head in range(config.domains)]
    return keras.Model([image, domain], by_domain(heads, domain), name="encoder")


def build_discriminator(config):
    """An untrained discriminator: `[image, domain]` to a list: the logit `(batch, 1)`, then the outputs of its blocks."""
    image, domain = inputs_of(config)
    blocks = trunk(image, config, separable=False)
    x = conv(leaky(blocks[-1], "trunk_relu"), blocks[-1].shape[-1], "whole", kernel=4, padding="valid")
    x = keras.layers.Flatten(name="flat")(leaky(x, "whole_relu"))
    heads = [dense(x, 1, f"head{head}_logit") for head in range(config.domains)]
    return keras.Model([image, domain], [by_domain(heads, domain), *blocks], name="discriminator")


BUILDERS = {
    "generator": build_generator,
    "mapping": build_mapping,
    "encoder": build_encoder,
    "discriminator": build_discriminator,
}
