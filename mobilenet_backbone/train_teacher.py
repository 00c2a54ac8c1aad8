"""Train the decoder of the MobileNet teacher.

python -m mobilenet_backbone.train_teacher --dataset photos/ --weights W --save-to runs/mobilenet_teacher

The default recipe takes some 45 minutes for 1,095 photos on two busy cores. It gave 49.9, 40.3, 32.5 and 31.4 dB from
levels 0 to 3 on the BSDS500 test photos (centre 320x320), when it whitened channels and not yet patches. What is in
`ckpts/` went on from there for another five and a half hours, the last four of them with --level-weights 0.02 0.1 1 0, then
0.01 0.06 1 0, and gives 40.5, 38.6, 36.3 and 32.5 dB; its record has the commands.

A run that was killed goes on with the same command. `teacher_decoder.h5` and its record belong in `ckpts/mobilenet/`, where
`teacher.load` finds them.
"""

import sys

from common.commands import train_teacher

if __name__ == "__main__":
    sys.exit(train_teacher.main("mobilenet", __doc__))
