"""The distilled VGG student: 283,224 trainable weights."""

from common import checkpoints
from common.autoencoder import Autoencoder
from common.backbone import Widths
from vgg_backbone.blocks import BACKBONE

WIDTHS = Widths(
    encoder=((10,), (10, 20), (20, 58), (58, 58, 58, 64)),
    decoder=((3,), (10, 10), (20, 20), (58, 58, 58, 58)),
)


def build(widths=WIDTHS, eigenbases=None):
    """An untrained student; `widths` other than the paper's make a narrower or wider one."""
    return Autoencoder(BACKBONE, widths, eigenbases, name="vgg_student")


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
