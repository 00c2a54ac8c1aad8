"""Find the global eigenbases of the MobileNet teacher, by which a student is distilled.

python -m mobilenet_backbone.train_eigenbases --dataset photos --weights W.npz -o eigenbases.npz

One pass over 1,095 photos of 480x320 takes half a minute and 0.8 GB on two cores. Of the variance of photos that were not
among them, the paper's widths then explain (`--dataset unseen --crop 320 --score eigenbases.npz`):

level            0       1       2       3
width           10      19      37      54
closed form 0.9890  0.7731  0.7917  0.7381
released    0.9898  0.7656  0.7875  0.7322

`--method gradient` is the paper's recipe, at half a minute an epoch; the same command again resumes it where it was killed.
Its rate is meant for COCO's 150,000 steps: 300 steps at `--learning-rate 1e-2` reach 0.988, 0.771, 0.788, 0.729.
"""

import sys

from common.commands import train_eigenbases

if __name__ == "__main__":
    sys.exit(train_eigenbases.main("mobilenet", __doc__))
