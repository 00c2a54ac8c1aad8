"""Measure the MobileNet student, or teacher, on photos: PSNR of reconstructions from each level, the share of the
teacher's variance that the student explains and the limit of its eigenbases, and the live channels of each layer.

python -m mobilenet_backbone.evaluate --photos photos/ --weights W
python -m mobilenet_backbone.evaluate --photos photos/ --weights W --model teacher
"""

import sys

from common import evaluate


def modules():
    """The backbone; imported here, so that `--help` and wrong arguments are answered at once."""
    from mobilenet_backbone import student, teacher

    return student, teacher


if __name__ == "__main__":
    sys.exit(evaluate.main(__doc__, modules))
