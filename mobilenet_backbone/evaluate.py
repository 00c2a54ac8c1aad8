"""Measure the MobileNet student, or teacher, on photos: PSNR of reconstructions from each level, the share of the
teacher's variance that the student explains and the limit of its eigenbases, and the live channels of each layer.

python -m mobilenet_backbone.evaluate --photos photos/ --weights W
python -m mobilenet_backbone.evaluate --photos photos/ --weights W --model teacher
"""

import sys

from common.commands import evaluate

if __name__ == "__main__":
    sys.exit(evaluate.main("mobilenet", __doc__))
