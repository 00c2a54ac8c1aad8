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
HALO = 4
# Numbers in a strip of a block's finer grid: few enough to be quick to touch, enough for the overlaps not to weigh.
STRIP_NUMBERS = 6_000_000
BYTES = 4  # of a float32


class Rows:
    """A feature of a whole photo, `(height, width, channels)` float32, read and written by slices of rows.

    Args:
        scratch: keep it in a temporary file instead of memory.
    """

    def __init__(self, height, width, channels, scratch=False):
        self.height, self.width, self.channels = height, width, channels
        self._file = tempfile.TemporaryFile() if scratch else None  # noqa: SIM115 - open as long as this is kept
        self._array = None if scratch else np.empty((height, width, channels), np.float32)

    def __getitem__(self, rows):
        if self._file is None:
            return self._array[None, rows]
        count = rows.stop - rows.start
        self._file.seek(rows.start * self.width * self.channels * BYTES)
        numbers = np.fromfile(self._file, np.float32, count * self.width * self.channels)
        return numbers.reshape(1, count, self.width, self.channels)

    def __setitem__(self, rows, values):
        if self._file is None:
            self._array[rows] = values[0]
        else:
            self._file.seek(rows.start * self.width * self.channels * BYTES)
            np.ascontiguousarray(values).tofile(self._file)


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
        moments = [Moments() for _ in self._widths]
        for _, part in self._strips(self._encode[0], self._strides[0], 1, (image, self._strides[0])):
            moments[0].add(part)
        self._encoded(image, moments)
        return [moment.statistics for moment in moments]

    def transfer(self, image, style, transform, strength):
        """Yield the stylised photo as slices of rows and their pixels `(rows, width, 3)`, not clipped, padding included.

        Args:
            image: the content, `common.images.PaddedPixels`.
            style: `Statistics` of each level.
            transform, strength: as for `common.transforms.affine_map`.
        """
        self._passes = 2 * len(self._widths) - 1
        moments = Moments()
        kept = self._encoded(image, [None] * (len(self._widths) - 1) + [moments])
        x = kept.pop()
        for level in range(len(self._widths) - 1, 0, -1):
            self._fold(level, affine_map(moments.statistics, style[level], transform, strength))
            above = (kept.pop(), 2) if level > 1 else (image, self._strides[1])
            moments = Moments()
            x = self._kept(level - 1, image, self._decode[level], self._strides[level], 2, moments, (x, 1), above)
        self._fold(0, affine_map(moments.statistics, style[0], transform, strength))
        stride = self._strides[0]
        for rows, part in self._strips(self._decode[0], stride, stride, (x, 1), (image, stride)):
            yield rows, part[0]

    def _encoded(self, image, moments):
        """Features of levels 1 and deeper; what is not None in `moments`, by level, takes them in."""
        kept = []
        for level in range(1, len(self._widths)):
            source = (kept[-1], 2) if kept else (image, self._strides[1])
            kept.append(self._kept(level, image, self._encode[level], self._strides[level], 1, moments[level], source))
        return kept

    def _kept(self, level, image, function, coarse, scale, moments, *sources):
        """The feature of `level` that `function` makes of its sources, strip by strip; the rest as for `_strips`."""
        stride = self._strides[level]
        size = image.height // stride, image.width // stride, self._widths[level]
        # At most four features are there at a time.
        result = Rows(*size, scratch=np.prod(size) * BYTES > self._memory / 4)
        for rows, part in self._strips(function, coarse, scale, *sources):
            result[rows] = part
            if moments:
                moments.add(part)
        return result

    def _strips(self, function, coarse, scale, *sources):
        """Yield what `function` makes of overlapping strips of its sources, as slices of rows and their content.

        Args:
            coarse: stride of the coarser grid that `function` works on.
            scale: rows of its output for each row of that grid.
            sources: pairs of `Rows` or `Pixels`, and their rows for each row of that grid.
        """
        height = sources[0][0].height // sources[0][1]
        numbers = max(source.width * source.channels * rows for source, rows in sources)
        strip = max(HALO, STRIP_NUMBERS // numbers)
        for start in range(0, height, strip):
            stop = min(start + strip, height)
            top, bottom = max(start - HALO, 0), min(stop + HALO, height)
            parts = (source[top * rows : bottom * rows] for source, rows in sources)
            result = ops.convert_to_numpy(function(*parts))
            yield slice(start * scale, stop * scale), result[:, (start - top) * scale : (stop - top) * scale]
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
    """`function` of float32 `(1, height, width, channels)` arrays, compiled once for all sizes where the backend can."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    graph = []

    def call(*parts):
        if not graph:
            specs = [tf.TensorSpec((1, None, None, part.shape[-1]), tf.float32) for part in parts]
            graph.append(tf.function(function).get_concrete_function(*specs))
        return graph[0](*(tf.convert_to_tensor(part) for part in parts))

    return call
