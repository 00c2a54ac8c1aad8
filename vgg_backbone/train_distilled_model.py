"""Distil a student from the VGG teacher.

python -m vgg_backbone.train_distilled_model --dataset photos/ --weights W.npz --eigenbases E.npz --save-to runs/vgg
"""

import sys

from common import train_distilled_model

# Of COCO, by pair (paper, section 4.1).
PAPER_EPOCHS = (15, 10, 10, 10)


def modules():
    """The backbone; imported here, so that `--help` and wrong arguments are answered at once."""
    from vgg_backbone import student, teacher

    return student, teacher


if __name__ == "__main__":
    sys.exit(train_distilled_model.main(__doc__, modules, PAPER_EPOCHS))
