"""The contract that each backbone folder fills in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

# Each with a folder NAME_backbone of its own.
BACKBONES = ("vgg", "mobilenet")
IMAGE_CHANNELS = 3
# Smallest height and width, in pixels, at which every reflection padding has a pixel to reflect, for either backbone.
MINIMUM_SIZE = 16


class Widths(NamedTuple):
    """Output channels of every convolution: a tuple a level, a number a convolution.

    The decoder's levels are in the encoder's order, 0 first, although they run from the deepest down.
    """

    encoder: tuple[tuple[int, ...], ...]
    decoder: tuple[tuple[int, ...], ...]

    @property
    def features(self):
        """Channels of the feature at each level."""
        return tuple(block[-1] for block in self.encoder)


@dataclass(frozen=True)
class Backbone:
    """What the networks of one backbone are made of.

    Attributes:
        name: also the name of its folder in `ckpts/`.
        strides: image pixels per feature pixel, at each level.
        encoder_block: `(level, in_channels, widths, batch_norm=False) -> keras.Model`, from image or feature to feature.
        decoder_block: `(level, in_channels, skip_channels, widths) -> keras.Model`, from [feature, skip] to the feature a
            level up, or to the image.
        released_layer: `(level, index in the block, index in the encoder) -> str`, the name of an encoder's layer in the
            paper's TensorFlow checkpoints.
        encoder_halos: of the blocks without padding at levels 1 (from the image on) to 3: rows of the input before and after
            those that the result covers, of any number of its rows; columns likewise.
        decoder_halos: the same at levels 0 to 3, of the feature and of the feature above (at level 1 of the image). Each is
            so large that the outermost rows after upsampling, and of a skip, need not be right.
    """

    name: str
    strides: tuple[int, int, int, int]
    encoder_block: Callable
    decoder_block: Callable
    released_layer: Callable[[int, int, int], str]
    encoder_halos: tuple
    decoder_halos: tuple
