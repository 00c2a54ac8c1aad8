"""The graded truth as a loss: what a student makes of pairs whose right answer is known, through the look, against it.

The transfer and the look are those of `common.transfer`, once more in Keras, with gradients.
"""

import numpy as np
from keras import ops

from common.distillation.losses import Loss
from common.grading.colour import cie94, rgb_to_lab
from common.network.autoencoder import high_frequencies
from common.network.coarse_to_fine import coarse_to_fine
from common.transfer.look import (
    BINS,
    BLUR,
    LARGEST_GAIN,
    LUMA,
    MAP_BLUR,
    NOTHING_KNOWN,
    RIDGE,
    blur_matrix,
    grid_size,
    nearest,
    neighbours,
)

# Pixels to a cell of the look: photos of 384 pixels have as many in the default grid.
CELL = 8


# --- transfer ------------------------------------------------------------------------------------------------------------


def transferred(model, images, features, style_features):
    """What `model` makes of images at full strength, clipped to [0, 1]; features are its own, level 0 first."""
    skips = [high_frequencies(x) for x in (images, *features[:-1])]
    decoded = coarse_to_fine(model, features, skips, lambda level, x: whitened_and_coloured(x, style_features[level]))
    return ops.clip(decoded, 0, 1)


def whitened_and_coloured(content, style):
    """Features `(batch, height, width, channels)`, each with the statistics of its style's: `transforms.zca`."""
    (centred, _, whiten), (_, mean, colour) = (with_root(feature) for feature in (content, style))
    matrix = ops.matmul(colour, ops.linalg.inv(whiten))
    return ops.einsum("bhwc,bdc->bhwd", centred, matrix) + mean


def with_root(feature):
    """A feature less its mean, that mean, and the root of its covariance plus the identity."""
    mean = ops.mean(feature, axis=(1, 2), keepdims=True)
    centred = feature - mean
    pixels = feature.shape[1] * feature.shape[2]
    covariance = ops.einsum("bhwc,bhwd->bcd", centred, centred) / pixels
    return centred, mean, square_root(covariance + np.eye(feature.shape[-1], dtype=np.float32))


@ops.custom_gradient
def square_root(matrix):
    """The root of symmetric positive definite matrices `(batch, n, n)`.

    Its differential X solves R X + X R = dM; that is stable where eigenvalues are equal, as the gradient of an
    eigendecomposition is not.
    """
    values, vectors = ops.linalg.eigh(matrix)
    roots, transposed = ops.sqrt(values), ops.swapaxes(vectors, 1, 2)

    def gradient(*arguments, upstream=None):
        upstream = arguments[0] if upstream is None else upstream
        turned = ops.matmul(transposed, ops.matmul(upstream, vectors)) / (roots[:, :, None] + roots[:, None])
        return ops.matmul(vectors, ops.matmul(turned, transposed))

    return ops.matmul(vectors * roots[:, None], transposed), gradient


# --- look ----------------------------------------------------------------------------------------------------------------


def through_look(content, result, cells):
    """What the look of `cells` that is fitted to make `result` of `content` makes of it: `Look.fit` and `apply` in one.

    Args:
        content, result: `(batch, height, width, 3)` in [0, 1].
    """
    sizes = content.shape[1:3]
    axes = list(zip(sizes, grid_size(*sizes, cells), strict=True))
    colours = ops.pad(content, ((0, 0), (0, 0), (0, 0), (0, 1)), constant_values=1.0)
    luma = ops.matmul(content, LUMA[:, None]) * (BINS - 1)
    near = ops.relu(1 - ops.abs(luma - np.arange(BINS, dtype=np.float32)))
    terms = near[..., None] * colours[..., None, :]
    others = ops.concatenate([colours, result], axis=-1)
    products = terms[..., None] * others[..., None, None, :]
    sums = blurred(along(products, [to_cells(*axis) for axis in axes]), BLUR)
    weight = sums[..., 3:, 3:4] + NOTHING_KNOWN
    maps = blurred(solve(sums) * weight, MAP_BLUR) / blurred(weight, MAP_BLUR)
    maps = along(maps, [from_cells(*axis) for axis in axes])
    return ops.clip(ops.einsum("bhwki,bhwkic->bhwc", terms, maps), 0, 1)


def along(x, matrices):
    """`x` multiplied by a matrix along axis 1, by the next along axis 2, and so on."""
    for axis, matrix in enumerate(matrices, 1):
        x = ops.moveaxis(ops.tensordot(matrix.astype(np.float32), x, (1, axis)), 0, axis)
    return x


def blurred(grid, deviations):
    """As `common.transfer.look.blurred`, of a batch."""
    in_space, in_luma = deviations
    both = zip(grid.shape[1:4], (in_space, in_space, in_luma), strict=True)
    return along(grid, [blur_matrix(size, deviation) for size, deviation in both])


def to_cells(size, cells):
    """`(cells, size)`: what sums up the pixels nearest to each grid line."""
    result = np.zeros((cells, size))
    for row, pixels in zip(result, nearest(size, cells), strict=True):
        row[pixels] = 1
    return result


def from_cells(size, cells):
    """`(size, cells)`: what interpolates between grid lines."""
    before, share = neighbours(size, cells)
    result, pixels = np.zeros((size, cells)), np.arange(size)
    result[pixels, before] = 1 - share
    result[pixels, before + 1] = share
    return result


def solve(sums):
    """As `common.transfer.look.solve`."""
    count, of_content, of_result = sums[..., 3, 3], ops.sum(sums[..., 3, :3], -1), ops.sum(sums[..., 3, 4:], -1)
    gain = ops.clip((of_result + NOTHING_KNOWN) / (of_content + NOTHING_KNOWN), 0, LARGEST_GAIN)
    pull = (RIDGE * count)[..., None, None]
    slopes, identity = (np.diag(np.float32(values)) for values in ((1, 1, 1, 0), (1, 1, 1, 1)))
    left = sums[..., :4] + pull * slopes + NOTHING_KNOWN * identity
    right = sums[..., 4:] + (pull * gain[..., None, None] * slopes + NOTHING_KNOWN * identity)[..., :3]
    return ops.linalg.solve(left, right)


# --- loss ----------------------------------------------------------------------------------------------------------------


def truth(seen):
    """Mean CIE94 difference between results and right answers; the batch is of `common.distillation.graded_pairs`."""
    contents, _, answers = ops.split(seen.images, 3)
    of_contents, of_styles = zip(*(ops.split(feature, 3)[:2] for feature in seen.features), strict=True)
    results = transferred(seen.model, contents, of_contents, of_styles)
    looked = through_look(contents, results, max(contents.shape[1:3]) // CELL)
    return ops.mean(cie94(rgb_to_lab(looked), rgb_to_lab(answers)))


LOSSES = {"truth": Loss(truth, frozenset({"decoder", "graded"}), deepest=True)}
