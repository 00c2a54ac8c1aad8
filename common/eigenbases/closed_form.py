"""Global eigenbases (section 3.2 of the paper): the subspace of each teacher feature that a student has to learn.

A basis E is `(teacher width, student width)`. It keeps as much as it can of the variance of the teacher's feature F over all
photos, F being centred on each photo's own mean, because that mean is the style's to replace. So only one matrix a level
matters: the mean over photos of the covariance of F, `(teacher width, teacher width)`. Its leading eigenvectors are the best
basis there is; `GradientEigenbases` comes to the same subspace by the paper's longer road.
"""

import numpy as np
from scipy.fft import dct

# Share of the variance below which a direction is taken for empty.
NEGLIGIBLE = 1e-6


def leading_eigenvectors(covariance, width):
    """The orthonormal basis `(channels, width)` that explains most variance, by falling eigenvalue; float64.

    The sign of an eigenvector is arbitrary; here its entry of largest magnitude is positive. Where the feature has fewer
    directions than the basis, as a student with dead channels has, the basis is turned within its span, so that every
    channel of the student to come has something to carry.
    """
    values, vectors = np.linalg.eigh(covariance)
    vectors = vectors[:, ::-1][:, :width]
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    basis = vectors * np.sign(largest)
    return dct(basis, axis=1, norm="ortho") if values[-width] < NEGLIGIBLE * values.sum() else basis


def explained_curve(covariance):
    """Share of variance that the best basis of each width, 1 to channels, explains: `(channels,)`, rising to 1."""
    cumulative = np.linalg.eigvalsh(covariance)[::-1].clip(min=0).cumsum()
    return cumulative / cumulative[-1]


def width_explaining(curve, share):
    """The smallest width whose share in `curve`, as `explained_curve` gives it, is at least `share`."""
    return min(int(np.searchsorted(curve, share)) + 1, len(curve))


def explained_variance(covariance, eigenbasis):
    """Share of variance within the span of `eigenbasis`, `(channels, width)`, orthonormal or not.

    No student's feature can explain more with this basis.
    """
    eigenbasis = np.asarray(eigenbasis, np.float64)
    projection = eigenbasis @ np.linalg.pinv(eigenbasis)
    return np.sum(projection * covariance) / np.trace(covariance)
