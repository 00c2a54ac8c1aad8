"""How the channels of an autoencoder respond: to photos, and at most to any image."""

import itertools
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from common.evaluation.network_quality import Probe, observe, observe_decoder, psnr
from common.network.coarse_to_fine import coarse_to_fine
from common.photos import IMAGE_CHANNELS
from common.transfer.transforms import TRANSFORMS, statistics, transferring


class Response(NamedTuple):
    """What a convolution's ReLU gave over some photos; `(photos, channels)` and `(channels,)`.

    Attributes:
        norms: l2 norm over the pixels of each photo, divided by the root of their number. A decoder's have a row for each
            photo's reconstruction, and one for its stylisation.
        means, lowest, highest: over everything.
    """

    norms: np.ndarray
    means: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray

    @property
    def live(self):
        """Which channels ever responded."""
        return self.highest > 0


class ResponseProbe(Probe):
    """Notes mean, mean square, lowest and highest response of every channel, image by image."""

    def __init__(self, block):
        super().__init__(block)
        self.noted = [[] for _ in self.names]

    def observe(self, inputs):
        if self.activations is None:
            return
        for noted, response in zip(self.noted, keras.tree.flatten(self.activations(inputs)), strict=True):
            x = ops.convert_to_numpy(response)
            pixels = (1, 2)
            squares = np.square(x).mean(pixels, dtype=np.float64)
            noted += zip(x.mean(pixels, dtype=np.float64), squares, x.min(pixels), x.max(pixels), strict=True)

    @property
    def responses(self):
        """`Response` by convolution."""
        result = {}
        for name, noted in zip(self.names, self.noted, strict=True):
            means, squares, lowest, highest = (np.stack(column) for column in zip(*noted, strict=True))
            result[name] = Response(np.sqrt(squares), means.mean(0), lowest.min(0), highest.max(0))
        return result


def measure_responses(model, photos):
    """`Response` of every convolution that a ReLU follows, by name.

    The decoder is seen both reconstructing each photo from the deepest level and stylising it: what its channels do depends
    on the style as well.

    Args:
        model: `common.network.autoencoder.Autoencoder`.
        photos: iterable of one-tuples of images `(1, height, width, 3)`, as `common.photos.crops.CentreCrops` of batch
            size 1.
    """
    probes = [ResponseProbe(block) for block in model.encoder_blocks + model.decoder_blocks]
    for images, features, skips, style, transform in styled_by_the_last(model, photos):
        observe(model, probes, images, features, skips)
        observe_decoder(model, probes[len(features) :], features, skips, transferring(style, transform))
    return {name: response for probe in probes for name, response in probe.responses.items()}


def styled_by_the_last(model, photos):
    """Yield of each photo its images, features and skips, a style, and a transform.

    The style, `Statistics` by level, is of the photo before, for the first one of itself; the transforms take turns.
    """
    style = None
    for index, (images,) in enumerate(photos):
        features, skips = model.encode(images)
        own = [statistics(feature[0]) for feature in features]
        yield images, features, skips, style or own, list(TRANSFORMS)[index % len(TRANSFORMS)]
        style = own


def stylised(model, features, skips, style, transform):
    """The image that features turn to under the statistics `style`, not clipped."""
    return coarse_to_fine(model, features, skips, transferring(style, transform), deepest=len(model.decoder_blocks) - 1)


def largest_difference(model, other, photos):
    """The largest difference between the stylised photos of two models, in grey levels of 255; arguments as above."""
    largest = 0.0
    first, second = itertools.tee(photos)
    for ours, theirs in zip(styled_by_the_last(model, first), styled_by_the_last(other, second), strict=True):
        results = [ops.clip(stylised(m, *given[1:]), 0, 1) for m, given in ((model, ours), (other, theirs))]
        largest = max(largest, 255 * float(ops.max(ops.abs(results[0] - results[1]))))
    return largest


def reconstruction_quality(model, photos):
    """Mean PSNR in dB of photos reconstructed from the deepest level; `photos` as above."""
    return float(np.mean([psnr(images, model(images)) for (images,) in photos]))


def bounds(model):
    """The lowest and the highest response of the encoder's channels to any image in [0, 1], by name.

    Interval arithmetic: every weight takes the worst of its input on its own, so the bounds hold but are not tight. The
    decoder has none: its input is what a style makes of it.
    """
    lowest, highest = np.zeros(IMAGE_CHANNELS), np.ones(IMAGE_CHANNELS)
    result = {}
    for block in model.encoder_blocks:
        for layer in block.layers:
            if isinstance(layer, keras.layers.Rescaling):
                lowest, highest = (np.float64(layer.scale) * x + layer.offset for x in (lowest, highest))
            elif isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
                lowest, highest = (convolved(layer, *ends) for ends in ((lowest, highest), (highest, lowest)))
            elif isinstance(layer, keras.layers.Activation):
                lowest, highest = np.maximum(lowest, 0), np.maximum(highest, 0)
                result[f"{block.name} {layer.name.removesuffix('_relu')}"] = (lowest, highest)
    return result


def convolved(layer, under_positive, under_negative):
    """What a convolution gives where the inputs under positive weights, and under negative ones, are these; by channel."""
    kernel = ops.convert_to_numpy(layer.kernel).astype(np.float64)
    positive, negative = np.maximum(kernel, 0).sum((0, 1)), np.minimum(kernel, 0).sum((0, 1))
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        result = positive[:, 0] * under_positive + negative[:, 0] * under_negative
    else:
        result = under_positive @ positive + under_negative @ negative
    return result + ops.convert_to_numpy(layer.bias)
