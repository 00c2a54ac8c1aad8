"""The contract that each backbone folder fills in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

# Each with a folder NAME_backbone of its own.
BACKBONES = ("vgg", "mobilenet")
CKPTS = Path(__file__).resolve().parent.parent / "ckpts"
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
        bytes_per_pixel: of memory that a pass over a whole photo takes, for each pixel, by engine: "keras" and "onnx".
            Measured at 3840x2160 with the paper's widths.
    """

    name: str
    strides: tuple[int, int, int, int]
    encoder_block: Callable
    decoder_block: Callable
    released_layer: Callable[[int, int, int], str]
    bytes_per_pixel: dict[str, int]
