"""The distilled MobileNet student: 52,742 weights."""

from common.network import checkpoints
from common.network.autoencoder import Autoencoder
from common.network.backbone import Widths
from common.photos import IMAGE_CHANNELS
from mobilenet_backbone import BACKBONE
from mobilenet_backbone.blocks import BUILDERS, ENCODER_LAYERS


def widths_of(features):
    """`Widths` of a student with features of so many channels, a number a level: a block is as wide as its feature."""
    encoder = [(features[0],)]
    for level, width in enumerate(features[1:], start=1):
        first = features[0] if level == 1 else width  # conv_dw_1 is depthwise: as wide as its input
        encoder.append((first, *(width,) * (len(ENCODER_LAYERS[level]) - 1)))
    decoder = [(IMAGE_CHANNELS,), *((width, width) for width in features[:-1])]
    return Widths(tuple(encoder), tuple(decoder))


WIDTHS = widths_of((10, 19, 37, 54))


def build(widths=WIDTHS, eigenbases=None):
    """An untrained student; `widths` other than the paper's make a narrower, wider or shallower one."""
    return Autoencoder(BACKBONE, BUILDERS, widths, eigenbases, name="mobilenet_student")


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
