"""Distil a student from the VGG teacher.

python -m vgg_backbone.train_distilled_model --dataset photos/ --weights W.npz --eigenbases E.npz --save-to runs/vgg
"""

import sys

from common.commands import train_distilled_model

if __name__ == "__main__":
    sys.exit(train_distilled_model.main("vgg", __doc__))
