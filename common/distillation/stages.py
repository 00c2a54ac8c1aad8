"""A training as a row of stages: so many steps on some pairs of blocks, resumed where they were cut short."""

import itertools
from pathlib import Path
from typing import NamedTuple

import keras

from common.distillation.callbacks import Curves, Samples
from common.distillation.graded_pairs import GradedCentreCrops, graded_crops
from common.distillation.least_squares import start_decoder_block
from common.distillation.trainer import BlockwiseTrainer
from common.distillation.whitening import give_weights, whiten, whitenable
from common.network.backup import Backup, go_on
from common.origin import read_origin, require_same_origin
from common.photos.crops import CentreCrops, random_crops

# Share of a stage's steps over which the learning rate rises to its peak.
WARM_UP = 0.1
# Batches that a decoder block is fitted to in closed form.
STARTING_BATCHES = 100


class Stage(NamedTuple):
    """A number of steps on some pairs.

    Attributes:
        name: of its files in the training folder.
        levels: pairs trained.
        steps: batches in all.
        learning_rate: of Adam, at its peak.
        losses: `{name: (common.distillation.losses.Loss, weight)}`.
        decay: follow a cosine down to zero, after `WARM_UP` of the steps; else stay at the rate throughout.
        closed_form: begin with the decoder blocks that `common.distillation.least_squares` gives.
        whiten: train in the coordinates of `common.distillation.whitening`: "channels", "patches" or None.
        clip: largest norm of the gradient.
        balanced, level_weights, noise, fixed: as for `BlockwiseTrainer`.
        batch_size: images a step; None: the course's.
    """

    name: str
    levels: tuple[int, ...]
    steps: int
    learning_rate: float
    losses: dict
    decay: bool = True
    closed_form: bool = False
    whiten: str | None = None
    clip: float | None = None
    balanced: bool = False
    level_weights: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    noise: float = 0.0
    fixed: tuple[int, ...] = ()
    batch_size: int | None = None


class Course(NamedTuple):
    """What the stages of a run have in common.

    Attributes:
        folder: where backups, logs and curves go.
        photos: paths to train on.
        validation: paths to measure on after every `interval`, or none.
        batch_size, crop: images a step, and their side in pixels.
        square: resize photos to 512x512 first, as the paper does.
        seed: of crops and initial weights.
        interval: steps between backups; the steps of every stage are a multiple of it.
        tensorboard: write logs for it too.
        kept: names of stages that stay as they are, whatever they were made with.
    """

    folder: Path
    photos: list
    validation: list
    batch_size: int = 8
    crop: int = 128
    square: bool = False
    seed: int = 0
    interval: int = 250
    tensorboard: bool = False
    kept: tuple[str, ...] = ()


def train(model, stage, course, teacher=None, eigenbases=None):
    """Train `model` through `stage`, or what is left of it: a run that was killed goes on from its last backup.

    Args:
        model, teacher, eigenbases: as for `BlockwiseTrainer`; `teacher` defaults to `model`.

    Raises:
        InputError: the stage was begun with other settings, or the loss is no longer finite; the last good weights are in
            the backup.
    """
    if stage.batch_size:
        course = course._replace(batch_size=stage.batch_size)
    backup = Backup(course.folder / f"{stage.name}.weights.h5")
    if stage.name not in course.kept:
        what = f"{course.folder}: stage {stage.name} was"
        remedy = "give another --save-to, or train again from there on"
        require_same_origin(origin_path(course.folder, stage.name), settings(stage, course), what, remedy)
    whitened = whitenable(model, stage.whiten and eigenbases is not None, patches=stage.whiten == "patches")
    trainer = BlockwiseTrainer(
        whitened,
        stage.levels,
        stage.losses,
        teacher or whitened,
        eigenbases,
        stage.balanced,
        stage.level_weights,
        stage.noise,
        stage.fixed,
    )
    trainer.compile(optimizer=optimizer(stage))
    trainer.optimizer.build(trainer.trainable_variables)
    if backup.path.exists():
        trainer.load_weights(backup.path)
    else:
        start(whitened, stage, course)
        backup.save(trainer)
    try:
        fit(trainer, stage, course, backup)
    finally:
        give_weights(whitened, model)


def settings(stage, course):
    """What a stage does, as a dict that JSON can hold."""
    return stage._asdict() | {
        "losses": {name: weight for name, (_, weight) in stage.losses.items()},
        "batch_size": course.batch_size,
        "crop": course.crop,
        "interval": course.interval,
    }


def origin_path(folder, name):
    """Where the settings of the stage called `name` lie."""
    return folder / f"{name}.json"


def performed(folder, names):
    """The settings of those stages, by name, that `train` was run on in `folder`."""
    return {name: read_origin(origin_path(folder, name)) for name in names if origin_path(folder, name).exists()}


def remove_stages(folder, names):
    """Remove what was left of stages, so that they start afresh."""
    for name in names:
        for path in folder.glob(f"{name}.*"):
            path.unlink()


def start(model, stage, course):
    """Make `model` ready for the first step of `stage`."""
    for level in stage.levels:
        crops = random_crops(course.photos, course.batch_size, course.crop, course.seed, square=course.square)
        batches = list(itertools.islice(crops, STARTING_BATCHES))
        if stage.closed_form:
            start_decoder_block(model, level, batches)
        if stage.whiten:
            whiten(model, level, batches)


def fit(trainer, stage, course, backup):
    """Train to the end of `stage`, from the step that the optimiser is at."""
    done = int(trainer.optimizer.iterations)
    draw, centre = (graded_crops, GradedCentreCrops) if trainer.asks_graded else (random_crops, CentreCrops)
    crops = draw(course.photos, course.batch_size, course.crop, course.seed, done, course.square)
    watched = centre(course.validation) if course.validation else None
    log, what = course.folder / f"{stage.name}.csv", f"{stage.name}: the loss"
    go_on(trainer, crops, done, stage.steps, course.interval, log, callbacks(trainer, stage, course, backup), watched, what)


def callbacks(trainer, stage, course, backup):
    """What happens after every interval."""
    result = [backup, Curves(course.folder)]
    if trainer.decodes and course.validation:
        result.append(Samples(course.folder / f"{stage.name}.png", course.validation))
    if course.tensorboard:
        result.append(keras.callbacks.TensorBoard(course.folder / "tensorboard" / stage.name))
    return result


def optimizer(stage):
    """Adam with the stage's learning rate."""
    rate = stage.learning_rate
    if stage.decay:
        warm_up = max(1, round(WARM_UP * stage.steps))
        rate = keras.optimizers.schedules.CosineDecay(
            rate / warm_up, max(1, stage.steps - warm_up), warmup_target=rate, warmup_steps=warm_up
        )
    return keras.optimizers.Adam(rate, global_clipnorm=stage.clip)
