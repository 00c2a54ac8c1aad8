"""Train the decoder of the VGG teacher.

python -m vgg_backbone.train_teacher --dataset photos/ --weights W --save-to runs/vgg_teacher
"""

import sys

from common import train_teacher


def modules():
    """The backbone; imported here, so that `--help` and wrong arguments are answered at once."""
    from vgg_backbone import student, teacher

    return student, teacher


if __name__ == "__main__":
    sys.exit(train_teacher.main(__doc__, modules))
