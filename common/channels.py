"""The channels of an autoencoder: which convolutions share them, how they respond, and the network without some of them.

Channels that are added to each other, or take each other's place, stand or fall together: an *axis*. The feature of level l,
what decoder block l + 1 hands on in its stead, and what that block adds the skip to are one axis; so are the input and the
output of a depthwise convolution.
"""

import itertools
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from common.autoencoder import Autoencoder
from common.backbone import IMAGE_CHANNELS, Widths
from common.blockwise import psnr
from common.layers import convolutions
from common.measures import Probe, observe
from common.transforms import TRANSFORMS, affine_map, statistics

# Side, in pixels, of the image that multiplications are counted on: every stride divides it.
COUNTING_SIZE = 64


class Fold(NamedTuple):
    """Where a constant response can be accounted for: in the biases of those that read it.

    Attributes:
        responses: names of convolutions whose responses take each other's place: a style's feature and the content's.
        readers: names of the convolutions that read them.
    """

    responses: tuple[str, ...]
    readers: tuple[str, ...]


class Axis(NamedTuple):
    """Channels that stand or fall together.

    Attributes:
        level: of the feature that it is, or that its convolutions stand beside.
        writers: names of the convolutions whose output channels lie along it.
        readers: names of those whose input channels do; a depthwise one counts as a writer alone.
        folds: every response along it that something else reads.
    """

    level: int
    writers: list[str]
    readers: list[str]
    folds: list[Fold]


def named_convolutions(model):
    """The convolutions by name, `encoder_1 dw1`, encoder first."""
    blocks = model.encoder_blocks + model.decoder_blocks
    return {f"{block.name} {layer.name}": layer for block in blocks for layer in convolutions(block)}


def names_in(block):
    """The names of a block's convolutions, as `named_convolutions` has them; without VGG's preprocessing, not learnt."""
    return [f"{block.name} {layer.name}" for layer in convolutions(block) if layer.name != "preprocess"]


def is_depthwise(layer):
    return isinstance(layer, keras.layers.DepthwiseConv2D)


def axes(model):
    """The `Axis`es of an autoencoder: all its channels but those of images."""
    layers = named_convolutions(model)
    encoders = [names_in(block) for block in model.encoder_blocks]
    decoders = [names_in(block) for block in model.decoder_blocks]
    result, features = [], []
    for level, names in enumerate(encoders):
        for name in names:
            if is_depthwise(layers[name]):
                result[-1].writers.append(name)
                continue
            if result:
                result[-1].readers.append(name)
            result.append(Axis(level, [name], [], []))
        features.append(result[-1])
    add_encoder_folds(layers, encoders, decoders, features, {name: axis for axis in result for name in axis.writers})
    for level, (first, *others) in enumerate(decoders):
        features[level].readers.append(first)
        if level == 0:  # it gives the image
            continue
        above = features[level - 1]
        *private, added, last = first, *others
        for name, reader in itertools.pairwise([*private, added]):
            result.append(Axis(level - 1, [name], [reader], [Fold((name,), (reader,))]))
        above.writers.extend([added, last])
        above.readers.append(last)
        above.folds.append(Fold((added,), (last,)))  # a constant channel has no high frequencies: the skip adds zero to it
    return result


def add_encoder_folds(layers, encoders, decoders, features, axis_of):
    """Note who reads the responses of the encoder; names by level, the features' axes, and every writer's axis."""
    chain = [name for names in encoders for name in names]
    level_of = {names[-1]: level for level, names in enumerate(encoders)}
    for name, following in zip(chain, [*chain[1:], None], strict=True):
        readers = () if following is None or is_depthwise(layers[following]) else (following,)
        if name in level_of:
            level = level_of[name]
            decoded = (block[-1] for block in decoders[level + 1 : level + 2])
            features[level].folds.append(
                Fold((name, *decoded), (*readers, *(block[0] for block in decoders[level : level + 1])))
            )
        elif readers:
            axis_of[name].folds.append(Fold((name,), readers))


# --- how they respond ----------------------------------------------------------------------------------------------------


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
        model: `common.autoencoder.Autoencoder`.
        photos: iterable of one-tuples of images `(1, height, width, 3)`, as `common.photos.CentreCrops` of batch size 1.
    """
    probes = [ResponseProbe(block) for block in model.encoder_blocks + model.decoder_blocks]
    for images, features, skips, style, transform in styled_by_the_last(model, photos):
        observe(model, probes, images, features, skips)
        stylised(model, features, skips, style, transform, probes[len(model.encoder_blocks) :])
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


def stylised(model, features, skips, style, transform, probes=()):
    """The image that features turn to under the statistics `style`; decoder block l shows `probes[l]` what it gets."""
    x = features[len(model.decoder_blocks) - 1]
    for level in reversed(range(len(model.decoder_blocks))):
        x = affine_map(statistics(x[0]), style[level], transform)(ops.convert_to_numpy(x))
        x = ops.convert_to_tensor(x)
        if probes:
            probes[level].observe([x, skips[level]])
        x = model.decode(level, x, skips[level])
    return x


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
    if is_depthwise(layer):
        result = positive[:, 0] * under_positive + negative[:, 0] * under_negative
    else:
        result = under_positive @ positive + under_negative @ negative
    return result + ops.convert_to_numpy(layer.bias)


# --- which to cut --------------------------------------------------------------------------------------------------------


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


# --- without them --------------------------------------------------------------------------------------------------------


def pruned(model, kept, responses):
    """The autoencoder without the channels that `kept`, arrays of bool by axis, leaves out.

    What read them gets their mean response in its bias: for a constant one that is exact, reflected borders included.
    """
    layers = named_convolutions(model)
    arrays = {name: [ops.convert_to_numpy(v).astype(np.float64) for v in (x.kernel, x.bias)] for name, x in layers.items()}
    of_writer, of_reader = {}, {}
    for axis, keep in zip(axes(model), kept, strict=True):
        of_writer |= dict.fromkeys(axis.writers, keep)
        of_reader |= dict.fromkeys(axis.readers, keep)
        for fold in axis.folds:
            constant = np.where(keep, 0, responses[fold.responses[0]].means)
            for reader in fold.readers:
                kernel, bias = arrays[reader]
                bias += np.einsum("hwio,i->o", kernel[:, :, : len(keep)], constant)
    widths = [
        [
            tuple(int(of_writer[name].sum()) if name in of_writer else IMAGE_CHANNELS for name in names_in(block))
            for block in part
        ]
        for part in (model.encoder_blocks, model.decoder_blocks)
    ]
    eigenbases = model.eigenbases and [
        basis[:, of_writer[names_in(block)[-1]]]
        for basis, block in zip(model.eigenbases, model.encoder_blocks, strict=False)
    ]
    result = Autoencoder(model.backbone, Widths(*map(tuple, widths)), eigenbases, name=model.name)
    for name, layer in named_convolutions(result).items():
        kernel, bias = arrays[name]
        if name in of_reader:
            keep = of_reader[name]  # level 0 of the decoder reads the image's skip as well, after the feature
            kernel = kernel[:, :, np.append(keep, np.ones(kernel.shape[2] - len(keep), bool))]
        if name in of_writer:
            keep = of_writer[name]
            kernel, bias = (kernel[:, :, keep] if is_depthwise(layer) else kernel[..., keep]), bias[keep]
        layer.kernel.assign(kernel)
        layer.bias.assign(bias)
    return result


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
