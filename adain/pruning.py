"""The channels of the feature that AdaIN works on: how they respond, and the network without some of them."""

import time
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from adain.network import DEEPEST, MARGIN, Network
from common.network.layers import convolutions
from common.pruning.axes import ChannelGraph, image_parts
from common.pruning.cut import cut_arrays
from common.pruning.responses import Response

# Side, in pixels, of the images that cost is counted and timed on, and how often.
SIDE, REPEATS = 256, 7


def channel_norms(network, images):
    """The l2 norm of every channel of the encoder's feature, `(images, channels)`, float64.

    Args:
        images: iterable of `(height, width, 3)`, uint8 or floats in [0, 1], all of one size: norms grow with it.
    """
    features = (network.encode(image).astype(np.float64) for image in images)
    return np.stack([np.sqrt(np.square(feature).sum((0, 1))) for feature in features])


def ranking(norms):
    """Channels in the order that they are cut in: the least sum of norms, as `channel_norms` gives them, first."""
    return np.argsort(norms.sum(0), kind="stable")


def response(norms):
    """Norms as a `Response`, for the pictures of `common.pruning.figures`."""
    return {"encoder": Response(norms, None, None, None)}


def pruned(network, channels):
    """The network without the channels numbered `channels`: filters of the encoder's last convolution, and what reads them.

    A channel that is zero in content and style stays zero through AdaIN: without it the result is the same.
    """
    layers = {
        f"{part.name} {layer.name}": layer for part in (network.encoder, network.decoder) for layer in convolutions(part)
    }
    graph = ChannelGraph()
    feature = graph.walk(network.encoder, [image_parts()], level=0)
    graph.walk(network.decoder, [feature], level=0)
    writer = f"encoder {DEEPEST[network.feature]}"
    (axis,) = (axis for axis in graph.axes() if writer in axis.writers)
    keep = np.ones(network.bottleneck, bool)
    keep[list(channels)] = False
    # Nothing is folded into biases: AdaIN gives even a constant channel the style's mean.
    arrays, _ = cut_arrays(layers, [axis._replace(folds=[])], [keep], {})
    result = Network(network.feature, int(keep.sum()))
    for part in (result.encoder, result.decoder):
        for layer in convolutions(part):
            layer.set_weights([array.astype(np.float32) for array in arrays[f"{part.name} {layer.name}"]])
    return result


class Cost(NamedTuple):
    """What a network takes.

    Attributes:
        parameters: weights and biases.
        multiplications: of its convolutions, to stylise an image of 256x256 pixels, margin included, with another.
        seconds: that this takes, the median of some runs.
    """

    parameters: int
    multiplications: int
    seconds: float


def cost(network):
    """`Cost` of a network."""
    images = np.random.default_rng(0).random((2, SIDE, SIDE, 3), np.float32)
    pair = images[0][MARGIN:-MARGIN, MARGIN:-MARGIN], images[1]
    network.stylize(*pair)  # the first run is slower
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        network.stylize(*pair)
        times.append(time.perf_counter() - start)
    feature = np.zeros((1, SIDE // network.stride, SIDE // network.stride, network.bottleneck), np.float32)
    total = 2 * multiplications(network.encoder, images[:1]) + multiplications(network.decoder, feature)
    return Cost(network.parameters, total, float(np.median(times)))


def multiplications(model, x):
    """Multiplications of the convolutions of a model on the input `x`."""
    layers = convolutions(model)
    outputs = keras.tree.flatten(keras.Model(model.input, [layer.output for layer in layers])(x))
    pairs = zip(layers, outputs, strict=True)
    return int(sum(np.prod(y.shape[1:3]) * np.prod(ops.shape(layer.kernel)) for layer, y in pairs))
