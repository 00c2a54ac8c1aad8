"""Blockwise training of an autoencoder: distilling a student, and a teacher's decoder (paper, section 3.3; PhotoWCT2).

Pair b is encoder block b and decoder block b. Pairs are trained in turn, 0 first, with the earlier ones frozen.
"""

import csv
import itertools
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from PIL import Image

from common.eigenbases import centre
from common.errors import InputError
from common.files import written_whole
from common.layers import activations
from common.least_squares import start_decoder_block
from common.photos import CentreCrops, random_crops
from common.sparsity import LOSSES
from common.whitening import give_weights, whiten, whitenable

# Keeps the division by a variance finite where a feature is constant.
SMALLEST_VARIANCE = 1e-6
# Shown for an image that is reconstructed to the last bit: -10 log10 of this.
SMALLEST_SQUARED_ERROR = 1e-10


class LossWeights(NamedTuple):
    """What each term of the loss counts for; the paper sums them as they are.

    Attributes:
        balanced: divide errors of features by the variance of what they should be, so that levels weigh the same.
        by_level: what the reconstruction from each level counts for beside the others. What an easy level has more than it
            needs, a hard one that decodes through the same blocks can use.
        channel, xor, uncorrelation: of the losses in `common.sparsity`, averaged over the ReLUs of an encoder block that is
            trained. The decoder follows it; made to die by itself, it no longer reconstructs.
    """

    distill: float = 1.0
    reconstruction: float = 1.0
    feature: float = 1.0
    perceptual: float = 1.0
    balanced: bool = False
    by_level: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0)
    channel: float = 0.0
    xor: float = 0.0
    uncorrelation: float = 0.0


class BlockwiseTrainer(keras.Model):
    """What `fit` trains: pairs of blocks of `model`, on batches of images alone.

    The terms are those of the paper, section 3.3: *distill*, the student's feature lifted by the eigenbasis against the
    teacher's; *reconstruction* of the image; for levels above 0 *feature*, what the decoder block makes of its input against
    the feature a level up, and *perceptual*, the teacher's features of the image against those of its reconstruction.

    Args:
        model: `Autoencoder` to train.
        levels: the pairs to train; all others are frozen. The losses of several levels are summed.
        weights: `LossWeights`; a weight of 0 leaves its term out.
        teacher: `Autoencoder` for the perceptual and distill terms; `model` itself where its own decoder is trained.
        eigenbases: arrays `(teacher width, student width)` by level, or None to train decoder blocks alone.
        noise: added in training to what a decoder block gets from the encoder, in standard deviations of each channel.
            Without it a block learns to invert its encoder block to the last bit, and blows up what comes from below.
        fixed: levels whose encoder blocks stay as they are all the same.
    """

    def __init__(self, model, levels, weights, teacher, eigenbases=None, noise=0.0, fixed=()):
        super().__init__(name="blockwise_trainer")
        self.model, self.teacher = model, teacher
        self.noise = keras.layers.GaussianNoise(noise)
        self.levels, self.weights_of_terms, self.eigenbases = levels, weights, eigenbases
        teacher.trainable = False
        for level, block in enumerate(model.encoder_blocks):
            thaw(block, eigenbases is not None and level in levels and level not in fixed)
        self.sparse = any(getattr(weights, name) for name in LOSSES)
        without_decoder = {"distill", *LOSSES}
        self.decodes = any(name not in without_decoder for level in levels for name in self.term_names(level))
        for level, block in enumerate(model.decoder_blocks):
            thaw(block, self.decodes and level in levels)
        if self.sparse:
            self.relus = {level: relus(model.encoder_blocks[level]) for level in levels}
        shown = ("psnr",) if self.decodes else ()
        names = [f"{name}_{level}" for level in levels for name in (*self.term_names(level), *shown)]
        self.means = [keras.metrics.Mean(name) for name in names]
        self.asks_teacher = any({"distill", "perceptual"} & set(self.term_names(level)) for level in levels)
        self.built = True

    def term_names(self, level):
        """The terms of the loss at `level`."""
        names = ["reconstruction"] if self.eigenbases is None else ["distill", "reconstruction"]
        names += ["feature", "perceptual"] if level else []
        return [name for name in (*names, *LOSSES) if getattr(self.weights_of_terms, name)]

    def weight(self, name, level):
        """What the term `name` counts for at `level`."""
        weight = getattr(self.weights_of_terms, name)
        return weight * self.weights_of_terms.by_level[level] if name == "reconstruction" else weight

    def call(self, images, training=False):
        """Features by level and, for each level trained, the decoded feature or image and the reconstructed image."""
        features, skips = self.model.encode(images, max(self.levels), training)
        decoded, reconstructed = [], []
        for level in self.levels if self.decodes else ():
            x = features[level]
            if training and self.noise.stddev:
                x += ops.std(x, axis=(0, 1, 2), keepdims=True) * self.noise(ops.zeros_like(x), training=True)
            x = self.model.decode(level, x, skips[level], training)
            decoded.append(x)
            for above in range(level - 1, -1, -1):
                x = self.model.decode(above, x, skips[above], training)
            reconstructed.append(x)
        return features, decoded, reconstructed

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the terms; each is shown as a metric of its own, and so is the PSNR."""
        features, decoded, reconstructed = y_pred
        taught = features
        if self.teacher is not self.model and self.asks_teacher:
            taught, _ = self.teacher.encode(x, max(self.levels))
        values = []
        loss = 0.0
        nothing = [None] * len(self.levels)
        for level, decoded_feature, image in zip(self.levels, decoded or nothing, reconstructed or nothing, strict=True):
            responses = self.responses(level, features[level - 1] if level else x, training)
            terms = self.terms(level, x, features, taught, decoded_feature, image, responses)
            loss += sum(self.weight(name, level) * term for name, term in terms.items())
            values += [*terms.values(), *([ops.mean(psnr(x, image))] if self.decodes else [])]
        for mean, value in zip(self.means, values, strict=True):
            mean.update_state(value)
        return loss

    def terms(self, level, images, features, taught, decoded_feature, image, responses):
        """The unweighted terms at `level` by name.

        Args:
            features, taught: the model's and the teacher's features by level.
            decoded_feature: what decoder block `level` makes of the feature at `level`.
            image: what is decoded from there.
            responses: of the ReLUs of the encoder block, where it is trained.
        """
        result = {}
        for name in self.term_names(level):
            if name in LOSSES:
                result[name] = sum(map(LOSSES[name], responses)) / max(len(responses), 1)
            elif name == "distill":
                basis = ops.convert_to_tensor(self.eigenbases[level], dtype=features[level].dtype)
                result[name] = self.error(centre(taught[level]), ops.matmul(centre(features[level]), ops.transpose(basis)))
            elif name == "reconstruction":
                result[name] = ops.mean(ops.square(images - image))
            elif name == "feature":
                result[name] = self.error(ops.stop_gradient(features[level - 1]), decoded_feature)
            else:
                result[name] = self.error(taught[level], self.teacher.encode(image, level)[0][level])
        return result

    def responses(self, level, inputs, training):
        """The responses of the ReLUs of encoder block `level`; none where it is not trained, or no loss asks for them."""
        if not self.sparse or not self.relus[level]:
            return []
        return keras.tree.flatten(self.relus[level](inputs, training=training))

    def error(self, target, x):
        """Mean squared error, relative to the target's variance where the losses are balanced."""
        error = ops.mean(ops.square(target - x))
        if not self.weights_of_terms.balanced:
            return error
        variance = ops.mean(ops.square(target - ops.mean(target, axis=(0, 1, 2), keepdims=True)))
        return error / (variance + SMALLEST_VARIANCE)


def thaw(block, trainable):
    """Make a block trainable or not; VGG's preprocessing never is."""
    block.trainable = trainable
    for layer in block.layers:
        if layer.name == "preprocess":
            layer.trainable = False


def relus(block):
    """A model from a block's input to the responses of its ReLUs; None where it is not trained."""
    return keras.Model(block.input, [layer.output for layer in activations(block)]) if block.trainable else None


def psnr(images, others):
    """Peak signal-to-noise ratio in dB of each image of a batch; `others` are clipped to [0, 1] first."""
    squared = ops.mean(ops.square(images - ops.clip(others, 0, 1)), axis=(1, 2, 3))
    return -10 * ops.log(ops.maximum(squared, SMALLEST_SQUARED_ERROR)) / np.log(10)


# --- one stage: some steps at some levels --------------------------------------------------------------------------------


class Stage(NamedTuple):
    """A number of steps on some pairs.

    Attributes:
        name: of its files in the training folder.
        levels: pairs trained.
        steps: batches in all.
        learning_rate: of Adam, at its peak.
        weights: `LossWeights`.
        decay: follow a cosine down to zero, after `WARM_UP` of the steps; else stay at the rate throughout.
        closed_form: begin with the decoder blocks that `common.least_squares` gives.
        noise, fixed: as for `BlockwiseTrainer`.
        clip: largest norm of the gradient.
        whiten: train in the coordinates of `common.whitening`: "channels", "patches" or None.
    """

    name: str
    levels: tuple[int, ...]
    steps: int
    learning_rate: float
    weights: LossWeights
    decay: bool = True
    closed_form: bool = False
    whiten: str | None = None
    clip: float | None = None
    noise: float = 0.0
    fixed: tuple[int, ...] = ()


# Share of a stage's steps over which the learning rate rises to its peak.
WARM_UP = 0.1
# Batches that a decoder block is fitted to in closed form.
STARTING_BATCHES = 100


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


def train(model, stage, course, teacher=None, eigenbases=None):
    """Train `model` through `stage`, or what is left of it: a run that was killed goes on from its last backup.

    Args:
        model, teacher, eigenbases: as for `BlockwiseTrainer`; `teacher` defaults to `model`.

    Raises:
        InputError: the loss is no longer finite; the last good weights are in the backup.
    """
    whitened = whitenable(model, stage.whiten and eigenbases is not None, patches=stage.whiten == "patches")
    trainer = BlockwiseTrainer(
        whitened, stage.levels, stage.weights, teacher or whitened, eigenbases, stage.noise, stage.fixed
    )
    trainer.compile(optimizer=optimizer(stage))
    trainer.optimizer.build(trainer.trainable_variables)
    backup = Backup(course.folder / f"{stage.name}.weights.h5")
    if backup.path.exists():
        trainer.load_weights(backup.path)
    else:
        start(whitened, stage, course)
        backup.save(trainer)
    try:
        fit(trainer, stage, course, backup)
    finally:
        give_weights(whitened, model)


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
    if done >= stage.steps:
        return
    crops = random_crops(course.photos, course.batch_size, course.crop, course.seed, done, course.square)
    trainer.fit(
        crops,
        shuffle=False,
        initial_epoch=done // course.interval,
        epochs=stage.steps // course.interval,
        steps_per_epoch=course.interval,
        validation_data=CentreCrops(course.validation) if course.validation else None,
        callbacks=[
            keras.callbacks.TerminateOnNaN(),
            backup,
            keras.callbacks.CSVLogger(course.folder / f"{stage.name}.csv", append=True),
            Curves(course.folder),
            *(
                [Samples(course.folder / f"{stage.name}.png", course.validation)]
                if trainer.decodes and course.validation
                else []
            ),
            *([keras.callbacks.TensorBoard(course.folder / "tensorboard" / stage.name)] if course.tensorboard else []),
        ],
    )
    if trainer.stop_training:  # nothing else here stops it
        raise InputError(
            f"{stage.name}: the loss is not finite after step {int(trainer.optimizer.iterations)}; "
            f"the last good weights are in {backup.path}; a lower learning rate may help"
        )


def optimizer(stage):
    """Adam with the stage's learning rate."""
    rate = stage.learning_rate
    if stage.decay:
        warm_up = max(1, round(WARM_UP * stage.steps))
        rate = keras.optimizers.schedules.CosineDecay(
            rate / warm_up, max(1, stage.steps - warm_up), warmup_target=rate, warmup_steps=warm_up
        )
    return keras.optimizers.Adam(rate, global_clipnorm=stage.clip)


class Backup(keras.callbacks.Callback):
    """Keep weights and optimiser, its step count included, in the file `path` after every epoch."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_epoch_end(self, epoch, logs=None):
        if all(np.isfinite(ops.convert_to_numpy(variable)).all() for variable in self.model.trainable_variables):
            self.save(self.model)

    def save(self, trainer):
        """Keep `trainer` as it is now."""
        with written_whole(self.path) as temporary:
            trainer.save_weights(temporary)


class Samples(keras.callbacks.Callback):
    """Show some photos, each beside its reconstructions from the levels trained, in the file `path` after every epoch."""

    def __init__(self, path, photos, count=3, size=192):
        super().__init__()
        self.path = path
        (self.images,) = CentreCrops(photos[:count], batch_size=count, size=size)[0]

    def on_epoch_end(self, epoch, logs=None):
        _, _, reconstructed = self.model(self.images)
        columns = [self.images, *(ops.convert_to_numpy(image) for image in reconstructed)]
        sheet = np.concatenate([np.concatenate(column) for column in columns], axis=1)
        with written_whole(self.path) as temporary:
            Image.fromarray((np.clip(sheet, 0, 1) * 255).astype(np.uint8)).save(temporary)


class Curves(keras.callbacks.Callback):
    """Draw every CSV log in `folder` into `folder/curves.png` after every epoch."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_epoch_end(self, epoch, logs=None):
        draw_curves(self.folder)


def draw_curves(folder):
    """`folder/curves.png`: losses above, PSNR below, a column for each CSV log in `folder`."""
    from matplotlib.figure import Figure  # slow to import

    logs = sorted(Path(folder).glob("*.csv"))
    figure = Figure((4 * len(logs), 6), layout="constrained")
    axes = figure.subplots(2, len(logs), squeeze=False)
    for log, (losses, quality) in zip(logs, axes.T, strict=True):
        with log.open() as file:
            rows = list(csv.DictReader(file))
        for name in rows[0] if rows else ():
            if name != "epoch" and rows[0][name] != "NA":  # what Keras writes where nothing is validated
                axis = quality if "psnr" in name else losses
                axis.plot([float(row["epoch"]) for row in rows], [float(row[name]) for row in rows], label=name)
        losses.set(title=log.stem, yscale="log", ylabel="loss")
        quality.set(xlabel="epoch", ylabel="PSNR / dB")
        for axis in (losses, quality):
            if axis.lines:  # an encoder block alone has no PSNR
                axis.legend(fontsize=6)
            axis.grid(alpha=0.3)
    with written_whole(Path(folder) / "curves.png") as temporary:
        figure.savefig(temporary, dpi=100)
