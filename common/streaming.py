"""Style transfer of a photo of any size in little memory, with the result of the whole photo at once.

The networks run block by block over strips of rows that overlap by what a block sees beyond its output. What lies between
two blocks is kept, in memory or in scratch files. So nothing but the overlaps is computed twice, the working set is small
enough to be used again and again, and the statistics of a level are complete before its transform is applied.

Padding copies all that a convolution takes, and only the border of a photo needs it: a strip is made of a broad piece, by
blocks that pad nothing, and of narrow ones at the border, by blocks that do.
"""

import collections
import functools
import itertools
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from common.autoencoder import high_frequencies, high_frequencies_within, to_pixels
from common.backbone import IMAGE_CHANNELS
from common.layers import without_padding
from common.transforms import affine_map, mean_and_covariance, pooled

# Numbers in a strip of the finer grid of the block at each level: few enough for little memory, enough for the overlaps not
# to weigh. At the deep levels they weigh more, and less is kept.
STRIP_NUMBERS = (1_500_000, 1_500_000, 3_500_000, 3_500_000)
# What kept features are made of, by precision. Half of it takes half the memory; on the paper's five pairs the released and
# our own students' results, before smoothing, agree to 62 dB and more with those in full.
PRECISIONS = {"half": "float16", "full": "float32"}
# Strips under way at a time: a good part of the layers keep no more than one core busy.
AHEAD = 3


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


class StripwiseBlock(NamedTuple):
    """A compiled block.

    Attributes:
        padded: makes pieces at the border, of inputs with `margin` more rows and columns as far as there are any.
        inner: makes all others, without padding, of inputs with their halos.
        inputs: an `Input` each.
        result_scale: rows of its result for each row of its coarser grid.
        strip_numbers: see `STRIP_NUMBERS`.
    """

    padded: Callable
    inner: Callable
    inputs: list
    result_scale: int
    strip_numbers: int

    @property
    def margin(self):
        """The halos in rows of the coarser grid."""
        return max(-(-max(each.halo) // each.scale) for each in self.inputs)


class Room:
    """What is left of the bytes that kept features may take."""

    def __init__(self, memory):
        self.left = memory


class Rows:
    """A feature of a whole photo, `(height, width, channels)` of `dtype`, written strip by strip and read by windows.

    Strips are kept as they are, and can be forgotten one by one, or where `room` is short of it, in a temporary file.
    """

    def __init__(self, height, width, channels, dtype, room):
        self.height, self.width, self.channels, self.dtype = height, width, channels, np.dtype(dtype)
        self._room, self._strips, self._written = room, collections.deque(), 0
        self._row_bytes = width * channels * self.dtype.itemsize
        fits = height * self._row_bytes <= room.left
        self._file = None if fits else tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this is kept

    def append(self, strip):
        """Keep the rows after those already there, `(rows, width, channels)`."""
        rows = slice(self._written, self._written + len(strip))
        if self._file is None:
            self._room.left -= strip.nbytes
            self._strips.append((rows, strip))
        else:
            self._file.seek(rows.start * self._row_bytes)
            strip.tofile(self._file)
            self._strips.append((rows, None))
        self._written = rows.stop

    def __getitem__(self, window):
        rows, columns = window
        touched = (each for each in self._strips if each[0].start < rows.stop and rows.start < each[0].stop)
        parts = [self._rows_of(kept, strip, rows)[:, columns] for kept, strip in touched]
        return (parts[0] if len(parts) == 1 else np.concatenate(parts))[None]

    def _rows_of(self, kept, strip, rows):
        """Those of `rows` that lie in a strip."""
        start, stop = max(rows.start, kept.start), min(rows.stop, kept.stop)
        if strip is not None:
            return strip[start - kept.start : stop - kept.start]
        self._file.seek(start * self._row_bytes)
        numbers = np.fromfile(self._file, self.dtype, (stop - start) * self.width * self.channels)
        return numbers.reshape(-1, self.width, self.channels)

    def forget(self, stop):
        """Free the strips that hold no row from `stop` on."""
        while self._file is None and self._strips and self._strips[0][0].stop <= stop:
            self._room.left += self._strips.popleft()[1].nbytes


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


class StreamedAutoencoder:
    """An `Autoencoder` whose blocks are compiled for strips of any size.

    Level 0 of the encoder is cheap to compute and large to keep: it is computed anew where it is needed.

    Args:
        model: with all its blocks.
        memory: bytes that features between blocks may take; beyond that they go to scratch files.
        precision: of those features, a key of `PRECISIONS`.
        pixels: type of the photos' pixels and the results', "uint8" or "float32".
        progress: called after every strip with the share of the work that it was.
    """

    def __init__(self, model, memory, precision, pixels, progress=None):
        self._memory = memory
        self._dtype = PRECISIONS[precision]
        self._progress = progress or (lambda share: None)
        self._pool = ThreadPoolExecutor(AHEAD)
        self._strides = model.backbone.strides
        self._widths = model.widths.features
        # Decoder blocks of our own: each photo's transforms are folded into their first convolution.
        self._decoders = [keras.models.clone_model(block) for block in model.decoder_blocks]
        self._kernels = []
        for block, clone in zip(model.decoder_blocks, self._decoders, strict=True):
            clone.set_weights(block.get_weights())
            self._kernels.append(block.get_weights()[:2])
        padded = Blocks(model.encoder_blocks, self._decoders, high_frequencies)
        within = Blocks(*([without_padding(block) for block in blocks] for blocks in padded[:2]), high_frequencies_within)
        compiler = ThreadPoolExecutor(1)  # takes them in the order that they are needed

        def feature(level, scale, halo):
            return Input(self._widths[level], self._dtype, scale, halo)

        def above(level, halo):
            """What is kept of the level above; of level 0, the image that it is made of anew."""
            return feature(level - 1, 2, halo) if level > 1 else Input(IMAGE_CHANNELS, pixels, self._strides[level], halo)

        def stripwise(level, function, inputs, result_scales, dtype, measured=True):
            functions = (
                compiled(compiler, functools.partial(function, blocks), inputs, result_scales, inner, measured, dtype)
                for inner, blocks in enumerate((padded, within))
            )
            return StripwiseBlock(*functions, inputs, result_scales[-1], STRIP_NUMBERS[level])

        def encoder(level, function, result_scales=(1,), measured=True):
            inputs = [above(level, model.backbone.encoder_halos[level - 1])]
            return stripwise(level, function, inputs, result_scales, self._dtype, measured)

        def decoder(level):
            of_feature, of_above = model.backbone.decoder_halos[level]
            inputs = [feature(level, 1, of_feature), above(level, of_above)]
            if level == 0:
                function = functools.partial(Blocks.pixels, dtype=pixels)
                return stripwise(0, function, inputs, self._strides[:1], pixels, measured=False)
            return stripwise(level, functools.partial(Blocks.decode, level=level), inputs, (2,), self._dtype)

        levels = range(1, len(self._widths))
        self._shallow = encoder(1, Blocks.shallow, (2, 1))
        self._encode = [
            encoder(level, functools.partial(Blocks.encode, level=level), measured=level > 1) for level in levels
        ]
        self._decode = {level: decoder(level) for level in [*reversed(levels), 0]}
        compiler.shutdown(wait=False)  # when it is done

    def analyze(self, image):
        """Statistics of each level's feature of `image`, `common.images.PaddedPixels`."""
        self._passes = len(self._widths) - 1
        self._room = Room(self._memory)
        _, measured = self._encoded(image, [self._shallow, *self._encode[1:]], last=True)
        return measured

    def transfer(self, image, style, transform, strength):
        """Yield the stylised photo as slices of rows and their pixels `(rows, width, 3)`, padding included.

        Args:
            image: the content, `common.images.PaddedPixels`.
            style: `Statistics` of each level.
            transform, strength: as for `common.transforms.affine_map`.
        """
        self._passes = 2 * len(self._widths) - 1
        self._room = Room(self._memory)
        kept, (*_, measured) = self._encoded(image, self._encode)
        x = kept.pop()
        for level in range(len(self._widths) - 1, 0, -1):
            self._fold(level, affine_map(measured, style[level], transform, strength))
            above = kept.pop() if level > 1 else image
            x, (measured,) = self._kept(level - 1, image, self._decode[level], x, above, last=True)
        self._fold(0, affine_map(measured, style[0], transform, strength))
        for rows, pixels, _ in self._strips(self._decode[0], x, image, last=True):
            yield rows, pixels

    def _encoded(self, image, blocks, last=False):
        """Features of levels 1 and deeper, made by `blocks`, and the statistics that these take; `last` as for `_strips`."""
        kept, measured = [image], []
        for level, block in enumerate(blocks, start=1):
            feature, of_it = self._kept(level, image, block, kept[-1], last=last)
            kept.append(feature)
            measured += of_it
        return kept[1:], measured

    def _kept(self, level, image, block, *sources, last=False):
        """The feature of `level` of `image`, and the statistics of what `block` makes; the rest as for `_strips`."""
        stride = self._strides[level]
        result = Rows(image.height // stride, image.width // stride, self._widths[level], self._dtype, self._room)
        measured = []
        for _, strip, of_pieces in self._strips(block, *sources, last=last):
            result.append(strip)
            measured += of_pieces
        return result, [pooled(of_result) for of_result in zip(*measured, strict=True)]

    def _strips(self, block, *sources, last=False):
        """Yield what `block` makes of its sources, strip by strip: rows, an array of them, and statistics of pieces of it.

        Args:
            sources: `Rows` or `PaddedPixels`.
            last: nothing else will be made of the sources.
        """
        size = height, width = tuple(side // block.inputs[0].scale for side in (sources[0].height, sources[0].width))
        margin = block.margin
        strip = max(margin, block.strip_numbers // max(width * each.scale**2 * each.channels for each in block.inputs))
        sides = []
        if min(size) > 2 * margin:
            strips = slices(0, *range(margin, height - margin, strip), height - margin, height)
            left, middle, right = slices(0, margin, width - margin, width)
            sides = [Window(slice(0, height), columns) for columns in (left, right)]
        else:
            strips, middle = slices(*range(0, height, strip), height), slice(0, width)

        def call(window):
            """The function that makes a piece, and its arguments."""
            inner = all(side.start > 0 and side.stop < end for side, end in zip(window, size, strict=True))
            around = window if inner else window.widened(margin, size)
            parts = (
                source[around.scaled(each.scale, *(each.halo if inner else (0, 0)))]
                for source, each in zip(sources, block.inputs, strict=True)
            )
            return block.inner if inner else block.padded, around, window, *parts

        pieces = ahead(self._pool, map(call, [*sides, *(Window(rows, middle) for rows in strips)]))
        at_sides = [next(pieces) for _ in sides]
        measured = [of_piece for _, of_piece in at_sides]
        for rows, (piece, of_piece) in zip(strips, pieces, strict=True):
            rows_of_it = slice(rows.start * block.result_scale, rows.stop * block.result_scale)
            if sides:
                left, right = (side[rows_of_it] for side, _ in at_sides)
                piece = np.concatenate([left, piece, right], axis=1)
            yield rows_of_it, piece, [*measured, of_piece]
            measured = []
            for source, each in zip(sources, block.inputs, strict=True):
                if last and isinstance(source, Rows):
                    source.forget((rows.stop - margin if rows.stop < height else height) * each.scale)
            self._progress((rows.stop - rows.start) / height / self._passes)

    def _fold(self, level, mapping):
        """Make decoder block `level` apply an affine map to its feature first: its first convolution does both."""
        kernel, bias = self._kernels[level]
        channels = len(mapping.offset)
        folded = kernel.copy()
        folded[:, :, :channels] = np.einsum("ji,hwjo->hwio", mapping.matrix, kernel[:, :, :channels])
        variables = self._decoders[level].weights[:2]
        variables[0].assign(folded)
        variables[1].assign(bias + np.einsum("j,hwjo->o", mapping.offset, kernel[:, :, :channels]))


def slices(*ends):
    """Slices from each of `ends` to the next."""
    return [slice(*pair) for pair in itertools.pairwise(ends)]


def in_floats(x):
    """Pixels or kept features as the blocks take them."""
    return ops.cast(x, "float32") / 255 if x.dtype == "uint8" else ops.cast(x, "float32")


def ahead(pool, calls):
    """Yield what each of `calls`, a function and its arguments, gives, in their order; `pool` computes some ahead."""
    under_way = collections.deque()
    for call in calls:
        under_way.append(pool.submit(*call))
        if len(under_way) == AHEAD:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


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
        results = keras.tree.flatten(function(*map(in_floats, parts)))
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
