"""Distilling a student from its teacher, blockwise (paper, section 3): the paper's recipe, and one that takes hours."""

import keras
import numpy as np
from keras import ops

from common.distillation.losses import LOSSES, weighted
from common.distillation.stages import Stage, train
from common.eigenbases.covariances import centre
from common.network.autoencoder import Autoencoder
from common.network.layers import fold_batch_norm
from common.photos.crops import random_crops

PAPER_LEARNING_RATE = 1e-4
PAPER_WEIGHTS = dict.fromkeys(LOSSES, 1.0)
# An encoder block alone learns at a high rate, for it is normalised; all pairs together do at a lower one.
ENCODER_LEARNING_RATE = 1.5e-2
SETTLING_LEARNING_RATE = 1e-3
JOINT_LEARNING_RATE = 5e-4
ENCODER_WEIGHTS = {"distill": 1.0}
JOINT_WEIGHTS = {"distill": 1.0, "reconstruction": 40.0, "feature": 0.2}
# Largest norm of the joint pass's gradient.
CLIP = 0.5
# A ReLU can only carry a signed target on top of an offset: that of the last one, in standard deviations of its target.
OFFSET = 1.5
# Photos from which that standard deviation is taken.
SPREAD_PHOTOS = 32


def stages_from(level, levels):
    """The names of the stages of either recipe, of a student of so many `levels`, from pair `level` on."""
    later = range(level, levels)
    return [f"{kind}_{pair}" for kind in ("pair", "encoder", "settled") for pair in later] + ["joint"]


def distill_as_published(student, teacher, steps, course, learning_rate=None, more_losses=None):
    """Train one pair after the other on the sum of all losses, at a constant rate; the rest as `distill`.

    Args:
        learning_rate: of all pairs; None: the paper's.
    """
    losses = weighted(PAPER_WEIGHTS) | (more_losses or {})
    for level, count in enumerate(steps):
        stage = Stage(f"pair_{level}", (level,), count, learning_rate or PAPER_LEARNING_RATE, losses, decay=False)
        train(student, stage, course, teacher, student.eigenbases)


def distill(
    student,
    teacher,
    steps,
    settling_steps,
    joint_steps,
    course,
    encoder_learning_rate=None,
    more_losses=None,
    joint_losses=None,
    **joint_options,
):
    """Train every encoder block alone, then all pairs together.

    1. Encoder blocks, in turn, on the distill loss alone, with batch normalisation after every convolution, folded into the
       weights afterwards: without it, the same steps explain half as much, and channels die. Some more without it, where
       asked for, rid the block of the noise that batches bring (MobileNet, level 0, 2,000 steps: 0.887 to 0.892 explained).
    2. All pairs jointly, the decoder starting from a least-squares fit to the encoder.

    Args:
        student: `Autoencoder` with eigenbases.
        teacher: `Autoencoder` or `LiftedStudent`.
        steps: of each encoder block with batch normalisation.
        settling_steps: of each without.
        joint_steps: of the joint pass.
        course: `common.distillation.stages.Course`.
        encoder_learning_rate: at its peak, with batch normalisation; None: the recipe's.
        more_losses: of the encoder blocks, `{name: (Loss, weight)}`.
        joint_losses: more of the joint pass, likewise.
        joint_options: `learning_rate`, `reconstruction` and `fixed` of `train_jointly`.
    """
    losses = weighted(ENCODER_WEIGHTS) | (more_losses or {})
    rate = encoder_learning_rate or ENCODER_LEARNING_RATE
    for level, count in enumerate(steps):
        normalised = with_batch_norm(student, level)
        start_above_zero(normalised, teacher, level, course)
        stage = Stage(f"encoder_{level}", (level,), count, rate, losses, balanced=True)
        train(normalised, stage, course, teacher, student.eigenbases)
        fold_batch_norm(normalised.encoder_blocks[level], student.encoder_blocks[level])
        if settling_steps:
            stage = Stage(f"settled_{level}", (level,), settling_steps, SETTLING_LEARNING_RATE, losses, balanced=True)
            train(student, stage, course, teacher, student.eigenbases)
    # Without those that kill channels: what is dead stays so, and their gradients would leave nothing of the clipped norm.
    train_jointly(student, teacher, joint_steps, course, more_losses=joint_losses, closed_form=True, **joint_options)


def train_jointly(
    student,
    teacher,
    joint_steps,
    course,
    learning_rate=None,
    reconstruction=None,
    more_losses=None,
    fixed=(),
    closed_form=False,
):
    """Train all pairs together; arguments as of `distill`.

    Args:
        learning_rate: at its peak.
        reconstruction: weight of that loss: more for better reconstruction and a smaller share explained.
        fixed: levels whose encoder blocks stay as they are.
        closed_form: start the decoder from a least-squares fit to the encoder; else from the weights it has.
    """
    weights = JOINT_WEIGHTS if reconstruction is None else JOINT_WEIGHTS | {"reconstruction": reconstruction}
    stage = Stage(
        "joint",
        tuple(range(len(student.decoder_blocks))),
        joint_steps,
        learning_rate or JOINT_LEARNING_RATE,
        weighted(weights) | (more_losses or {}),
        closed_form=closed_form,
        whiten="channels",
        clip=CLIP,
        balanced=True,
        fixed=tuple(fixed),
        batch_size=max(1, course.batch_size // 2),  # all decoders run: more steps are worth more
    )
    train(student, stage, course, teacher, student.eigenbases)


def with_batch_norm(student, level):
    """A copy of `student` with batch normalisation after every convolution of encoder block `level`, which is untrained."""

    def encoder(of_level, *arguments):
        return student.builders.encoder(of_level, *arguments, batch_norm=of_level == level)

    builders = student.builders._replace(encoder=encoder)
    copy = Autoencoder(student.backbone, builders, student.widths, student.eigenbases)
    for other, (block, theirs) in enumerate(zip(copy.encoder_blocks, student.encoder_blocks, strict=True)):
        if other != level:
            block.set_weights(theirs.get_weights())
    return copy


def start_above_zero(normalised, teacher, level, course):
    """Set the last batch normalisation of encoder block `level` to the spread of its target, and all well above zero."""
    (images,) = next(random_crops(course.photos, SPREAD_PHOTOS, course.crop, course.seed))
    target = ops.matmul(centre(teacher.encode(images, level)[0][level]), normalised.eigenbases[level])
    spread = np.std(ops.convert_to_numpy(target), axis=(0, 1, 2))
    norms = [
        layer for layer in normalised.encoder_blocks[level].layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    norms[-1].gamma.assign(spread)
    for norm in norms:
        norm.beta.assign(OFFSET * norm.gamma)
