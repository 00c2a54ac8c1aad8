"""A look: the result of a style transfer as a small grid of colour maps, mixed with one map for the whole photo.

The guided filter fits, around each pixel, an affine map from the content's colours to the result's. Those maps vary slowly,
so a coarse grid of them, over the photo and over the content's luma, holds all that a filtered result is (bilateral grid:
Chen, Paris & Durand 2007; affine maps in it: Chen, Adams, Wadhwa & Hasinoff, "Bilateral guided upsampling", 2016). It is
fitted on a small copy of a photo and applied to any number of pixels: no pixel's neighbours have a part in it, so edges stay
where they are.
"""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from common import array_files
from common.errors import InputError
from common.grading import lut as luts
from common.grading import lut_fit
from common.photos import Photo, as_floats, pixels_of, recoloured, shrink_to_side

# The grid and its fit, chosen by the table in docs/looks.md.
CELLS = 48  # on the longer side
BINS = 4  # of luma
BLUR = (1.0, 1.0)  # of the sums: standard deviations in cells and in bins
MAP_BLUR = (1.3, 0.5)  # of the fitted maps, as the guided filter averages its own
RIDGE = 2e-3  # pull towards a plain gain, as a share of the pixels in a cell
LARGEST_GAIN = 1.5  # without a bound it would explode where the content is black
# Pull towards the identity, in pixels; it decides only where there are none.
NOTHING_KNOWN = 1e-6
# Weights of red, green and blue in luma (ITU-R BT.601).
LUMA = np.float32((0.299, 0.587, 0.114))
# Rows that are recoloured at a time: few enough for the processor's cache.
STRIP = 16
# Longer side, in pixels, of the copy that a LUT is fitted on.
LUT_SIDE = 512
# Of the file: its kind, and the version of its layout.
KIND, VERSION = "look", 2


@dataclass(frozen=True)
class Look:
    """A grid of affine colour maps, a grade, or a mixture of what both give.

    Attributes:
        grid: None, or `(rows, columns, bins, 4, 3)` float32. `(red, green, blue, 1) @ grid[y, x, b]` is the new colour, of
            colours in [0, 1]. The first and last row, column and bin lie on the first and last pixel of the photo, and on
            luma 0 and 1. Between them maps are interpolated linearly.
        lut: None, or a grade for the whole photo, a 3D LUT `(n, n, n, 3)` float32 as `common.grading.lut` has them.
        grade: what share of the result is the grade's, from 0 to 1; 0 needs no `lut`, 1 no `grid`.
    """

    grid: np.ndarray | None
    lut: np.ndarray | None = None
    grade: float = 0.0

    @classmethod
    def fit(cls, content, result, weight=None, cells=CELLS, bins=BINS, blur=BLUR, map_blur=MAP_BLUR, ridge=RIDGE):
        """The look that makes `result` of `content`, by least squares in every cell.

        Args:
            content, result: `(height, width, 3)` floats in [0, 1].
            weight: `(height, width)`, how much each pixel counts; None: all alike.
            cells: of the grid on the photo's longer side.
            bins: of luma.
            blur, map_blur: standard deviations, in cells and in bins, of the Gaussians that blur the sums before the maps
                are solved for, and the maps themselves.
            ridge: how strongly slopes are drawn to the cell's gain (mean of the result over mean of the content, at most
                `LARGEST_GAIN`), as a share of its pixels.
        """
        rows, columns = grid_size(*content.shape[:2], cells)
        sums = blurred(splat(content, result, weight, rows, columns, bins), blur)
        count = sums[..., 3, 3]
        return cls(averaged(solve(sums, ridge), count, map_blur).astype(np.float32))

    def apply(self, photo: Photo) -> Image.Image | np.ndarray:
        """The photo in this look.

        Args:
            photo: a path, a PIL image, or an array `(height, width, 3)` of uint8 or of floats in [0, 1]; of any size.

        Returns:
            An array of the photo's type for an array, else a PIL image with the photo's alpha and ICC profile.

        Raises:
            InputError: the photo cannot be used.
        """
        return recoloured(photo, self.recolour)

    def recolour(self, pixels: np.ndarray) -> np.ndarray:
        """As `apply`, of an array that is known to be sound."""
        if self.grade == 0:
            return self._mapped(pixels)
        graded = luts.apply(self.lut, pixels).astype(pixels.dtype, copy=False)
        if self.grade == 1:
            return graded
        return cv2.addWeighted(graded, self.grade, self._mapped(pixels), 1 - self.grade, 0)

    def _mapped(self, pixels):
        """What the grid makes of pixels."""
        height, width = pixels.shape[:2]
        rows, columns, bins = self.grid.shape[:3]
        below, down = neighbours(height, rows)
        left, right = neighbours(width, columns)
        ends = np.searchsorted(left, np.arange(columns))
        # Between two columns of the grid a map is linear: a constant part, and one that grows with `right`.
        maps = self.grid.reshape(rows, columns, 4 * bins, 3)
        maps = np.concatenate([maps[:, :-1], np.diff(maps, axis=1)], axis=2).swapaxes(2, 3)
        result = np.empty_like(pixels)
        scale = 255 if pixels.dtype == np.uint8 else 1

        def recolour_strip(start):
            strip = slice(start, start + STRIP)
            row, share = below[strip], down[strip, None, None, None]
            of_rows = maps[row] + share * (maps[row + 1] - maps[row])
            terms = np.empty((len(row), 2, 4 * bins, width), np.float32)
            terms[:, 0] = colour_terms(pixels[strip], bins)
            np.multiply(terms[:, 0], right, out=terms[:, 1])
            terms = terms.reshape(len(row), 8 * bins, width)
            colours = np.empty((len(row), 3, width), np.float32)
            for column in range(columns - 1):
                part = slice(ends[column], ends[column + 1])
                np.matmul(of_rows[:, column], terms[:, :, part], out=colours[:, :, part])
            np.clip(colours, 0, 1, out=colours)
            if scale > 1:
                colours *= scale
                colours += 0.5  # truncated as it becomes bytes, that rounds
            result[strip] = colours.swapaxes(1, 2)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(recolour_strip, range(0, height, STRIP)))
        return result

    def as_lut(self, photo: Photo, size: int = 33) -> np.ndarray:
        """The look as one map of colours for the whole photo: exact for the grade alone, else as near as one can come.

        Args:
            photo: the one that the look is of; as for `apply`.
            size: nodes a side, one more than a multiple of 8.

        Returns:
            `(size, size, size, 3)` float32 in [0, 1], as `common.grading.cube.write_cube` takes it.
        """
        if self.grade == 1:
            return np.clip(lut_fit.resampled(self.lut, size), 0, 1).astype(np.float32)
        copy = as_floats(shrink_to_side(pixels_of(photo), LUT_SIDE))
        return lut_fit.fit(copy, self.recolour(copy), size)

    def save(self, path: str | Path) -> None:
        """Write to `path`, a `.npz` file of some 250 kilobytes that holds `grid`, `lut` and `grade`."""
        arrays = {name: array for name, array in (("grid", self.grid), ("lut", self.lut)) if array is not None}
        array_files.write(path, KIND, VERSION, arrays | {"grade": np.float64(self.grade)})

    @classmethod
    def load(cls, path: str | Path) -> "Look":
        """The look that `save` wrote.

        Raises:
            InputError: there is no such file, or it holds no look.
        """
        arrays = array_files.read_kind(path, KIND, VERSION)
        grade = 0.0
        if "grade" in arrays:
            grade = float(array_files.require_array(path, arrays, "grade", (), np.float64))
        if not 0 <= grade <= 1:
            raise InputError(f"{path}: grade is {grade} but must be from 0 to 1")
        grid, lut = None, None
        if grade < 1 or "grid" in arrays:
            grid = array_files.require_array(path, arrays, "grid", (None, None, None, 4, 3), np.float32)
            if min(grid.shape[:3]) < 2:
                raise InputError(f"{path}: grid has shape {grid.shape} but must have two rows, columns and bins at least")
        if grade > 0 or "lut" in arrays:
            lut = array_files.require_array(path, arrays, "lut", (None, None, None, 3), np.float32)
            if len(set(lut.shape[:3])) > 1 or not 2 <= len(lut) <= luts.LARGEST_SIZE:
                raise InputError(f"{path}: lut has shape {lut.shape} but must be a cube of 2 to {luts.LARGEST_SIZE} nodes")
        return cls(grid, lut, grade)


def grid_size(height, width, cells):
    """Rows and columns of nearly square cells, `cells` on the longer side."""
    longer = max(height, width)
    return tuple(max(2, round(cells * side / longer)) for side in (height, width))


def grid_positions(size, cells):
    """Where each of `size` pixels lies, from grid line 0 to `cells - 1`."""
    return np.arange(size) * ((cells - 1) / max(size - 1, 1))


def neighbours(size, cells):
    """For each of `size` pixels the grid line before it, and how far it is on to the next, from 0 to 1."""
    positions = grid_positions(size, cells)
    before = np.minimum(positions.astype(int), cells - 2)
    return before, (positions - before).astype(np.float32)


def colour_terms(pixels, bins):
    """What the maps are multiplied with: (red, green, blue, 1), weighted for each bin by how near the luma is to it.

    Args:
        pixels: `(height, width, 3)`, uint8 or floats in [0, 1].

    Returns:
        `(height, 4 * bins, width)` float32.
    """
    height, width = pixels.shape[:2]
    colours = np.ones((height, 4, width), np.float32)
    scale = np.float32(1 / 255 if pixels.dtype == np.uint8 else 1)
    np.multiply(pixels.swapaxes(1, 2), scale, out=colours[:, :3], casting="same_kind")
    luma = LUMA[0] * colours[:, 0]
    luma += LUMA[1] * colours[:, 1]
    luma += LUMA[2] * colours[:, 2]
    luma *= bins - 1
    result = np.empty((height, bins, 4, width), np.float32)
    for index in range(bins):
        near = np.abs(luma - index)
        near = np.maximum(np.subtract(1, near, out=near), 0, out=near)
        np.multiply(colours, near[:, None], out=result[:, index])
    return result.reshape(height, 4 * bins, width)


def splat(content, result, weight, rows, columns, bins):
    """Sums over the pixels of each cell and bin: products of (red, green, blue, 1) with itself and with the result.

    Returns:
        `(rows, columns, bins, 4, 7)` float64; a pixel counts in the nearest cell, and in the two bins around its luma.
    """
    height, width = content.shape[:2]
    terms = colour_terms(content, bins)
    if weight is not None:
        terms *= weight.astype(np.float32)[:, None]
    other = np.concatenate([content, np.ones((height, width, 1)), result], axis=2, dtype=np.float32)
    sums = np.zeros((rows, columns, 4 * bins, 7))
    for y, of_rows in enumerate(nearest(height, rows)):
        for x, of_columns in enumerate(nearest(width, columns)):
            axes = (0, 2), (0, 1)
            sums[y, x] = np.tensordot(terms[of_rows, :, of_columns], other[of_rows, of_columns], axes)
    return sums.reshape(rows, columns, bins, 4, 7)


def nearest(size, cells):
    """For each grid line a slice of the pixels, of `size`, that are nearer to it than to any other."""
    starts = np.searchsorted(grid_positions(size, cells), np.arange(cells) - 0.5)
    return [slice(*ends) for ends in itertools.pairwise([*starts, size])]


def solve(sums, ridge):
    """The maps `(..., 4, 3)` that fit sums `(..., 4, 7)` best, their slopes drawn to each cell's gain."""
    count, of_content, of_result = sums[..., 3, 3], sums[..., 3, :3].sum(-1), sums[..., 3, 4:].sum(-1)
    gain = np.clip((of_result + NOTHING_KNOWN) / (of_content + NOTHING_KNOWN), 0, LARGEST_GAIN)
    pull = ridge * count
    slopes, identity = np.diag((1.0, 1, 1, 0)), np.eye(4)
    left = sums[..., :4] + pull[..., None, None] * slopes + NOTHING_KNOWN * identity
    right = sums[..., 4:] + ((pull * gain)[..., None, None] * slopes + NOTHING_KNOWN * identity)[..., :3]
    return np.linalg.solve(left, right)


def averaged(maps, count, deviations):
    """Maps blurred over the grid, each counting as much as the pixels it was fitted to."""
    weight = (count + NOTHING_KNOWN)[..., None, None]
    return blurred(maps * weight, deviations) / blurred(weight, deviations)


def blurred(grid, deviations):
    """A grid `(rows, columns, bins, ...)` blurred by Gaussians; deviations in cells and in bins, edges repeated."""
    in_space, in_luma = deviations
    for axis, deviation in enumerate((in_space, in_space, in_luma)):
        grid = np.moveaxis(np.tensordot(blur_matrix(grid.shape[axis], deviation), grid, (1, axis)), 0, axis)
    return grid


def blur_matrix(size, deviation):
    """`(size, size)`: what multiplies `size` numbers to blur them, as far as four deviations; the last number repeated."""
    reach = int(np.ceil(4 * deviation))
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / max(deviation, NOTHING_KNOWN)) ** 2)
    result = np.zeros((size, size))
    for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
        result[np.arange(size), np.clip(np.arange(size) + offset, 0, size - 1)] += weight
    return result
