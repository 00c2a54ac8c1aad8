"""Train the decoder of the VGG teacher.

python -m vgg_backbone.train_teacher --dataset photos/ --weights W --save-to runs/vgg_teacher

Weights that end at conv3_1 train levels 0 to 2. A run that was killed goes on with the same command. In a quarter of an
hour on two cores with other work to do (--steps 0 200 200 0 100 --batch-size 2 --crop 96 --interval 50) it reaches 44.9,
34.9 and 29.7 dB from levels 0 to 2 on the BSDS500 test photos, and rising; the default takes hours.
"""

import sys

from common.commands import train_teacher

if __name__ == "__main__":
    sys.exit(train_teacher.main("vgg", __doc__))
