"""Distilling a student from its teacher, blockwise (paper, section 3): the paper's recipe, and one that takes hours."""

import dataclasses
from pathlib import Path

import keras
import numpy as np
from keras import ops

from common.autoencoder import Autoencoder
from common.blockwise import LossWeights, Stage, train
from common.eigenbases import centre
from common.errors import InputError
from common.layers import fold_batch_norm
from common.photos import random_crops

PAPER_LEARNING_RATE = 1e-4
# An encoder block alone learns at a high rate, for it is normalised; all pairs together do at a lower one.
ENCODER_LEARNING_RATE = 1.5e-2
SETTLING_LEARNING_RATE = 1e-3
JOINT_LEARNING_RATE = 5e-4
# Largest norm of the joint pass's gradient.
CLIP = 0.5
ENCODER_LOSSES = LossWeights(reconstruction=0, feature=0, perceptual=0, balanced=True)
JOINT_LOSSES = LossWeights(reconstruction=100, feature=0.2, perceptual=0, balanced=True)
# A ReLU can only carry a signed target on top of an offset: that of the last one, in standard deviations of its target.
OFFSET = 1.5
# Photos from which that standard deviation is taken.
SPREAD_PHOTOS = 32


class LiftedStudent(keras.Model):
    """A student as a teacher: its features lifted by its eigenbases to the width of what it was distilled from.

    Args:
        student: `Autoencoder` with eigenbases.
    """

    def __init__(self, student):
        super().__init__(name=f"lifted_{student.name}")
        self.student = student
        self.backbone = student.backbone
        self.encoder_blocks = student.encoder_blocks
        self.widths = student.widths._replace(encoder=tuple((len(basis),) for basis in student.eigenbases))
        self.built = True

    def encode(self, images, level=None, training=False):
        """As `Autoencoder.encode`."""
        features, skips = self.student.encode(images, level, training)
        bases = (ops.convert_to_tensor(basis, dtype=features[0].dtype) for basis in self.student.eigenbases)
        return [ops.matmul(feature, ops.transpose(basis)) for feature, basis in zip(features, bases, strict=False)], skips


class Relay(keras.Model):
    """Teachers of one student: each takes over at the levels that those before it do not reach."""

    def __init__(self, teachers):
        super().__init__(name="relay")
        self.teachers = teachers
        self.backbone = teachers[0].backbone
        channels, blocks = [], []
        for teacher in teachers:
            channels += teacher.widths.encoder[len(channels) :]
            blocks += teacher.encoder_blocks[len(blocks) :]
        self.widths = teachers[0].widths._replace(encoder=tuple(channels))
        self.encoder_blocks = blocks
        self.built = True

    def encode(self, images, level=None, training=False):
        """As `Autoencoder.encode`."""
        last = len(self.widths.encoder) - 1 if level is None else level
        features, skips = [], []
        for teacher in self.teachers:
            reach = min(last, len(teacher.widths.encoder) - 1)
            if reach >= len(features):
                more_features, more_skips = teacher.encode(images, reach, training)
                features, skips = features + more_features[len(features) :], skips + more_skips[len(skips) :]
        return features, skips


def load_teacher(weights, student, teacher):
    """A teacher to distil from.

    Args:
        weights: what to load, one or several of: pretrained weights, as `teacher.load` takes them; a student's checkpoint,
            whose features are lifted by its eigenbases. Each takes over where those before it end.
        student, teacher: the backbone's modules.

    Raises:
        InputError: one cannot be loaded, or is a student without eigenbases.
    """
    teachers = []
    for source in weights:
        if source.endswith(".weights.h5") or Path(source, "sencoder.index").exists():
            model = student.load(source)
            if not model.eigenbases:
                raise InputError(f"{source} has no eigenbases to lift its features by")
            teachers.append(LiftedStudent(model))
        else:
            teachers.append(teacher.load_encoder(source))
    return teachers[0] if len(teachers) == 1 else Relay(teachers)


def distill_as_published(student, teacher, steps, course, learning_rate=None, sparsity=None):
    """Train one pair after the other on the sum of all losses, at a constant rate; the rest as `distill`."""
    losses = LossWeights(**sparsity or {})
    for level, count in enumerate(steps):
        stage = Stage(f"pair_{level}", (level,), count, learning_rate or PAPER_LEARNING_RATE, losses, decay=False)
        train(student, stage, course, teacher, student.eigenbases)


def distill(student, teacher, steps, settling_steps, joint_steps, course, **options):
    """Train every encoder block alone, then all pairs together.

    1. Encoder blocks, in turn, on the distill term alone, with batch normalisation after every convolution, folded into the
       weights afterwards: without it, the same steps explain half as much, and channels die. Some more without it, where
       asked for, rid the block of the noise that batches bring (MobileNet, level 0, 2,000 steps: 0.887 to 0.892 explained).
    2. All pairs jointly, the decoder starting from a least-squares fit to the encoder.

    Args:
        student: `Autoencoder` with eigenbases.
        teacher: `Autoencoder` or `LiftedStudent`.
        steps: of each encoder block with batch normalisation.
        settling_steps: of each without.
        joint_steps: of the joint pass.
        course: `common.blockwise.Course`.
        options: `learning_rate`, `reconstruction`, `sparsity` and `fixed` of `train_jointly`.
    """
    losses = ENCODER_LOSSES._replace(**options.get("sparsity") or {})
    for level, count in enumerate(steps):
        normalised = with_batch_norm(student, level)
        start_above_zero(normalised, teacher, level, course)
        stage = Stage(f"encoder_{level}", (level,), count, ENCODER_LEARNING_RATE, losses)
        train(normalised, stage, course, teacher, student.eigenbases)
        fold_batch_norm(normalised.encoder_blocks[level], student.encoder_blocks[level])
        if settling_steps:
            stage = Stage(f"settled_{level}", (level,), settling_steps, SETTLING_LEARNING_RATE, losses)
            train(student, stage, course, teacher, student.eigenbases)
    # Without the sparsity losses: what is dead stays so, and their steep gradients would leave nothing of the clipped norm.
    train_jointly(student, teacher, joint_steps, course, closed_form=True, **options | {"sparsity": None})


def train_jointly(
    student,
    teacher,
    joint_steps,
    course,
    learning_rate=None,
    reconstruction=None,
    sparsity=None,
    fixed=(),
    closed_form=False,
):
    """Train all pairs together; arguments as of `distill`.

    Args:
        learning_rate: at its peak.
        reconstruction: weight of that term: more for better reconstruction and a smaller share explained.
        sparsity: weights of the losses in `common.sparsity` by name, or None.
        fixed: levels whose encoder blocks stay as they are.
        closed_form: start the decoder from a least-squares fit to the encoder; else from the weights it has.
    """
    rate = learning_rate or JOINT_LEARNING_RATE
    levels = tuple(range(len(student.decoder_blocks)))
    losses = JOINT_LOSSES._replace(**sparsity or {})
    if reconstruction is not None:
        losses = losses._replace(reconstruction=reconstruction)
    stage = Stage("joint", levels, joint_steps, rate, losses, whiten="channels", clip=CLIP, fixed=fixed)
    smaller = course._replace(batch_size=max(1, course.batch_size // 2))  # all decoders run: more steps are worth more
    train(student, stage._replace(closed_form=closed_form), smaller, teacher, student.eigenbases)


def with_batch_norm(student, level):
    """A copy of `student` with batch normalisation after every convolution of encoder block `level`, which is untrained."""

    def encoder_block(of_level, *arguments):
        return student.backbone.encoder_block(of_level, *arguments, batch_norm=of_level == level)

    copy = Autoencoder(
        dataclasses.replace(student.backbone, encoder_block=encoder_block), student.widths, student.eigenbases
    )
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
