"""What a network is worth, in numbers: variance of the teacher explained, reconstruction, live channels."""

from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from common.eigenbases.covariances import centre
from common.network.coarse_to_fine import coarse_to_fine
from common.network.layers import activations

# Shown for an image that is reconstructed to the last bit: -10 log10 of this.
SMALLEST_SQUARED_ERROR = 1e-10


def psnr(images, others):
    """Peak signal-to-noise ratio in dB of each image of a batch; `others` are clipped to [0, 1] first."""
    squared = ops.mean(ops.square(images - ops.clip(others, 0, 1)), axis=(1, 2, 3))
    return -10 * ops.log(ops.maximum(squared, SMALLEST_SQUARED_ERROR)) / np.log(10)


class Measures(NamedTuple):
    """Figures of a model over photos; lists are by level.

    Attributes:
        psnr: mean over photos of the PSNR in dB, reconstructed from the level without transforms, clipped.
        explained: share of the variance of the teacher's centred feature that the student's, lifted by its eigenbasis,
            accounts for; as many levels as the teacher has, none without one.
        limit: the same for the best feature there could be, the projection on the span of the eigenbasis.
        live: for every activation, its name and how many of its channels ever respond, of how many.
    """

    psnr: list[float]
    explained: list[float]
    limit: list[float]
    live: list[tuple[str, int, int]]


def measure(model, batches, teacher=None):
    """Measure an autoencoder.

    Args:
        model: `common.network.autoencoder.Autoencoder`.
        batches: iterable of one-tuples of images `(batch, height, width, 3)`, as `common.photos.crops.CentreCrops`.
        teacher: the `Autoencoder` that `model`, a student with eigenbases, was distilled from, or None.
    """
    probes = [Probe(block) for block in model.encoder_blocks + model.decoder_blocks]
    taught_levels = min(len(model.encoder_blocks), len(teacher.encoder_blocks)) if teacher else 0
    quality, missed = [], []
    for (images,) in batches:
        features, skips = model.encode(images)
        reconstructions = [
            coarse_to_fine(model, features, skips, deepest=level) for level in range(len(model.decoder_blocks))
        ]
        quality.append([ops.convert_to_numpy(psnr(images, x)) for x in reconstructions])
        observe(model, probes, images, features, skips)
        if teacher:
            taught, _ = teacher.encode(images, taught_levels - 1)
            missed.append([unexplained(*level) for level in zip(taught, features, model.eigenbases, strict=False)])
    means = [float(np.concatenate(level).mean()) for level in zip(*quality, strict=True)]
    squares = np.sum(missed, axis=0) if teacher else np.ones((0, 3))
    explained, limit = (1 - squares[:, :2] / squares[:, 2:]).T.tolist()
    return Measures(means, explained, limit, [row for probe in probes for row in probe.rows])


def unexplained(taught, feature, basis):
    """Squared errors, summed, of the lifted feature and of the projection on the basis, and the feature's square."""
    taught, feature = (ops.convert_to_numpy(centre(x)).astype(np.float64) for x in (taught, feature))
    span = np.linalg.qr(basis)[0]
    lifted, projected = feature @ np.transpose(basis), taught @ span @ span.T
    return [np.square(x).sum() for x in (taught - lifted, taught - projected, taught)]


class Probe:
    """Counts the channels of a block's activations that have responded to anything."""

    def __init__(self, block):
        layers = activations(block)
        self.names = [f"{block.name} {layer.name.removesuffix('_relu')}" for layer in layers]
        self.activations = keras.Model(block.input, [layer.output for layer in layers]) if layers else None
        self.live = [np.zeros(layer.output.shape[-1], bool) for layer in layers]

    def observe(self, inputs):
        """Run the block on `inputs` and note which channels are not zero everywhere."""
        if self.activations is None:
            return
        for live, response in zip(self.live, keras.tree.flatten(self.activations(inputs)), strict=True):
            live |= ops.convert_to_numpy(ops.any(response != 0, axis=(0, 1, 2)))

    @property
    def rows(self):
        return [(name, int(live.sum()), len(live)) for name, live in zip(self.names, self.live, strict=True)]


def observe(model, probes, images, features, skips, before=None):
    """Run the probes of every block, encoder first, on what it gets when `images` are decoded from the deepest level.

    Args:
        before: as for `coarse_to_fine`; None reconstructs.
    """
    encoders, decoders = probes[: len(features)], probes[len(features) :]
    for probe, x in zip(encoders, [images, *features], strict=False):
        probe.observe(x)
    if decoders:
        observe_decoder(model, decoders, features, skips, before)


def observe_decoder(model, probes, features, skips, before=None):
    """The image that is decoded, as `coarse_to_fine` gives it; decoder block l shows `probes[l]` what it gets."""

    def shown(level, x):
        x = x if before is None else before(level, x)
        x = ops.convert_to_tensor(x)
        probes[level].observe([x, skips[level]])
        return x

    return coarse_to_fine(model, features, skips, shown, deepest=len(probes) - 1)
