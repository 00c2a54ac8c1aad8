"""Which convolutions share channels, read from the graphs of the Keras models that they are in.

Channels that are added to each other, or take each other's place, stand or fall together: an *axis*. The input and the
output of a depthwise convolution are one axis. In an autoencoder so are the feature of level l, what decoder block l + 1
hands on in its stead, and what that block adds the skip to.
"""

from typing import NamedTuple

import keras

from common.network.layers import convolutions
from common.photos import IMAGE_CHANNELS

# Layers that leave every channel to itself.
CHANNELWISE = (
    "Activation",
    "AveragePooling2D",
    "MaxPooling2D",
    "ReflectPad",
    "Rescaling",
    "Upsample",
    "UpSampling2D",
    "ZeroPadding2D",
)


class Fold(NamedTuple):
    """Where a constant response can be accounted for: in the biases of those that read it.

    Attributes:
        responses: names of convolutions whose responses take each other's place: a style's feature and the content's.
        readers: names of the convolutions that read them.
    """

    responses: tuple[str, ...]
    readers: list[str]


class Axis(NamedTuple):
    """Channels that stand or fall together.

    Attributes:
        level: of the feature that it is, or that its convolutions stand beside.
        writers: names of the convolutions whose output channels lie along it.
        readers: of those whose input channels do, by name: the first of these channels. A depthwise one is a writer alone.
        folds: every response along it that something else reads.
    """

    level: int
    writers: list[str]
    readers: dict[str, int]
    folds: list[Fold]


class Part(NamedTuple):
    """Some neighbouring channels of a tensor: the number of their axis (None: an image's), how many, whose responses."""

    axis: int | None
    width: int
    responses: tuple[str, ...]


def image_parts():
    """The channels of an image, which nothing can be cut from."""
    return (Part(None, IMAGE_CHANNELS, ()),)


class ChannelGraph:
    """Axes as they come to light while Keras models are walked through in the order they apply."""

    def __init__(self):
        self._axes = []  # those that joined another are None
        self._joined = {}  # number of an axis -> of the one it has joined

    def walk(self, block, inputs, level, fixed=None):
        """Follow a functional model from its inputs to its output.

        Args:
            block: convolutions are called `BLOCK LAYER`.
            inputs: a tuple of `Part`s for each input of the model.
            level: that new axes stand at.
            fixed: name of a convolution that gives an image of an image, or None.

        Returns:
            The `Part`s of its output.

        Raises:
            ValueError: it has a layer of a kind that is not known here.
        """
        known = {id(tensor): parts for tensor, parts in zip(block.inputs, inputs, strict=True)}
        for layer in block.layers:
            if isinstance(layer, keras.layers.InputLayer):
                continue
            arrived = [known[id(tensor)] for tensor in keras.tree.flatten(layer.input)]
            known[id(layer.output)] = arrived[0] if layer.name == fixed else self._through(layer, block, arrived, level)
        return known[id(block.output)]

    def _through(self, layer, block, arrived, level):
        name = f"{block.name} {layer.name}"
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            ((axis, width, _),) = arrived[0]
            self._axes[self._root(axis)].writers.append(name)
            return (Part(axis, width, (name,)),)
        if isinstance(layer, keras.layers.Conv2D):
            self._read(name, arrived[0])
            self._axes.append(Axis(level, [name], {}, []))
            return (Part(len(self._axes) - 1, layer.filters, (name,)),)
        if isinstance(layer, keras.layers.Concatenate):
            return tuple(part for parts in arrived for part in parts)
        if isinstance(layer, keras.layers.Add):
            return self.join(*arrived)
        if type(layer).__name__ in CHANNELWISE:
            return arrived[0]
        raise ValueError(f"{name} is of a kind, {type(layer).__name__}, whose channels cannot be followed")

    def _read(self, name, parts):
        first = 0
        for axis, width, responses in parts:
            if axis is not None:
                found = self._axes[self._root(axis)]
                found.readers[name] = first
                if responses:
                    fold = next((fold for fold in found.folds if fold.responses == responses), None)
                    if fold is None:
                        found.folds.append(fold := Fold(responses, []))
                    fold.readers.append(name)
            first += width

    def join(self, *tensors):
        """Make tensors that are added, or take each other's place, share their axes; their `Part`s in common."""
        result = []
        for parts in zip(*tensors, strict=True):
            roots = [None if part.axis is None else self._root(part.axis) for part in parts]
            for other in dict.fromkeys(roots[1:]):
                if other != roots[0]:
                    self._join(roots[0], other)
            responses = tuple(dict.fromkeys(name for part in parts for name in part.responses))
            result.append(parts[0]._replace(responses=responses))
        return tuple(result)

    def _join(self, first, other):
        first, other = (other, first) if first is None else (first, other)
        if other is None:  # an image: nothing can be cut
            self._axes[first] = None
            self._joined[first] = None
            return
        first, other = sorted((first, other))
        kept, gone = self._axes[first], self._axes[other]
        kept.writers.extend(gone.writers)
        kept.readers.update(gone.readers)
        kept.folds.extend(gone.folds)
        self._axes[other] = None
        self._joined[other] = first

    def _root(self, axis):
        while axis in self._joined:
            axis = self._joined[axis]
        return axis

    def axes(self):
        """The `Axis`es that channels can be cut from."""
        return [axis for axis in self._axes if axis is not None]


def named_convolutions(model):
    """The convolutions of an autoencoder by name, `encoder_1 dw1`, encoder first."""
    blocks = model.encoder_blocks + model.decoder_blocks
    return {f"{block.name} {layer.name}": layer for block in blocks for layer in convolutions(block)}


def axes(model):
    """The `Axis`es of a `common.network.autoencoder.Autoencoder`: all its channels but those of images."""
    graph = ChannelGraph()
    inputs, features = [], []
    x = image_parts()
    for level, block in enumerate(model.encoder_blocks):
        inputs.append(x)
        x = graph.walk(block, [x], level, fixed=model.backbone.preprocessing)
        features.append(x)
    decoded = None
    for level in reversed(range(len(model.decoder_blocks))):
        feature = features[level] if decoded is None else graph.join(features[level], decoded)
        # A constant channel has no high frequencies: a skip has responses to nothing.
        skip = tuple(part._replace(responses=()) for part in inputs[level])
        decoded = graph.walk(model.decoder_blocks[level], [feature, skip], max(level - 1, 0))
    if decoded is not None:
        graph.join(decoded, image_parts())
    order = list(named_convolutions(model))
    return sorted(graph.axes(), key=lambda axis: min(map(order.index, axis.writers)))
