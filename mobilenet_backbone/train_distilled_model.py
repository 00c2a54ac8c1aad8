"""Distil a student from the MobileNet teacher.

python -m mobilenet_backbone.train_distilled_model --dataset photos/ --weights W.npz --eigenbases E.npz \\
    --save-to runs/mobilenet
"""

import sys

from common.commands import train_distilled_model

if __name__ == "__main__":
    sys.exit(train_distilled_model.main("mobilenet", __doc__))
