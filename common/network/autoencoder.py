"""The network of the method: four encoder and four decoder blocks joined by high-frequency skips.

A teacher and a student are this same network at different widths (PhotoWCT2, Chiu & Gurari, WACV 2022, section 3).
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from common.network.coarse_to_fine import coarse_to_fine
from common.photos import IMAGE_CHANNELS


def high_frequencies(x):
    """`x` less its 3x3 box mean under symmetric padding; `(batch, height, width, channels)` in and out."""
    padded = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
    return x - ops.average_pool(padded, 3, strides=1, padding="valid")


def crop_or_pad(x, height, width):
    """`x`, `(batch, h, w, channels)`, cropped or zero-padded about its centre; the odd pixel goes to the end."""
    for axis, size in ((1, height), (2, width)):
        excess = x.shape[axis] - size
        if excess > 0:
            x = ops.take(x, range(excess // 2, excess // 2 + size), axis=axis)
        elif excess < 0:
            before = -excess // 2
            x = ops.pad(x, [(before, -excess - before) if a == axis else (0, 0) for a in range(4)])
    return x


class BlockBuilders(NamedTuple):
    """What the blocks of a network are made by.

    Attributes:
        encoder: `(level, in_channels, widths, batch_norm=False) -> keras.Model`, from image or feature to feature.
        decoder: `(level, in_channels, skip_channels, widths) -> keras.Model`, from [feature, skip] to the feature a level
            up, or to the image.
    """

    encoder: Callable[..., keras.Model]
    decoder: Callable[..., keras.Model]


def encoder_sha256(model):
    """SHA-256 of the weights of what has `encoder_blocks`, whatever file they came from."""
    digest = hashlib.sha256()
    for block in model.encoder_blocks:
        for weights in block.get_weights():
            digest.update(np.ascontiguousarray(weights).tobytes())
    return digest.hexdigest()


class Autoencoder(keras.Model):
    """Encoder and decoder, of a teacher or of a student.

    Args:
        backbone: `common.network.backbone.Backbone`.
        builders: `BlockBuilders`.
        widths: `common.network.backbone.Widths`. Fewer than four levels in the encoder or the
            decoder make a partial network.
        eigenbases: an array `(teacher width, student width)` a level, or None.
        name: of the Keras model.

    Attributes:
        encoder_blocks, decoder_blocks: lists of Keras models, level 0 first.

    Images are `(batch, height, width, 3)`, RGB in [0, 1]. Sizes should be multiples of the deepest stride used; at
    others the decoded image is not of the input's size.
    """

    def __init__(self, backbone, builders, widths, eigenbases=None, name="autoencoder"):
        super().__init__(name=name)
        self.backbone = backbone
        self.builders = builders
        self.widths = widths
        self.eigenbases = eigenbases
        in_channels = (IMAGE_CHANNELS, *widths.features)
        self.encoder_blocks = [
            builders.encoder(level, in_channels[level], block) for level, block in enumerate(widths.encoder)
        ]
        self.decoder_blocks = [
            builders.decoder(level, widths.features[level], in_channels[level], block)
            for level, block in enumerate(widths.decoder)
        ]
        self.built = True

    @property
    def strides(self):
        """Image pixels per feature pixel, at each level."""
        return self.backbone.strides[: len(self.encoder_blocks)]

    @property
    def bytes_per_pixel(self):
        """About what a pass over a whole photo takes in memory, for each pixel."""
        return self.backbone.bytes_per_pixel["keras"]

    @property
    def weight_count(self):
        """Learnt numbers, without the eigenbases."""
        return sum(int(np.prod(weight.shape)) for weight in self.trainable_weights)

    def fingerprint(self):
        """A short digest of the encoder's weights: equal for equal encoders, whatever file they came from."""
        return encoder_sha256(self)[:16]

    def encode(self, images, level=None, training=False):
        """Features and skips of levels 0 to `level` (default: the deepest there is).

        Returns:
            Two lists, level 0 first: features `(batch, height / stride, width / stride, channels)`, and what is above
            3x3 low-pass in the input of each block.

        Raises:
            ValueError: the encoder ends before `level`.
        """
        self._require(self.encoder_blocks, "encoder", level or 0)
        features, skips = [], []
        x = images
        for block in self.encoder_blocks[: None if level is None else level + 1]:
            skips.append(high_frequencies(x))
            x = block(x, training=training)
            features.append(x)
        return features, skips

    def decode(self, level, feature, skip, training=False):
        """What decoder block `level` makes of `feature`: the feature a level up, or at level 0 the image (not clipped).

        Raises:
            ValueError: there is no decoder block for `level`.
        """
        self._require(self.decoder_blocks, "decoder", level)
        scale = self.backbone.strides[level] // (self.backbone.strides[level - 1] if level else 1)
        skip = crop_or_pad(skip, scale * feature.shape[1], scale * feature.shape[2])
        return self.decoder_blocks[level]([ops.convert_to_tensor(x) for x in (feature, skip)], training=training)

    def reconstruct(self, images, level=None, training=False):
        """`images` encoded to `level` (default: the deepest) and decoded again, without transforms; not clipped."""
        features, skips = self.encode(images, level, training)
        return coarse_to_fine(self, features, skips, training=training)

    def call(self, images, training=False):
        return self.reconstruct(images, len(self.decoder_blocks) - 1, training)

    def _require(self, blocks, part, level):
        if level >= len(blocks):
            raise ValueError(f"{self.name} has no {part} block for level {level}: its {part} has {len(blocks)} levels")
