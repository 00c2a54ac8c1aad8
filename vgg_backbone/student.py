"""The distilled VGG student: 283,224 trainable weights."""

from common.network import checkpoints
from common.network.autoencoder import Autoencoder
from common.network.backbone import Widths
from common.photos import IMAGE_CHANNELS
from vgg_backbone import BACKBONE
from vgg_backbone.blocks import BUILDERS


def widths_of(features):
    """`Widths` of a student with features of so many channels, one a level: a block is as wide as the feature before."""
    before = (None, *features)
    inner = (0, 1, 1, 3)  # convolutions before the last of an encoder block
    outer = (0, 2, 2, 4)  # of a decoder block
    encoder = tuple((before[level],) * inner[level] + (width,) for level, width in enumerate(features))
    decoder = ((IMAGE_CHANNELS,), *((before[level],) * outer[level] for level in range(1, len(features))))
    return Widths(encoder, decoder)


WIDTHS = widths_of((10, 20, 58, 64))


def build(widths=WIDTHS, eigenbases=None):
    """An untrained student; `widths` other than the paper's make a narrower, wider or shallower one."""
    return Autoencoder(BACKBONE, BUILDERS, widths, eigenbases, name="vgg_student")


def load(checkpoint=None):
    """A trained student.

    Args:
        checkpoint: one of the project's checkpoints, a folder with the paper's released `sencoder` and `sdecoder`, or
            None for what lies in `ckpts/`.

    Returns:
        `common.network.autoencoder.Autoencoder`.

    Raises:
        common.errors.InputError: it is missing, damaged, or of another backbone.
    """
    return checkpoints.load_student(BACKBONE, build, checkpoint)
