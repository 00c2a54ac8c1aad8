"""The distilled MobileNet student: 52,742 weights."""

from common import checkpoints
from common.autoencoder import Autoencoder
from common.backbone import Widths
from mobilenet_backbone.blocks import BACKBONE

WIDTHS = Widths(
    encoder=((10,), (10, 19, 19), (37, 37, 37, 37), (54, 54, 54, 54)),
    decoder=((3,), (10, 10), (19, 19), (37, 37)),
)


def build(widths=WIDTHS, eigenbases=None):
    """An untrained student; `widths` other than the paper's make a narrower or wider one."""
    return Autoencoder(BACKBONE, widths, eigenbases, name="mobilenet_student")


def load(checkpoint=None):
    """A trained student.

    Args:
        checkpoint: one of the project's checkpoints, a folder with the paper's released `sencoder` and `sdecoder`, or
            None for what lies in `ckpts/`.

    Returns:
        `common.autoencoder.Autoencoder`.

    Raises:
        common.errors.InputError: it is missing, damaged, or of another backbone.
    """
    return checkpoints.load_student(BACKBONE, build, checkpoint)
