"""Which channels to cut, and the network without them."""

import keras
import numpy as np
from keras import ops

from common.network.autoencoder import Autoencoder
from common.network.backbone import Widths
from common.network.layers import convolutions
from common.photos import IMAGE_CHANNELS
from common.pruning.axes import axes, named_convolutions

# Side, in pixels, of the image that multiplications are counted on: every stride divides it.
COUNTING_SIZE = 64


def kept_exactly(model, responses):
    """Which channels of every axis have to stay for the result to stay, arrays of bool: those whose responses vary.

    What is zero, or else the same everywhere, can go: the biases of what reads it make up for it. A style's feature and the
    decoded one that takes its place have to be of the same constant. One channel of an axis stays in any case.
    """
    result = []
    for axis in axes(model):
        varies = np.zeros(len(responses[axis.writers[0]].means), bool)
        for fold in axis.folds:
            of_fold = [responses[name] for name in fold.responses]
            varies |= np.min([r.lowest for r in of_fold], axis=0) < np.max([r.highest for r in of_fold], axis=0)
        varies[0] |= not varies.any()
        result.append(varies)
    return result


def norm_shares(response):
    """The l2 norms of a layer's channels over all photos, as shares of the layer's: what channels are ranked by."""
    norms = np.linalg.norm(response.norms, axis=0)
    return norms / max(np.linalg.norm(norms), np.finfo(float).tiny)


def ranking(model, responses, kept):
    """The channels to cut after those that `kept` leaves out, the least first: pairs of axis, by its index, and channel.

    Where several layers respond along an axis, a channel's largest share counts. The largest channel of each axis stays.
    """
    result = []
    for index, axis in enumerate(axes(model)):
        score = np.max([norm_shares(responses[name]) for fold in axis.folds for name in fold.responses], axis=0)
        candidates = sorted(np.flatnonzero(kept[index]), key=score.__getitem__)[:-1]
        result += [(score[channel], index, channel) for channel in candidates]
    return [(index, channel) for _, index, channel in sorted(result)]


def without(kept, ranked):
    """`kept`, arrays of bool by axis, without the channels `ranked`, pairs of axis and channel."""
    result = [array.copy() for array in kept]
    for index, channel in ranked:
        result[index][channel] = False
    return result


def kept_at_widths(model, responses, kept, widths):
    """`kept` with no more than `widths[level]` channels, the largest, at any convolution of that level."""
    chosen, result = axes(model), kept
    for index, channel in ranking(model, responses, kept):
        if result[index].sum() > widths[chosen[index].level]:
            result = without(result, [(index, channel)])
    return result


def pruned(model, kept, responses):
    """The autoencoder without the channels that `kept`, arrays of bool by axis, leaves out.

    What read them gets their mean response in its bias: for a constant one that is exact, reflected borders included.
    """
    arrays, of_writer = cut_arrays(named_convolutions(model), axes(model), kept, responses)
    widths = Widths(*(tuple(widths_left(model, block, arrays) for block in part) for part in parts_of(model)))
    eigenbases = model.eigenbases and [
        basis[:, of_writer[learnt_convolutions(model, block)[-1]]]
        for basis, block in zip(model.eigenbases, model.encoder_blocks, strict=False)
    ]
    result = Autoencoder(model.backbone, model.builders, widths, eigenbases, name=model.name)
    for name, layer in named_convolutions(result).items():
        kernel, bias = arrays[name]
        layer.kernel.assign(kernel)
        layer.bias.assign(bias)
    return result


def cut_arrays(layers, of_network, kept, responses):
    """Kernels and biases of convolutions without the channels that are left out.

    Args:
        layers: convolutions by name.
        of_network: their `Axis`es.
        kept: an array of bool for each axis.
        responses: `Response` by name.

    Returns:
        `{name: (kernel, bias)}`, float64, and `{name: array of bool}` of those that write along an axis.
    """
    arrays = {name: [ops.convert_to_numpy(v).astype(np.float64) for v in (x.kernel, x.bias)] for name, x in layers.items()}
    of_writer, inputs_kept = {}, {name: np.ones(kernel.shape[2], bool) for name, (kernel, _) in arrays.items()}
    for axis, keep in zip(of_network, kept, strict=True):
        of_writer |= dict.fromkeys(axis.writers, keep)
        for fold in axis.folds:
            constant = np.where(keep, 0, responses[fold.responses[0]].means)
            for reader in fold.readers:
                kernel, bias = arrays[reader]
                first = axis.readers[reader]
                bias += np.einsum("hwio,i->o", kernel[:, :, first : first + len(keep)], constant)
        for reader, first in axis.readers.items():
            inputs_kept[reader][first : first + len(keep)] = keep
    for name, (kernel, bias) in arrays.items():
        if isinstance(layers[name], keras.layers.DepthwiseConv2D):
            keep = of_writer[name]
            arrays[name] = kernel[:, :, keep], bias[keep]
        else:
            keep = of_writer.get(name, slice(None))
            arrays[name] = kernel[:, :, inputs_kept[name]][..., keep], bias[keep]
    return arrays, of_writer


def parts_of(model):
    """The blocks of an autoencoder: encoder and decoder, level 0 first."""
    return model.encoder_blocks, model.decoder_blocks


def learnt_convolutions(model, block):
    """The names of a block's convolutions, as `named_convolutions` has them, without what is not learnt."""
    return [f"{block.name} {x.name}" for x in convolutions(block) if x.name != model.backbone.preprocessing]


def widths_left(model, block, arrays):
    """Output channels of a block's convolutions, of their `(kernel, bias)` by name."""
    return tuple(len(arrays[name][1]) for name in learnt_convolutions(model, block))


def multiplications(model):
    """Multiplications of all convolutions, encoder and decoder, for each pixel of the image."""
    images = np.zeros((1, COUNTING_SIZE, COUNTING_SIZE, IMAGE_CHANNELS), np.float32)
    features, skips = model.encode(images)
    inputs = [images, *features[:-1], *zip(features, skips, strict=True)]
    total = 0
    for block, x in zip(model.encoder_blocks + model.decoder_blocks, inputs, strict=False):
        layers = convolutions(block)
        outputs = keras.tree.flatten(keras.Model(block.input, [layer.output for layer in layers])(x))
        total += sum(np.prod(y.shape[1:3]) * np.prod(layer.kernel.shape) for layer, y in zip(layers, outputs, strict=True))
    return float(total / COUNTING_SIZE**2)
