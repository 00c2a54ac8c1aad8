"""What `keras.Model.fit` trains: pairs of an encoder and a decoder block, on batches of images alone (paper, section 3.3).

Pair b is encoder block b and decoder block b. Pairs are trained in turn, 0 first, with the earlier ones frozen, or together.
"""

import keras
from keras import ops

from common.distillation.losses import Seen
from common.evaluation.network_quality import psnr
from common.network.coarse_to_fine import coarse_to_fine
from common.network.layers import activations


class BlockwiseTrainer(keras.Model):
    """The sum of losses over the levels trained; each is shown as a metric, and so is the PSNR where something is decoded.

    Args:
        model: `Autoencoder` to train.
        levels: the pairs to train; all others are frozen.
        losses: `{name: (common.distillation.losses.Loss, weight)}`.
        teacher: `Autoencoder` whose features are aimed at; `model` itself where its own decoder is trained.
        eigenbases: arrays `(teacher width, student width)` by level, or None to train decoder blocks alone.
        balanced: as in `common.distillation.losses.Seen`.
        level_weights: what the reconstruction from each level counts for beside the others. What an easy level has more than
            it needs, a hard one that decodes through the same blocks can use.
        noise: added in training to what a decoder block gets from the encoder, in standard deviations of each channel.
            Without it a block learns to invert its encoder block to the last bit, and blows up what comes from below.
        fixed: levels whose encoder blocks stay as they are all the same.
    """

    def __init__(
        self,
        model,
        levels,
        losses,
        teacher,
        eigenbases=None,
        balanced=False,
        level_weights=(1.0, 1.0, 1.0, 1.0),
        noise=0.0,
        fixed=(),
    ):
        super().__init__(name="blockwise_trainer")
        self.model, self.teacher, self.levels, self.eigenbases = model, teacher, levels, eigenbases
        self.losses_by_name, self.balanced, self.level_weights = losses, balanced, level_weights
        self.noise = keras.layers.GaussianNoise(noise)
        teacher.trainable = False
        needs = {need for level in levels for name in self.names(level) for need in losses[name][0].needs}
        self.asks_teacher, self.decodes, self.asks_graded = (need in needs for need in ("teacher", "decoder", "graded"))
        for level, block in enumerate(model.encoder_blocks):
            set_trainable(model, block, eigenbases is not None and level in levels and level not in fixed)
        for level, block in enumerate(model.decoder_blocks):
            set_trainable(model, block, self.decodes and level in levels)
        if "responses" in needs:
            self.relus = {level: relus(model.encoder_blocks[level]) for level in levels}
        else:
            self.relus = {}
        shown = ("psnr",) if self.decodes else ()
        self.means = [keras.metrics.Mean(f"{name}_{level}") for level in levels for name in (*self.names(level), *shown)]
        self.built = True

    def names(self, level):
        """The losses at `level`."""
        return [
            name
            for name, (loss, _) in self.losses_by_name.items()
            if level >= loss.first_level and (level == max(self.levels) or not loss.deepest)
        ]

    def call(self, images, training=False):
        """Features by level and, for each level trained, the decoded feature or image and the reconstructed image."""
        features, skips = self.model.encode(images, max(self.levels), training)
        if not self.decodes:
            return features, [], []
        pairs = [self.reconstruct(features, skips, level, training) for level in self.levels]
        return features, [decoded for decoded, _ in pairs], [image for _, image in pairs]

    def reconstruct(self, features, skips, level, training):
        """What decoder block `level` makes of its feature, and the image that is decoded from there."""
        decoded = []

        def before(at, x):
            if at == level - 1:
                decoded.append(x)
            if at == level and training and self.noise.stddev:
                x += ops.std(x, axis=(0, 1, 2), keepdims=True) * self.noise(ops.zeros_like(x), training=True)
            return x

        image = coarse_to_fine(self.model, features, skips, before, deepest=level, training=training)
        return (decoded or [image])[0], image

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The weighted sum of the losses."""
        features, decoded, reconstructed = y_pred
        taught = features
        if self.teacher is not self.model and self.asks_teacher:
            taught, _ = self.teacher.encode(x, max(self.levels))
        values, total = [], 0.0
        for index, level in enumerate(self.levels):
            seen = Seen(
                level=level,
                images=x,
                features=features,
                taught=taught,
                decoded=decoded[index] if self.decodes else None,
                reconstructed=reconstructed[index] if self.decodes else None,
                responses=self.responses(level, features[level - 1] if level else x, training),
                model=self.model,
                teacher=self.teacher,
                eigenbasis=self.eigenbases[level] if self.eigenbases is not None else None,
                balanced=self.balanced,
            )
            for name in self.names(level):
                loss, weight = self.losses_by_name[name]
                values.append(loss.value(seen))
                total += weight * (self.level_weights[level] if name == "reconstruction" else 1.0) * values[-1]
            if self.decodes:
                values.append(ops.mean(psnr(x, seen.reconstructed)))
        for mean, value in zip(self.means, values, strict=True):
            mean.update_state(value)
        return total

    def responses(self, level, inputs, training):
        """The responses of the ReLUs of encoder block `level`; none where it is not trained, or no loss asks for them."""
        if self.relus.get(level) is None:
            return []
        return keras.tree.flatten(self.relus[level](inputs, training=training))


def set_trainable(model, block, trainable):
    """Make a block of `model` trainable or not; its preprocessing never is."""
    block.trainable = trainable
    for layer in block.layers:
        if layer.name == model.backbone.preprocessing:
            layer.trainable = False


def relus(block):
    """A model from a block's input to the responses of its ReLUs; None where it is not trained."""
    return keras.Model(block.input, [layer.output for layer in activations(block)]) if block.trainable else None
