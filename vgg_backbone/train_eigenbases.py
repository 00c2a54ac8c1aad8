"""Find the global eigenbases of the VGG teacher, by which a student is distilled.

python -m vgg_backbone.train_eigenbases --dataset photos --weights W.npz -o eigenbases.npz

One pass over 1,095 photos of 480x320 takes three minutes (levels 0 to 2) and 1.1 GB on two cores. Of the variance of photos
that were not among them, the paper's widths then explain (`--dataset unseen --crop 320 --score eigenbases.npz`):

level            0       1       2
width           10      20      58
closed form 0.9256  0.7876  0.7820
released    0.9242  0.7799  0.7746

`--method gradient` is the paper's recipe, at three minutes an epoch; the same command again resumes it where it was killed.
Its rate is meant for COCO's 150,000 steps: with a few hundred, `--learning-rate 1e-2` is needed.
"""

import sys

from common.commands import train_eigenbases

if __name__ == "__main__":
    sys.exit(train_eigenbases.main("vgg", __doc__))
