"""The network of the method: four encoder and four decoder blocks joined by high-frequency skips.

A teacher and a student are this same network at different widths (PhotoWCT2, Chiu & Gurari, WACV 2022, section 3).
"""

import hashlib

import keras
import numpy as np
from keras import ops

from common.backbone import IMAGE_CHANNELS


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


class Autoencoder(keras.Model):
    """Encoder and decoder, of a teacher or of a student.

    Args:
        backbone: `common.backbone.Backbone` to build the blocks with.
        widths: `common.backbone.Widths`. Fewer than four levels in the encoder or in the decoder make a partial network.
        eigenbases: an array `(teacher width, student width)` a level, or None.
        name: of the Keras model.

    Attributes:
        encoder_blocks, decoder_blocks: lists of Keras models, level 0 first.

    Images are `(batch, height, width, 3)`, RGB in [0, 1]. Sizes should be multiples of the deepest stride used; at
    others the decoded image is not of the input's size.
    """

    def __init__(self, backbone, widths, eigenbases=None, name="autoencoder"):
        super().__init__(name=name)
        self.backbone = backbone
        self.widths = widths
        self.eigenbases = eigenbases
        in_channels = (IMAGE_CHANNELS, *widths.features)
        self.encoder_blocks = [
            backbone.encoder_block(level, in_channels[level], block) for level, block in enumerate(widths.encoder)
        ]
        self.decoder_blocks = [
            backbone.decoder_block(level, widths.features[level], in_channels[level], block)
            for level, block in enumerate(widths.decoder)
        ]
        self.built = True

    @property
    def strides(self):
        """Image pixels per feature pixel, at each level."""
        return self.backbone.strides

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
        digest = hashlib.sha256()
        for block in self.encoder_blocks:
            for weights in block.get_weights():
                digest.update(np.ascontiguousarray(weights).tobytes())
        return digest.hexdigest()[:16]

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

    def reconstruct(self, images, level=3, training=False):
        """`images` encoded to `level` and decoded again, without transforms; not clipped."""
        features, skips = self.encode(images, level, training)
        x = features[level]
        for lower in range(level, -1, -1):
            x = self.decode(lower, x, skips[lower], training)
        return x

    def call(self, images, training=False):
        return self.reconstruct(images, len(self.decoder_blocks) - 1, training)

    def _require(self, blocks, part, level):
        if level >= len(blocks):
            raise ValueError(f"{self.name} has no {part} block for level {level}: its {part} has {len(blocks)} levels")
