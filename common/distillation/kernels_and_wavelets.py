"""Comparing features of any widths by the kernels of their pixels, and images or features by their Haar wavelets.

Global kernel alignment: Jin et al., Teachers Do More Than Teach (CVPR 2021). Wavelets in distillation: Zhang et al., Wavelet
Knowledge Distillation (CVPR 2022).
"""

from keras import ops

from common.distillation.losses import Loss

LEVELS = 3
# Added below the bar of an alignment, so that a feature of zeros has one.
SMALLEST_NORM = 1e-12
# Detail bands with a shorter side, in pixels, say little about a feature.
SHORTEST_SIDE = 8


def gka(x, y):
    """Global kernel alignment, in [0, 1], of features `(batch, height, width, channels)` of equal size and any widths.

    |Y'X|^2 / (|X'X| |Y'Y|), Frobenius norms, rows of X and Y being pixels; nothing is centred. It is 1 where one feature is
    the other rotated and scaled, channels being axes.
    """
    x, y = rows(x), rows(y)
    count = ops.cast(ops.shape(x)[0], "float32")  # first divided by: sums over many pixels are large
    across = squared_norm(ops.matmul(ops.transpose(y), x / count))
    within = squared_norm(ops.matmul(ops.transpose(x), x / count)) * squared_norm(ops.matmul(ops.transpose(y), y / count))
    return across / ops.sqrt(within + SMALLEST_NORM**2)


def rows(x):
    """A feature as a float32 matrix, a row for each pixel of each image."""
    return ops.reshape(ops.cast(x, "float32"), (-1, x.shape[-1]))


def squared_norm(matrix):
    """The square of a matrix's Frobenius norm."""
    return ops.sum(ops.square(matrix))


def haar(x):
    """One level of the orthonormal Haar transform of `(batch, height, width, channels)`.

    An odd height or width is first made even by a row or column of zeros.

    Returns:
        The low band, and the three detail bands as a list, each of half the height and width.
    """
    x = ops.pad(x, ((0, 0), (0, x.shape[1] % 2), (0, x.shape[2] % 2), (0, 0)))
    a, b = x[:, ::2, ::2], x[:, ::2, 1::2]
    c, d = x[:, 1::2, ::2], x[:, 1::2, 1::2]
    return (a + b + c + d) / 2, [(a + b - c - d) / 2, (a - b + c - d) / 2, (a - b - c + d) / 2]


def details(x, levels=LEVELS):
    """The detail bands of so many levels, finest first, the three of a level stacked along the height.

    There are fewer levels where the low band comes down to a single pixel.
    """
    result = []
    while len(result) < levels and min(x.shape[1:3]) > 1:
        x, bands = haar(x)
        result.append(ops.concatenate(bands, axis=1))
    return result


def wavelet_distance(x, y, levels=LEVELS):
    """Mean absolute difference of detail bands, summed over levels; low bands do not count."""
    return sum(ops.mean(ops.abs(bands)) for bands in details(x - y, levels))


def wavelet_alignments(x, y, levels=LEVELS):
    """`gka` of the detail bands of two features, by level, where bands have sides of `SHORTEST_SIDE` pixels or more."""
    pairs = zip(details(x, levels), details(y, levels), strict=True)
    return [gka(a, b) for a, b in pairs if min(a.shape[1] // 3, a.shape[2]) >= SHORTEST_SIDE]


def wavelet_loss(seen):
    """Detail bands of the image that is decoded from a level against those of the image."""
    return wavelet_distance(seen.reconstructed, seen.images)


def gka_loss(seen):
    """How far the student's feature is from being aligned with the teacher's, from 0 to 1; no eigenbasis is asked for."""
    return 1 - gka(seen.features[seen.level], seen.taught[seen.level])


LOSSES = {
    "wavelet": Loss(wavelet_loss, frozenset({"decoder"})),
    "gka": Loss(gka_loss, frozenset({"teacher"})),
}
