"""Train the decoder of the MobileNet teacher.

python -m mobilenet_backbone.train_teacher --dataset photos/ --weights W --save-to runs/mobilenet_teacher
"""

import sys

from common import train_teacher


def modules():
    """The backbone; imported here, so that `--help` and wrong arguments are answered at once."""
    from mobilenet_backbone import student, teacher

    return student, teacher


if __name__ == "__main__":
    sys.exit(train_teacher.main(__doc__, modules))
