"""Style transfer of a photo of any size in little memory, with the result of the whole photo at once.

The networks run block by block over strips of rows that overlap by what a block sees beyond its output. What lies between
two blocks is kept, in memory or in scratch files. So nothing but the overlaps is computed twice, the working set is small
enough to be used again and again, and the statistics of a level are complete before its transform is applied.
"""

import collections
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from common.autoencoder import high_frequencies
from common.backbone import IMAGE_CHANNELS
from common.transforms import Moments, affine_map

# Rows of the coarser grid of the block at each level that its output depends on beyond its own, on either side; enough for
# either backbone. Level 0 of the encoder never runs without level 1.
ENCODER_HALOS, DECODER_HALOS = (None, 2, 2, 3), (2, 3, 3, 4)
# Numbers in a strip of the finer grid of the block at each level: few enough for little memory, enough for the overlaps not
# to weigh. At the deep levels they weigh more, and less is kept.
STRIP_NUMBERS = (1_500_000, 1_500_000, 3_500_000, 3_500_000)
# Numbers in a chunk of a kept feature.
CHUNK_NUMBERS = 1_000_000
# What kept features are made of, by precision. Half of it takes half the memory; on the paper's five pairs the released and
# our own students' results, before smoothing, agree to 62 dB and more with those in full.
PRECISIONS = {"half": "float16", "full": "float32"}
# Strips under way at a time: a good part of the layers keep no more than one core busy.
AHEAD = 3


class StripwiseBlock(NamedTuple):
    """A compiled block, the rows that its output depends on beyond its own, and numbers in a strip; see above."""

    function: Callable
    halo: int
    strip_numbers: int


class Room:
    """What is left of the bytes that kept features may take."""

    def __init__(self, memory):
        self.left = memory


class Rows:
    """A feature of a whole photo, `(height, width, channels)` of `dtype`, written and read by slices of rows.

    It lies in chunks of rows, which can be forgotten one by one, or where `room` is short of it, in a temporary file.
    """

    def __init__(self, height, width, channels, dtype, room):
        self.height, self.width, self.channels, self.dtype = height, width, channels, np.dtype(dtype)
        self._room, self._chunks = room, {}
        self._rows = max(1, CHUNK_NUMBERS // (width * channels))  # in a chunk
        self._row_bytes = width * channels * self.dtype.itemsize
        fits = height * self._row_bytes <= room.left
        self._file = None if fits else tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this is kept

    def __getitem__(self, rows):
        if self._file is None:
            pieces = [chunk[within] for chunk, within in self._pieces(rows)]
            return (pieces[0] if len(pieces) == 1 else np.concatenate(pieces))[None]
        self._file.seek(rows.start * self._row_bytes)
        numbers = np.fromfile(self._file, self.dtype, (rows.stop - rows.start) * self.width * self.channels)
        return numbers.reshape(1, -1, self.width, self.channels)

    def __setitem__(self, rows, values):
        if self._file is None:
            start = 0
            for chunk, within in self._pieces(rows):
                stop = start + within.stop - within.start
                chunk[within] = values[0, start:stop]
                start = stop
        else:
            self._file.seek(rows.start * self._row_bytes)
            np.ascontiguousarray(values).tofile(self._file)

    def _pieces(self, rows):
        """The chunks that some rows lie in, each with its slice."""
        for index in range(rows.start // self._rows, -(-rows.stop // self._rows)):
            if index not in self._chunks:
                self._chunks[index] = np.empty((self._rows, self.width, self.channels), self.dtype)
                self._room.left -= self._chunks[index].nbytes
            first = index * self._rows
            yield self._chunks[index], slice(max(rows.start - first, 0), min(rows.stop - first, self._rows))

    def forget(self, stop):
        """Free the chunks that hold no row from `stop` on."""
        for index in [index for index in self._chunks if min((index + 1) * self._rows, self.height) <= stop]:
            self._room.left += self._chunks.pop(index).nbytes


class StreamedAutoencoder:
    """An `Autoencoder` whose blocks are compiled for strips of any size.

    Level 0 of the encoder is cheap to compute and large to keep: it is computed anew where it is needed.

    Args:
        model: with all its blocks.
        memory: bytes that features between blocks may take; beyond that they go to scratch files.
        precision: of those features, a key of `PRECISIONS`.
        progress: called after every strip with the share of the work that it was.
    """

    def __init__(self, model, memory, precision, progress=None):
        self._memory = memory
        self._dtype = PRECISIONS[precision]
        self._progress = progress or (lambda share: None)
        self._pool = ThreadPoolExecutor(AHEAD)
        self._strides = model.backbone.strides
        self._widths = model.widths.features
        encoders = model.encoder_blocks
        # Decoder blocks of our own: each photo's transforms are folded into their first convolution.
        self._decoders = [keras.models.clone_model(block) for block in model.decoder_blocks]
        self._kernels = []
        for block, clone in zip(model.decoder_blocks, self._decoders, strict=True):
            clone.set_weights(block.get_weights())
            self._kernels.append([ops.convert_to_numpy(variable) for variable in clone.weights[:2]])

        def shallow(image):
            return (level_0 := encoders[0](image)), encoders[1](level_0)

        def decoder_1(x, image):
            return skipping(self._decoders[1])(x, encoders[0](image))

        compiler = ThreadPoolExecutor(1)  # takes them in the order that they are needed

        def encoder(level, function, source, scales=(1,)):
            function = compiled(compiler, function, [source], scales)
            return StripwiseBlock(function, ENCODER_HALOS[level], STRIP_NUMBERS[level])

        def decoder(level, function, above, scale=2):
            function = compiled(compiler, function, [features[level], above], [scale])
            return StripwiseBlock(function, DECODER_HALOS[level], STRIP_NUMBERS[level])

        image, features = (IMAGE_CHANNELS, "float32"), [(width, self._dtype) for width in self._widths]
        deeper = range(2, len(encoders))
        self._shallow = encoder(1, shallow, image, scales=(2, 1))
        self._encode = {level: encoder(level, encoders[level], features[level - 1]) for level in deeper}
        self._encode[1] = encoder(1, lambda image: shallow(image)[1], image)
        self._decode = {
            level: decoder(level, skipping(self._decoders[level]), features[level - 1]) for level in reversed(deeper)
        }
        self._decode[1] = decoder(1, decoder_1, image)
        self._decode[0] = decoder(0, skipping(self._decoders[0]), image, self._strides[0])
        compiler.shutdown(wait=False)  # when it is done

    def analyze(self, image):
        """Statistics of each level's feature of `image`, `common.images.PaddedPixels`."""
        self._passes = len(self._widths) - 1
        self._room = Room(self._memory)
        moments = [Moments() for _ in self._widths]
        self._encoded(image, moments, last=True)
        return [moment.statistics for moment in moments]

    def transfer(self, image, style, transform, strength):
        """Yield the stylised photo as slices of rows and their pixels `(rows, width, 3)`, not clipped, padding included.

        Args:
            image: the content, `common.images.PaddedPixels`.
            style: `Statistics` of each level.
            transform, strength: as for `common.transforms.affine_map`.
        """
        self._passes = 2 * len(self._widths) - 1
        self._room = Room(self._memory)
        moments = [None] * (len(self._widths) - 1) + [Moments()]
        kept = self._encoded(image, moments)
        x = kept.pop()
        for level in range(len(self._widths) - 1, 0, -1):
            self._fold(level, affine_map(moments[-1].statistics, style[level], transform, strength))
            above = (kept.pop(), 2) if level > 1 else (image, self._strides[1])
            moments = [Moments()]
            x = self._kept(level - 1, image, self._decode[level], moments, (x, 1), above, last=True)
        self._fold(0, affine_map(moments[-1].statistics, style[0], transform, strength))
        sources = (x, 1), (image, self._strides[0])
        for rows, (part,) in self._strips(self._decode[0], *sources, last=True):
            yield slice(rows.start * self._strides[0], rows.stop * self._strides[0]), ops.convert_to_numpy(part[0])

    def _encoded(self, image, moments, last=False):
        """Features of levels 1 and deeper; those of `moments`, one a level, that are not None take in what they are of.

        Args:
            last: only for the sake of `moments`.
        """
        block, of_it = (self._shallow, moments[:2]) if moments[0] else (self._encode[1], moments[1:2])
        kept = [self._kept(1, image, block, of_it, (image, self._strides[1]))]
        for level in range(2, len(self._widths)):
            kept.append(self._kept(level, image, self._encode[level], [moments[level]], (kept[-1], 2), last=last))
        return kept

    def _kept(self, level, image, block, moments, *sources, last=False):
        """The feature of `level`, the last that `block` makes of its sources, strip by strip; the rest as for `_strips`.

        Args:
            moments: to take in what `block` makes, or None, one for each.
        """
        stride = self._strides[level]
        result = Rows(image.height // stride, image.width // stride, self._widths[level], self._dtype, self._room)
        for rows, parts in self._strips(block, *sources, last=last):
            scale = parts[-1].shape[1] // (rows.stop - rows.start)
            within_range = ops.minimum(parts[-1], float(np.finfo(self._dtype).max))
            result[slice(rows.start * scale, rows.stop * scale)] = ops.convert_to_numpy(ops.cast(within_range, self._dtype))
            for of_part, part in zip(moments, parts, strict=True):
                if of_part:
                    of_part.add(part)
        return result

    def _strips(self, block, *sources, last=False):
        """Yield what `block` makes of overlapping strips of its sources: slices of rows of its coarser grid, and results.

        Args:
            sources: pairs of `Rows` or `PaddedPixels`, and their rows for each row of that grid.
            last: nothing else will be made of the sources.
        """
        height = sources[0][0].height // sources[0][1]
        numbers = max(source.width * source.channels * rows for source, rows in sources)
        halo = block.halo
        strip = max(halo, block.strip_numbers // numbers)
        strips = [slice(start, min(start + strip, height)) for start in range(0, height, strip)]

        def arguments(kept):
            top, bottom = max(kept.start - halo, 0), min(kept.stop + halo, height)
            parts = (source[top * rows : bottom * rows] for source, rows in sources)
            return slice(kept.start - top, kept.stop - top), *parts

        for kept, results in zip(strips, ahead(self._pool, block.function, map(arguments, strips)), strict=True):
            yield kept, results
            for source, rows in sources:
                if last and isinstance(source, Rows):
                    source.forget((kept.stop - halo if kept.stop < height else height) * rows)
            self._progress((kept.stop - kept.start) / height / self._passes)

    def _fold(self, level, mapping):
        """Make decoder block `level` apply an affine map to its feature first: its first convolution does both."""
        kernel, bias = self._kernels[level]
        channels = len(mapping.offset)
        folded = kernel.copy()
        folded[:, :, :channels] = np.einsum("ji,hwjo->hwio", mapping.matrix, kernel[:, :, :channels])
        variables = self._decoders[level].weights[:2]
        variables[0].assign(folded)
        variables[1].assign(bias + np.einsum("j,hwjo->o", mapping.offset, kernel[:, :, :channels]))


def ahead(pool, function, arguments):
    """Yield `function` of each of `arguments`, in their order, some computed ahead by `pool`."""
    under_way = collections.deque()
    for each in arguments:
        under_way.append(pool.submit(function, *each))
        if len(under_way) == AHEAD:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()


def skipping(block):
    """A decoder block as a function of its feature and of the feature a level up, whose high frequencies it adds."""
    return lambda x, above: block([x, high_frequencies(above)])


def compiled(compiler, function, arguments, scales):
    """`function`, compiled for arrays of any size where the backend can: by `compiler`, an executor, meanwhile.

    Args:
        function: of float32 `(1, height, width, channels)` arrays, to one or several.
        arguments: channels and type of each as it will be given.
        scales: rows of each result for each row of the function's coarser grid.

    What is given back takes a slice of rows of that grid first, and gives a list of those rows of each result.
    """

    def cropped(start, stop, *parts):
        results = keras.tree.flatten(function(*(ops.cast(part, "float32") for part in parts)))
        return [result[:, start * scale : stop * scale] for result, scale in zip(results, scales, strict=True)]

    if keras.backend.backend() != "tensorflow":
        return lambda rows, *parts: cropped(rows.start, rows.stop, *parts)
    import tensorflow as tf

    specs = [tf.TensorSpec((), tf.int32)] * 2 + [
        tf.TensorSpec((1, None, None, channels), dtype) for channels, dtype in arguments
    ]
    graph = compiler.submit(lambda: tf.function(cropped, autograph=False).get_concrete_function(*specs))
    return lambda rows, *parts: graph.result()(tf.constant(rows.start), tf.constant(rows.stop), *map(tf.constant, parts))
