"""Style transfer of a photo of any size in little memory, with the result of the whole photo at once.

The networks run block by block over strips of rows that overlap by what a block sees beyond its output. What lies between
two blocks is kept, in memory or in scratch files. So nothing but the overlaps is computed twice, the working set is small
enough to be used again and again, and the statistics of a level are complete before its transform is applied. A strip is
made of a broad piece, and of narrow ones at the photo's border.
"""

import collections
import itertools
import tempfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from common.compiled_blocks import CompiledAutoencoder, Window
from common.transforms import affine_map, pooled

# Numbers in a strip of the finer grid of the block at each level: few enough for little memory, enough for the overlaps not
# to weigh. At the deep levels they weigh more, and less is kept.
STRIP_NUMBERS = (1_500_000, 1_500_000, 3_500_000, 3_500_000)
# What kept features are made of, by precision. Half of it takes half the memory; on the paper's five pairs the released and
# our own students' results, before smoothing, agree to 62 dB and more with those in full.
PRECISIONS = {"half": "float16", "full": "float32"}
# Strips under way at a time: a good part of the layers keep no more than one core busy.
AHEAD = 3


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


class StreamedAutoencoder:
    """An `Autoencoder` that takes photos strip by strip.

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
        self._blocks = CompiledAutoencoder(model, self._dtype, pixels)

    def analyze(self, image):
        """Statistics of each level's feature of `image`, `common.images.PaddedPixels`."""
        self._passes = len(self._widths) - 1
        self._room = Room(self._memory)
        _, measured = self._encoded(image, [self._blocks.shallow, *self._blocks.encode[1:]], last=True)
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
        kept, (*_, measured) = self._encoded(image, self._blocks.encode)
        x = kept.pop()
        for level in range(len(self._widths) - 1, 0, -1):
            self._blocks.fold(level, affine_map(measured, style[level], transform, strength))
            above = kept.pop() if level > 1 else image
            x, (measured,) = self._kept(level - 1, image, self._blocks.decode[level], x, above, last=True)
        self._blocks.fold(0, affine_map(measured, style[0], transform, strength))
        for rows, pixels, _ in self._strips(self._blocks.decode[0], x, image, last=True):
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
        strip = max(
            margin, STRIP_NUMBERS[block.level] // max(width * each.scale**2 * each.channels for each in block.inputs)
        )
        sides = []
        if min(size) > 2 * margin:
            strips = slices(0, *range(margin, height - margin, strip), height - margin, height)
            left, middle, right = slices(0, margin, width - margin, width)
            sides = [Window(slice(0, height), columns) for columns in (left, right)]
        else:
            strips, middle = slices(*range(0, height, strip), height), slice(0, width)

        windows = [*sides, *(Window(rows, middle) for rows in strips)]
        pieces = ahead(self._pool, (block.call(window, size, sources) for window in windows))
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


def slices(*ends):
    """Slices from each of `ends` to the next."""
    return [slice(*pair) for pair in itertools.pairwise(ends)]


def ahead(pool, calls):
    """Yield what each of `calls`, a function and its arguments, gives, in their order; `pool` computes some ahead."""
    under_way = collections.deque()
    for call in calls:
        under_way.append(pool.submit(*call))
        if len(under_way) == AHEAD:
            yield under_way.popleft().result()
    while under_way:
        yield under_way.popleft().result()
