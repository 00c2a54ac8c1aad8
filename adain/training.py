"""What `keras.Model.fit` trains: encoder and decoder on batches of a content and a style image each."""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
from keras import ops
from PIL import Image

from adain import losses, weights
from adain.network import TAPS, adain
from common.distillation.callbacks import Curves
from common.errors import InputError
from common.files import written_whole
from common.network.backup import Backup, go_on
from common.network.layers import convolutions
from common.photos.crops import centre_crop, random_crops, training_photo

# What the norm at which a channel counts half falls to, of what it began with, where it is annealed.
ANNEALED_TO = 1e-3
# Batches that are looked at before the first step: for the median norm, and for the weight of the channel loss.
STARTING_BATCHES = 4
# The gradient of the channel loss over that of content and style, where its weight is found by itself, and the weight of
# the xor loss over that of the channel loss: as published.
GRADIENT_SHARE, XOR_SHARE = 0.5, 1 / 20
NETWORK = "adain.npz"


class Course(NamedTuple):
    """How to train.

    Attributes:
        folder: where backups, logs and the network go.
        contents, styles: paths of photos.
        steps, batch_size, crop: batches in all, a multiple of `interval`; pairs in each; side in pixels.
        shorter_side: that photos are shrunk to before they are cropped, in pixels.
        seed: of crops and first weights.
        interval: steps between backups.
        weights: of the losses by name; None for channel and xor: by `balanced_weights`.
        encoder_rate, decoder_rate: Adam's learning rates; 0 leaves a part as it is.
        train_from: name of the first convolution of the encoder that is trained, where its rate is not 0.
        half_alive: norm at which a channel counts half; None: the median norm at first, falling to `ANNEALED_TO` of it.
    """

    folder: Path
    contents: list
    styles: list
    steps: int
    batch_size: int
    crop: int
    shorter_side: int
    seed: int
    interval: int
    weights: dict
    encoder_rate: float
    decoder_rate: float
    train_from: str = "conv1_1"
    half_alive: float | None = None

    def batches(self, first_step=0):
        """Endless batches, `((contents, styles),)`."""
        options = {"first_step": first_step, "shorter_side": self.shorter_side}
        contents = random_crops(self.contents, self.batch_size, self.crop, 2 * self.seed, **options)
        styles = random_crops(self.styles, self.batch_size, self.crop, 2 * self.seed + 1, **options)
        for (content,), (style,) in zip(contents, styles, strict=True):
            yield ((content, style),)


class GroupedAdam(keras.optimizers.Adam):
    """Adam whose learning rate is multiplied by a factor for each variable, in the order that `build` gets them."""

    def __init__(self, learning_rate, factors):
        super().__init__(learning_rate, epsilon=1e-8)
        self.factors = factors

    def update_step(self, gradient, variable, learning_rate):
        super().update_step(gradient, variable, learning_rate * self.factors[self._get_variable_index(variable)])


class AdainTrainer(keras.Model):
    """The losses of a network, each weighted loss shown as a metric, and so is the number of live channels.

    Args:
        network: `adain.network.Network`.
        loss_network: the pretrained encoder, which stays as it is.
        course: `Course`.
    """

    def __init__(self, network, loss_network, course):
        super().__init__(name="adain_trainer")
        self.network, self.encoder, self.decoder, self.loss_network = network, network.encoder, network.decoder, loss_network
        self.loss_weights, self.steps, self.fixed_half_alive = dict(course.weights), course.steps, course.half_alive
        loss_network.trainable = False
        train_from(network.encoder, course.train_from if course.encoder_rate else None)
        network.decoder.trainable = bool(course.decoder_rate)
        self.trunk, self.loss_tail, self.tail = split(network, loss_network)
        self.names = [name for name, weight in course.weights.items() if weight != 0]
        self.means = [keras.metrics.Mean(name) for name in (*self.names, "live")]
        self.built = True

    def taps(self, images):
        """The features of the losses, and what the encoder's tail goes on from: the trunk is gone through once."""
        *taps, x = keras.tree.flatten(self.trunk(images))
        return taps if self.loss_tail is None else [*taps, *keras.tree.flatten(self.loss_tail(x))], x

    def look(self, images):
        """The features of the losses, and the encoder's."""
        taps, x = self.taps(images)
        return taps, taps[-1] if self.loss_tail is None else self.tail(x)

    def call(self, batch, training=False):
        """Features of the losses of content, style and result; the encoder's of content and style; the result."""
        content, style = batch
        (content_taps, content_feature), (style_taps, style_feature) = self.look(content), self.look(style)
        image = self.decoder(adain(content_feature, style_feature))
        return content_taps, style_taps, self.taps(image)[0], content_feature, style_feature, image

    def parts(self, y_pred, half_alive):
        """The losses that have a weight, by name."""
        content_taps, style_taps, taps, content, style, _ = y_pred
        more = losses.regularisers(content, style, half_alive)
        main = {
            "content": losses.content_loss(taps[-1], content_taps[-1]),
            "style": losses.style_loss(taps, style_taps),
        }
        return {name: main[name] if name in main else more[name]() for name in self.names}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the losses."""
        values = self.parts(y_pred, self.half_alive())
        shown = [*values.values(), losses.live_channels(ops.concatenate([y_pred[3], y_pred[4]]))]
        for mean, value in zip(self.means, shown, strict=True):
            mean.update_state(value)
        return sum(self.loss_weights[name] * value for name, value in values.items())

    def half_alive(self):
        """The norm at which a channel counts half, at the step that the optimiser is at."""
        if self.fixed_half_alive is not None:
            return self.fixed_half_alive
        done = ops.cast(self.optimizer.iterations, "float32") / self.steps
        return self.median * ops.power(ANNEALED_TO, done)


def train_from(encoder, first):
    """Let the encoder be trained from the convolution called `first` on; None: not at all."""
    names = [layer.name for layer in convolutions(encoder)]
    for index, layer in enumerate(convolutions(encoder)):
        layer.trainable = first is not None and index >= names.index(first)


def split(network, loss_network):
    """Three models: what the loss network and the encoder share, and how each goes on from there.

    Returns:
        `trunk`, images to the taps before the first convolution that differs or is trained, and to its input; `loss_tail`,
        from there to the other taps; `tail`, from there to the encoder's feature. Where nothing differs: all taps and the
        image, None and None.
    """
    first = first_difference(network.encoder, loss_network)
    outputs = tap_outputs(loss_network)
    if first is None:
        return keras.Model(loss_network.input, [*outputs.values(), loss_network.input]), None, None
    order = [layer.name for layer in convolutions(loss_network)]
    below = [name for name in outputs if order.index(name) < order.index(first)]
    x = loss_network.get_layer(first).input
    trunk = keras.Model(loss_network.input, [*(outputs[name] for name in below), x])
    loss_tail = keras.Model(x, [outputs[name] for name in outputs if name not in below])
    return trunk, loss_tail, keras.Model(network.encoder.get_layer(first).input, network.encoder.output)


def tap_outputs(loss_network):
    """The symbolic features that the losses look at, by the name of their convolution."""
    layers = {layer.name for layer in loss_network.layers}
    return {name: loss_network.get_layer(f"{name}_relu").output for name in TAPS if name in layers}


def loss_taps(loss_network):
    """A model from images to the features that the losses look at, the deepest last."""
    return keras.Model(loss_network.input, list(tap_outputs(loss_network).values()))


def first_difference(encoder, loss_network):
    """Name of the first convolution of `encoder` that is trained or has other weights; None where there is none."""
    for ours, theirs in zip(convolutions(encoder), convolutions(loss_network), strict=True):
        pairs = zip(ours.get_weights(), theirs.get_weights(), strict=True)
        if ours.trainable or not all(np.array_equal(*pair) for pair in pairs):
            return ours.name
    return None


def train(network, loss_network, course):
    """Train through `course`, or what is left of it: a run that was killed goes on from its last backup.

    Args:
        network, loss_network: as for `AdainTrainer`.

    Returns:
        The weights of the losses, by name.

    Raises:
        InputError: the loss is no longer finite.
    """
    trainer = AdainTrainer(network, loss_network, course)
    rate = course.decoder_rate or course.encoder_rate
    of_encoder = {id(variable) for variable in network.encoder.trainable_variables}
    factors = [course.encoder_rate / rate if id(v) in of_encoder else 1.0 for v in trainer.trainable_variables]
    trainer.compile(optimizer=GroupedAdam(rate, factors), jit_compile=False)
    trainer.optimizer.build(trainer.trainable_variables)
    starting = [batch for (batch,), _ in zip(course.batches(), range(STARTING_BATCHES), strict=False)]
    if course.half_alive is None:
        trainer.median = median_norm(trainer, starting)
    if course.weights["channel"] is None:
        trainer.loss_weights |= balanced_weights(trainer, starting)
        print("weights of the channel and xor losses: {channel:.4g} and {xor:.4g}".format(**trainer.loss_weights))
    backup = Backup(course.folder / "backup.weights.h5")
    if backup.path.exists():
        trainer.load_weights(backup.path)
    done = int(trainer.optimizer.iterations)
    callbacks = [backup, Curves(course.folder), Samples(course)]
    go_on(trainer, course.batches(done), done, course.steps, course.interval, course.folder / "log.csv", callbacks)
    weights.save(network, course.folder / NETWORK)
    return trainer.loss_weights


def median_norm(trainer, batches):
    """The median over images and channels of the l2 norms of the encoder's feature."""
    norms = [ops.convert_to_numpy(losses.norms(trainer.look(image)[1])) for batch in batches for image in batch]
    return float(np.median(np.concatenate(norms)))


def balanced_weights(trainer, batches):
    """Weights of the channel and xor losses by which they pull about half as much as content and style do together.

    Measured by the norms of the gradients at the encoder's last convolution.

    Raises:
        InputError: the backend is not TensorFlow.
    """
    if keras.backend.backend() != "tensorflow":
        raise InputError("--channel-weight auto needs KERAS_BACKEND=tensorflow: give a number")
    import tensorflow as tf

    kernel = trainer.network.last_convolution.kernel.value
    pulls = {"main": [], "channel": []}
    for batch in batches:
        with tf.GradientTape(persistent=True) as tape:
            values = trainer.parts(trainer(batch), trainer.half_alive())
            main = values["content"] + trainer.loss_weights["style"] * values["style"]
        pulls["main"].append(float(tf.norm(tape.gradient(main, kernel))))
        pulls["channel"].append(float(tf.norm(tape.gradient(values["channel"], kernel))))
    weight = GRADIENT_SHARE * np.mean(pulls["main"]) / max(np.mean(pulls["channel"]), np.finfo(float).tiny)
    return {"channel": float(weight), "xor": float(weight * XOR_SHARE)}


class Samples(keras.callbacks.Callback):
    """After every epoch the network as it is, and the file `samples.png`: rows of contents, styles and results."""

    def __init__(self, course, count=6, size=192):
        super().__init__()
        self.folder = course.folder
        count = min(count, len(course.contents), len(course.styles))
        rows = ([training_photo(path) for path in paths[:count]] for paths in (course.contents, course.styles))
        self.contents, self.styles = (np.stack([centre_crop(photo, size) for photo in row]) for row in rows)

    def on_epoch_end(self, epoch, logs=None):
        weights.save(self.model.network, self.folder / NETWORK)
        image = ops.convert_to_numpy(self.model((self.contents, self.styles))[-1])
        rows = [np.concatenate(list(row), axis=1) for row in (self.contents, self.styles, np.clip(image, 0, 1))]
        with written_whole(self.folder / "samples.png") as temporary:
            Image.fromarray((255 * np.concatenate(rows)).astype(np.uint8)).save(temporary)
