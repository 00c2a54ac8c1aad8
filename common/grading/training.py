"""Training of the grade's predictor on pairs whose answer is known because we graded both photos."""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from common.grading import bases, grades, pairs, predictor
from common.grading.colour import apply_luts, cie94, rgb_to_lab
from common.grading.lut import LUMA
from common.network.backup import Backup, go_on

# Weights in the loss, beside a mean CIE94 difference of 1: mean squared second differences of the LUT; fall of a grey ramp
# a step; how far pixels lie beyond [0, 1].
SMOOTHNESS, FALL, BEYOND = 30.0, 30.0, 3.0
# Steps of the grey ramp, and the least that each should rise by.
RAMP_STEPS, LEAST_RISE = 33, 1e-3
# Batches that statistics are standardised by.
STARTING_BATCHES = 20
# Pairs, and pixels of each, that basis LUTs are fitted to.
FITTED_PAIRS, FITTED_PIXELS = 1500, 1024
# Smallest spread that a number of a descriptor is divided by.
SMALLEST_SPREAD = 0.03
# Whether XLA compiles a step: it takes half a minute, and steps half as long on a processor.
COMPILED = True
# Share of the steps over which the learning rate rises.
WARM_UP = 0.05


class Course(NamedTuple):
    """How to train.

    Attributes:
        folder: where backups, logs and weights go.
        photos, held_out: uint8 arrays to train on, and to watch the error on.
        steps: batches in all, a multiple of `interval`.
        batch_size: photos a step; each gives two crops and four pairs.
        learning_rate: AdamW's at its peak.
        seed: of pairs and first weights.
        interval: steps between backups.
        eigenbasis: begin with principal components as basis LUTs; else with random ones.
        trained: encoder and mapper have been trained already, and begin as they are.
    """

    folder: Path
    photos: list
    held_out: list
    steps: int = 20_000
    batch_size: int = 32
    learning_rate: float = 1.5e-3
    seed: int = 0
    interval: int = 500
    eigenbasis: bool = True
    trained: bool = False


class GradeTrainer(keras.Model):
    """What `fit` trains: an encoder and a mapper of `predictor`, on batches of `pairs.batch`."""

    def __init__(self, encoder, mapper):
        super().__init__(name="grade_trainer")
        self.encoder, self.mapper = encoder, mapper
        names = ("overlapping", "unrelated", "roughness", "fall")
        self.means = [keras.metrics.Mean(name) for name in names]
        self.built = True

    def call(self, batch, training=False):
        """LUTs of both pairs of every crop, `(2 crops, n, n, n, 3)`: with the other crop of its photo first."""
        descriptors = ops.concatenate([batch["statistics"], self.encoder(batch["copies"], training=training)], axis=-1)
        styles = ops.take(descriptors, ops.reshape(ops.transpose(batch["styles"]), (-1,)), axis=0)
        transports = ops.concatenate([batch["transports"][:, 0], batch["transports"][:, 1]])
        return self.mapper([ops.concatenate([descriptors, descriptors]), styles, transports], training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Mean CIE94 difference to the right answer, and what keeps a LUT smooth, rising and within [0, 1]."""
        graded = apply_luts(y_pred, ops.concatenate([x["pixels"], x["pixels"]]))
        answers = ops.concatenate([x["answers"][:, 0], x["answers"][:, 1]])
        inside = ops.clip(graded, 0, 1)
        errors = ops.mean(cie94(rgb_to_lab(inside), rgb_to_lab(answers)), axis=1)
        overlapping, unrelated = (ops.mean(half) for half in ops.split(errors, 2))
        rough, fall = roughness(y_pred), falling(y_pred)
        for mean, value in zip(self.means, (overlapping, unrelated, rough, fall), strict=True):
            mean.update_state(value)
        beyond = ops.mean(ops.abs(graded - inside))
        return (overlapping + unrelated) / 2 + SMOOTHNESS * rough + FALL * fall + BEYOND * beyond


def roughness(luts):
    """Mean squared second difference between neighbouring nodes of LUTs `(batch, n, n, n, 3)`."""
    total = 0.0
    for axis in (1, 2, 3):
        moved = ops.moveaxis(luts, axis, 1)
        total += ops.mean(ops.square(moved[:, 2:] - 2 * moved[:, 1:-1] + moved[:, :-2]))
    return total / 3


def falling(luts):
    """Mean over LUTs of how far a grey ramp's luma fails to rise, summed over its steps."""
    greys = np.repeat(np.linspace(0, 1, RAMP_STEPS, dtype=np.float32)[None, :, None], 3, axis=2)
    ramp = ops.matmul(apply_luts(luts, ops.tile(greys, (ops.shape(luts)[0], 1, 1))), LUMA[:, None])[..., 0]
    return ops.mean(ops.sum(ops.relu(LEAST_RISE - (ramp[:, 1:] - ramp[:, :-1])), axis=1))


def train(encoder, mapper, course):
    """Train through `course`, or what is left of it: a run that was killed goes on from its last backup.

    Raises:
        InputError: the loss is no longer finite.
    """
    trainer = GradeTrainer(encoder, mapper)
    trainer.compile(optimizer=optimizer(course), jit_compile=COMPILED)
    trainer.optimizer.build(trainer.trainable_variables)
    backup = Backup(course.folder / "backup.weights.h5")
    if backup.path.exists():
        trainer.load_weights(backup.path)
    elif not course.trained:
        start(trainer, course)
    done = int(trainer.optimizer.iterations)
    batches = pairs.batches(course.photos, course.batch_size, course.seed, done)
    watched = Watched(course.held_out) if course.held_out else None
    go_on(trainer, batches, done, course.steps, course.interval, course.folder / "log.csv", [backup], watched)


def optimizer(course):
    """AdamW, its learning rate up in a straight line and down along a cosine."""
    warm_up = max(1, round(WARM_UP * course.steps))
    rate = keras.optimizers.schedules.CosineDecay(
        course.learning_rate / warm_up,
        max(1, course.steps - warm_up),
        warmup_target=course.learning_rate,
        warmup_steps=warm_up,
    )
    return keras.optimizers.AdamW(rate, weight_decay=0.01, global_clipnorm=1.0)


def start(trainer, course):
    """Standardise descriptors, and begin with the eigenbasis."""
    random = np.random.default_rng([course.seed, 2**32 - 1])
    drawn = [pairs.batch(course.photos, course.batch_size, random) for _ in range(STARTING_BATCHES)]
    descriptors = np.concatenate([np.concatenate([x["statistics"], trainer.encoder(x["copies"])], axis=1) for x in drawn])
    normalise = predictor.normalisation(trainer.mapper)
    normalise.adapt(descriptors)
    normalise.adapt_variance.assign(np.maximum(normalise.adapt_variance, SMALLEST_SPREAD**2))
    normalise.finalize_state()
    if course.eigenbasis:
        kernel = trainer.mapper.get_layer("bases").kernel
        components, share = bases.principal_luts(fitted_luts(trainer, course, random), kernel.shape[0])
        print(f"{len(components)} basis LUTs explain {share:.1%} of what least squares adds to Reinhard's transform")
        kernel.assign(components)


def fitted_luts(trainer, course, random):
    """What least squares adds to the LUTs of `trainer`, for `FITTED_PAIRS` pairs."""
    result = []
    while len(result) < FITTED_PAIRS:
        batch = pairs.batch(course.photos, course.batch_size, random, pixels=FITTED_PIXELS)
        luts = trainer(batch)
        pixels = np.concatenate([batch["pixels"]] * 2)
        answers = np.concatenate([batch["answers"][:, 0], batch["answers"][:, 1]])
        changes = answers - ops.convert_to_numpy(apply_luts(luts, pixels))
        result += [bases.least_squares_lut(*pair, luts.shape[1]) for pair in zip(pixels, changes, strict=True)]
    return np.stack(result)


class Watched(keras.utils.PyDataset):
    """The same pairs each time, of photos held out: grades of the strength that is measured, then of the mixture."""

    def __init__(self, photos, count=32, batches=6):
        super().__init__()
        random = np.random.default_rng(1)
        self.batches = [pairs.batch(photos, count, random, grades.measured_grade) for _ in range(batches)]

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return (self.batches[index],)


def build():
    """An untrained encoder and mapper."""
    return predictor.build_encoder(), predictor.build_mapper()
