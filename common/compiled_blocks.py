"""The blocks of a network compiled for pieces of a photo.

A piece is a window of rows and columns. Padding copies all that a convolution takes, and only the border of a photo needs
it: pieces at the border are made by blocks that pad, all others by blocks that pad nothing.
"""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from common.autoencoder import from_pixels, high_frequencies, high_frequencies_within, to_pixels
from common.backbone import IMAGE_CHANNELS
from common.layers import without_padding
from common.transforms import mean_and_covariance


class Window(NamedTuple):
    """A piece of a photo: rows and columns of some grid."""

    rows: slice
    columns: slice

    def scaled(self, scale, before=0, after=0):
        """The same on a grid `scale` times as fine, and so many more of its rows and columns."""
        return Window(*(slice(side.start * scale - before, side.stop * scale + after) for side in self))

    def widened(self, margin, size):
        """With a margin all around that ends where a photo of `size` ends."""
        return Window(*(slice(max(a.start - margin, 0), min(a.stop + margin, b)) for a, b in zip(self, size, strict=True)))


class Input(NamedTuple):
    """What a block takes.

    Attributes:
        channels, dtype: of it.
        scale: its rows for each row of the block's coarser grid.
        halo: its rows, and columns, before and after those that a result without padding covers.
    """

    channels: int
    dtype: str
    scale: int
    halo: tuple[int, int]


class CompiledBlock(NamedTuple):
    """A block, or two that run as one.

    Attributes:
        padded: makes pieces at the border, of inputs with `margin` more rows and columns as far as there are any.
        inner: makes all others, without padding, of inputs with their halos.
        inputs: an `Input` each.
        result_scale: rows of its result for each row of its coarser grid.
        level: of the block.
    """

    padded: Callable
    inner: Callable
    inputs: list
    result_scale: int
    level: int

    @property
    def margin(self):
        """The halos in rows of the coarser grid."""
        return max(-(-max(each.halo) // each.scale) for each in self.inputs)

    def call(self, window, size, sources):
        """What makes the piece at `window` of a coarser grid of `size`: a function, see `compiled`, and its arguments."""
        inner = all(side.start > 0 and side.stop < end for side, end in zip(window, size, strict=True))
        around = window if inner else window.widened(self.margin, size)
        parts = (
            source[around.scaled(each.scale, *(each.halo if inner else (0, 0)))]
            for source, each in zip(sources, self.inputs, strict=True)
        )
        return self.inner if inner else self.padded, around, window, *parts


class Blocks(NamedTuple):
    """Encoder and decoder blocks, level 0 first, and the function that makes skips."""

    encoders: list
    decoders: list
    high_frequencies: Callable

    def shallow(self, image):
        """Features of levels 0 and 1."""
        level_0 = self.encoders[0](image)
        return level_0, self.encoders[1](level_0)

    def encode(self, above, level):
        """The feature of `level`, from that above; of level 1, from the image."""
        return self.encoders[level](above) if level > 1 else self.shallow(above)[1]

    def decode(self, x, above, level):
        """The feature above `level`, from that of `level` and the content's above; for level 1, from the image instead."""
        above = self.encoders[0](above) if level == 1 else above
        return self.decoders[level]([x, self.high_frequencies(above)])

    def pixels(self, x, image, dtype):
        """The result, of the feature of level 0 and the content, as `common.autoencoder.to_pixels`."""
        return to_pixels(self.decode(x, image, 0), dtype)


class CompiledAutoencoder:
    """The blocks of an `Autoencoder`, for pieces of any size, and the maps that its decoder applies.

    Level 0 of the encoder is cheap to compute and large to keep: it is part of whatever needs it.

    Args:
        model: with all its blocks.
        dtype: of the features between blocks, "float16" or "float32".
        pixels: of the photos and results, "uint8" or "float32".

    Attributes:
        shallow: a `CompiledBlock` from the image to the feature of level 1 that measures level 0 as well.
        encode: those of levels 1, from the image and measuring nothing, to the deepest.
        decode: those of all levels, 0 first; at levels 1 and 0 the image takes the place of what is above.
    """

    def __init__(self, model, dtype, pixels):
        self._widths, self._strides = model.widths.features, model.backbone.strides
        self._dtype, self._pixels = dtype, pixels
        # Decoder blocks of our own: each photo's transforms are folded into their first convolution.
        self._decoders = [keras.models.clone_model(block) for block in model.decoder_blocks]
        self._kernels = []
        for block, clone in zip(model.decoder_blocks, self._decoders, strict=True):
            clone.set_weights(block.get_weights())
            self._kernels.append(block.get_weights()[:2])
        self._padded = Blocks(model.encoder_blocks, self._decoders, high_frequencies)
        within = ([without_padding(block) for block in blocks] for blocks in self._padded[:2])
        self._within = Blocks(*within, high_frequencies_within)
        self._compiler = ThreadPoolExecutor(1)  # takes them in the order that they are needed
        encoder_halos, decoder_halos = model.backbone.encoder_halos, model.backbone.decoder_halos
        levels = range(1, len(self._widths))
        self.shallow = self._encoder(1, Blocks.shallow, encoder_halos[0], result_scales=(2, 1))
        self.encode = [
            self._encoder(level, functools.partial(Blocks.encode, level=level), halo, measured=level > 1)
            for level, halo in zip(levels, encoder_halos, strict=True)
        ]
        self.decode = [self._decoder(level, *decoder_halos[level]) for level in [*reversed(levels), 0]][::-1]
        self._compiler.shutdown(wait=False)  # when it is done

    def fold(self, level, mapping):
        """Make decoder block `level` apply an affine map to its feature first: its first convolution does both."""
        kernel, bias = self._kernels[level]
        channels = len(mapping.offset)
        folded = kernel.copy()
        folded[:, :, :channels] = np.einsum("ji,hwjo->hwio", mapping.matrix, kernel[:, :, :channels])
        variables = self._decoders[level].weights[:2]
        variables[0].assign(folded)
        variables[1].assign(bias + np.einsum("j,hwjo->o", mapping.offset, kernel[:, :, :channels]))

    def _encoder(self, level, function, halo, result_scales=(1,), measured=True):
        return self._compiled(level, function, [self._above(level, halo)], result_scales, self._dtype, measured)

    def _decoder(self, level, halo, halo_above):
        inputs = [self._feature(level, 1, halo), self._above(level, halo_above)]
        if level == 0:
            function = functools.partial(Blocks.pixels, dtype=self._pixels)
            return self._compiled(0, function, inputs, self._strides[:1], self._pixels, measured=False)
        return self._compiled(level, functools.partial(Blocks.decode, level=level), inputs, (2,), self._dtype)

    def _feature(self, level, scale, halo):
        return Input(self._widths[level], self._dtype, scale, halo)

    def _above(self, level, halo):
        """What is kept of the level above; of level 0, the image that it is made of anew."""
        if level > 1:
            return self._feature(level - 1, 2, halo)
        return Input(IMAGE_CHANNELS, self._pixels, self._strides[level], halo)

    def _compiled(self, level, function, inputs, result_scales, dtype, measured=True):
        functions = (
            compiled(self._compiler, functools.partial(function, blocks), inputs, result_scales, inner, measured, dtype)
            for inner, blocks in enumerate((self._padded, self._within))
        )
        return CompiledBlock(*functions, inputs, result_scales[-1], level)


def compiled(compiler, function, inputs, scales, inner, measured, dtype):
    """`function`, compiled for arrays of any size where the backend can: by `compiler`, an executor, meanwhile.

    Args:
        function: of float32 `(1, height, width, channels)` arrays, to one or several.
        inputs: an `Input` each.
        scales: rows of each result for each row of the function's coarser grid.
        inner: results reach as far before what is asked for as after it; else they cover what they are made of.
        measured: take statistics of the results.
        dtype: to keep the last result in; "float16" saturates.

    Returns:
        A function of two `Window`s on the coarser grid, of what `function` takes and of what is asked for, and of the
        inputs. It gives the last result there, `(rows, columns, channels)`, and for each result, if measured, what
        `common.transforms.pooled` takes.
    """

    def run(start, size, *parts):
        results = keras.tree.flatten(function(*map(from_pixels, parts)))
        results = [crop(result, start, size, scale) for result, scale in zip(results, scales, strict=True)]
        kept = results[-1]
        if dtype == "float16":
            kept = ops.cast(ops.minimum(kept, float(np.finfo(dtype).max)), dtype)
        return kept, [mean_and_covariance(result) for result in results] if measured else []

    def crop(result, start, size, scale):
        size = size * np.array((1, scale, scale, result.shape[-1]), np.int32)
        start = (ops.shape(result)[1] - size[1]) // 2 * np.array((0, 1, 1, 0), np.int32) if inner else start * scale
        return ops.reshape(ops.slice(result, start, size), size[1:])

    compiles = keras.backend.backend() == "tensorflow"
    if compiles:
        import tensorflow as tf

        types = [tf.TensorSpec(4, tf.int32)] * 2
        types += [tf.TensorSpec((1, None, None, each.channels), each.dtype) for each in inputs]
        graph = compiler.submit(lambda: tf.function(run, autograph=False).get_concrete_function(*types))

    def piece(around, window, *parts):
        start = np.array([0, *(side.start - outer.start for side, outer in zip(window, around, strict=True)), 0], np.int32)
        size = np.array([1, *(side.stop - side.start for side in window), 1], np.int32)
        arguments = start, size, *parts
        kept, of_results = graph.result()(*map(tf.constant, arguments)) if compiles else run(*arguments)
        return ops.convert_to_numpy(kept), [(size.prod(), *map(ops.convert_to_numpy, each)) for each in of_results]

    return piece
