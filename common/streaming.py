"""Style transfer of a photo of any size in little memory, with the result of the whole photo at once.

The networks run block by block over strips of rows that overlap by what a block sees beyond its output. What lies between
two blocks is kept, in memory or in scratch files. So nothing but the overlaps is computed twice, the working set is small
enough to be used again and again, and the statistics of a level are complete before its transform is applied.
"""

import tempfile

import keras
import numpy as np
from keras import ops

from common.autoencoder import high_frequencies
from common.transforms import Moments, affine_map

# Rows of the coarser grid of a block that its output depends on beyond its own, on either side; enough for either backbone.
ENCODER_HALO, DECODER_HALO = 3, 4
# Numbers in a strip of a block's finer grid: few enough for little memory, enough for the overlaps not to weigh.
STRIP_NUMBERS = 2_500_000
# Numbers in a chunk of a kept feature.
CHUNK_NUMBERS = 1_000_000
BYTES = 4  # of a float32


class Room:
    """What is left of the bytes that kept features may take."""

    def __init__(self, memory):
        self.left = memory


class Rows:
    """A feature of a whole photo, `(height, width, channels)` float32, written and read by slices of rows.

    It lies in chunks of rows, which can be forgotten one by one, or where `room` is short of it, in a temporary file.
    """

    def __init__(self, height, width, channels, room):
        self.height, self.width, self.channels = height, width, channels
        self._room, self._chunks = room, {}
        self._rows = max(1, CHUNK_NUMBERS // (width * channels))  # in a chunk
        fits = height * width * channels * BYTES <= room.left
        self._file = None if fits else tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this is kept

    def __getitem__(self, rows):
        if self._file is None:
            pieces = [chunk[within] for chunk, within in self._pieces(rows)]
            return (pieces[0] if len(pieces) == 1 else np.concatenate(pieces))[None]
        self._file.seek(rows.start * self.width * self.channels * BYTES)
        numbers = np.fromfile(self._file, np.float32, (rows.stop - rows.start) * self.width * self.channels)
        return numbers.reshape(1, -1, self.width, self.channels)

    def __setitem__(self, rows, values):
        if self._file is None:
            start = 0
            for chunk, within in self._pieces(rows):
                stop = start + within.stop - within.start
                chunk[within] = values[0, start:stop]
                start = stop
        else:
            self._file.seek(rows.start * self.width * self.channels * BYTES)
            np.ascontiguousarray(values).tofile(self._file)

    def _pieces(self, rows):
        """The chunks that some rows lie in, each with its slice."""
        for index in range(rows.start // self._rows, -(-rows.stop // self._rows)):
            if index not in self._chunks:
                self._chunks[index] = np.empty((self._rows, self.width, self.channels), np.float32)
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
        progress: called after every strip with the share of the work that it was.
    """

    def __init__(self, model, memory, progress=None):
        self._memory = memory
        self._progress = progress or (lambda share: None)
        self._strides = model.backbone.strides
        self._widths = model.widths.features
        encoders = model.encoder_blocks
        # Decoder blocks of our own: each photo's transforms are folded into their first convolution.
        self._decoders = [keras.models.clone_model(block) for block in model.decoder_blocks]
        self._kernels = []
        for block, clone in zip(model.decoder_blocks, self._decoders, strict=True):
            clone.set_weights(block.get_weights())
            self._kernels.append([ops.convert_to_numpy(variable) for variable in clone.weights[:2]])
        self._encode = [compiled(encoders[0]), compiled(lambda image: encoders[1](encoders[0](image)))]
        self._encode += [compiled(block) for block in encoders[2:]]
        self._decode = [compiled(skipping(block)) for block in self._decoders]
        with_level_0 = skipping(self._decoders[1])
        self._decode[1] = compiled(lambda x, image: with_level_0(x, encoders[0](image)))

    def analyze(self, image):
        """Statistics of each level's feature of `image`, `common.images.PaddedPixels`."""
        self._passes = len(self._widths)
        self._room = Room(self._memory)
        moments = [Moments() for _ in self._widths]
        for _, part in self._strips(self._encode[0], 1, (image, self._strides[0])):
            moments[0].add(part)
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
        moments = Moments()
        kept = self._encoded(image, [None] * (len(self._widths) - 1) + [moments])
        x = kept.pop()
        for level in range(len(self._widths) - 1, 0, -1):
            self._fold(level, affine_map(moments.statistics, style[level], transform, strength))
            above = (kept.pop(), 2) if level > 1 else (image, self._strides[1])
            moments = Moments()
            x = self._kept(level - 1, image, self._decode[level], 2, moments, (x, 1), above)
        self._fold(0, affine_map(moments.statistics, style[0], transform, strength))
        stride = self._strides[0]
        for rows, part in self._strips(self._decode[0], stride, (x, 1), (image, stride), last=True):
            yield rows, ops.convert_to_numpy(part[0])

    def _encoded(self, image, moments, last=False):
        """Features of levels 1 and deeper; what is not None in `moments`, by level, takes them in.

        Args:
            last: only for the sake of `moments`.
        """
        kept = []
        for level in range(1, len(self._widths)):
            source = (kept[-1], 2) if kept else (image, self._strides[1])
            kept.append(self._kept(level, image, self._encode[level], 1, moments[level], source, last=last))
        return kept

    def _kept(self, level, image, function, scale, moments, *sources, last=True):
        """The feature of `level` that `function` makes of its sources, strip by strip; the rest as for `_strips`."""
        stride = self._strides[level]
        result = Rows(image.height // stride, image.width // stride, self._widths[level], self._room)
        for rows, part in self._strips(function, scale, *sources, last=last):
            result[rows] = ops.convert_to_numpy(part)
            if moments:
                moments.add(part)
        return result

    def _strips(self, function, scale, *sources, last=False):
        """Yield what `function` makes of overlapping strips of its sources, as slices of rows and their content.

        Args:
            scale: rows of its output for each row of the coarser grid that `function` works on.
            sources: pairs of `Rows` or `PaddedPixels`, and their rows for each row of that grid.
            last: nothing else will be made of the sources.
        """
        halo = ENCODER_HALO if len(sources) == 1 else DECODER_HALO
        height = sources[0][0].height // sources[0][1]
        numbers = max(source.width * source.channels * rows for source, rows in sources)
        strip = max(halo, STRIP_NUMBERS // numbers)
        for start in range(0, height, strip):
            stop = min(start + strip, height)
            top, bottom = max(start - halo, 0), min(stop + halo, height)
            parts = (source[top * rows : bottom * rows] for source, rows in sources)
            kept = slice((start - top) * scale, (stop - top) * scale)
            yield slice(start * scale, stop * scale), function(kept, *parts)
            for source, rows in sources:
                if last and isinstance(source, Rows):
                    source.forget((stop - halo if stop < height else stop) * rows)
            self._progress((stop - start) / height / self._passes)

    def _fold(self, level, mapping):
        """Make decoder block `level` apply an affine map to its feature first: its first convolution does both."""
        kernel, bias = self._kernels[level]
        channels = len(mapping.offset)
        folded = kernel.copy()
        folded[:, :, :channels] = np.einsum("ji,hwjo->hwio", mapping.matrix, kernel[:, :, :channels])
        variables = self._decoders[level].weights[:2]
        variables[0].assign(folded)
        variables[1].assign(bias + np.einsum("j,hwjo->o", mapping.offset, kernel[:, :, :channels]))


def skipping(block):
    """A decoder block as a function of its feature and of the feature a level up, whose high frequencies it adds."""
    return lambda x, above: block([x, high_frequencies(above)])


def compiled(function):
    """`function` of float32 `(1, height, width, channels)` arrays, compiled once for all sizes where the backend can.

    What is given back takes a slice of rows first, and gives those rows of the result.
    """
    if keras.backend.backend() != "tensorflow":
        return lambda rows, *parts: function(*parts)[:, rows]
    import tensorflow as tf

    graph = []

    def cropped(start, stop, *parts):
        return function(*parts)[:, start:stop]

    def call(rows, *parts):
        if not graph:
            specs = [tf.TensorSpec((), tf.int32)] * 2 + [
                tf.TensorSpec((1, None, None, x.shape[-1]), tf.float32) for x in parts
            ]
            graph.append(tf.function(cropped, autograph=False).get_concrete_function(*specs))
        return graph[0](tf.constant(rows.start), tf.constant(rows.stop), *(tf.convert_to_tensor(part) for part in parts))

    return call
