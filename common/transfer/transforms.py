"""Feature statistics, and the transforms that carry one feature's statistics to another's.

Every transform ends as one affine map a level, x -> A (x - content mean) + style mean, so applying a style is a plain
feed-forward pass. Matrices are as wide as a feature (64 for the students, 512 at most): their roots are taken by NumPy in
float64, where that costs milliseconds.
"""

from typing import NamedTuple

import numpy as np

# Eigenvalues at or below this are dropped before a root is taken, as in the paper's code.
SMALLEST_EIGENVALUE = 1e-5
# Added to a variance before adain divides by its root.
ADAIN_EPSILON = 1e-8
# Of the covariances between channels, what `shrinkage` leaves.
CORRELATIONS_LEFT = 0.5
# Steps to a barycentre of covariances, at most, and the change, as a share of the trace, that ends them.
BARYCENTRE_STEPS, BARYCENTRE_CHANGE = 50, 1e-7


class Statistics(NamedTuple):
    """Mean `(channels,)` and covariance `(channels, channels)` of a feature over its pixels, float64."""

    mean: np.ndarray
    covariance: np.ndarray


class AffineMap(NamedTuple):
    """x -> matrix @ x + offset on every pixel; `(channels, channels)` and `(channels,)`."""

    matrix: np.ndarray
    offset: np.ndarray

    def __call__(self, feature):
        """The map applied to `feature`, an array `(batch, height, width, channels)`."""
        return feature @ self.matrix.T.astype(feature.dtype) + self.offset.astype(feature.dtype)


def statistics(feature):
    """`Statistics` of a feature `(height, width, channels)`.

    Activations lie so far from zero that in squares about zero float32 would lose the digits that whitening then magnifies:
    they are taken about the mean of the first row.
    """
    feature = np.asarray(feature)
    centre = feature[0].mean(axis=0)
    pixels = (feature - centre).reshape(-1, feature.shape[-1])
    ones = np.ones(len(pixels), pixels.dtype)  # a product is several times as fast as `mean` along a long axis
    mean = (ones @ pixels).astype(np.float64) / len(pixels)
    squares = (pixels.T @ pixels).astype(np.float64) / len(pixels)
    return Statistics(centre + mean, squares - np.outer(mean, mean))


def matrix_power(matrix, exponent):
    """A power of a symmetric positive semi-definite matrix, over its eigenvalues above `SMALLEST_EIGENVALUE`."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > SMALLEST_EIGENVALUE
    return (vectors[:, kept] * values[kept] ** exponent) @ vectors[:, kept].T


def barycentre(covariances, weights):
    """The covariance of the Gaussian that is nearest to Gaussians of these covariances, by optimal transport.

    Its mean is the mean of theirs. The fixed point of K = K^-1/2 (sum of w_i (K^1/2 K_i K^1/2)^1/2)^2 K^-1/2
    (Alvarez-Esteban, del Barrio, Cuesta-Albertos & Matran 2016, theorem 4.2). A mean of covariances would be wider than
    either of two styles that differ in direction.

    Args:
        covariances: `(styles, channels, channels)`.
        weights: `(styles,)`, summing to 1.
    """
    floor = SMALLEST_EIGENVALUE * np.eye(covariances.shape[-1])
    result = np.einsum("s,scd->cd", weights, covariances) + floor
    for _ in range(BARYCENTRE_STEPS):
        root, inverse = matrix_power(result, 0.5), matrix_power(result, -0.5)
        mean = sum(w * matrix_power(root @ (k + floor) @ root, 0.5) for w, k in zip(weights, covariances, strict=True))
        before, result = result, inverse @ mean @ mean @ inverse
        if np.abs(result - before).max() <= BARYCENTRE_CHANGE * np.trace(result):
            break
    return result - floor


def zca(content, style):
    """Whitening and colouring (WCT, Li et al. 2017): (K_s + I)^1/2 (K_c + I)^-1/2."""
    identity = np.eye(len(content))
    return matrix_power(style + identity, 0.5) @ matrix_power(content + identity, -0.5)


def ot(content, style):
    """Optimal transport between Gaussians: P^-1 (P K_s P + I)^1/2 P^-1 with P = (K_c + I)^1/2.

    As in the paper's code, the identity joins the content's covariance and the product, not the style's covariance.
    """
    identity = np.eye(len(content))
    root = matrix_power(content + identity, 0.5)
    inverse = matrix_power(content + identity, -0.5)
    return inverse @ matrix_power(root @ style @ root + identity, 0.5) @ inverse


def adain(content, style):
    """Channel by channel, without correlations (Huang & Belongie 2017): diag(sigma_s / sigma_c)."""
    return np.diag(np.sqrt((np.diag(style) + ADAIN_EPSILON) / (np.diag(content) + ADAIN_EPSILON)))


def towards_diagonal(covariance, share):
    """A covariance of which so much of all that is off the diagonal is left."""
    return share * covariance + (1 - share) * np.diag(np.diag(covariance))


def shrinkage(content, style):
    """`zca` of covariances shrunk halfway to their diagonals: fewer glows at the same style (docs/balance.md)."""
    return zca(towards_diagonal(content, CORRELATIONS_LEFT), towards_diagonal(style, CORRELATIONS_LEFT))


TRANSFORMS = {"zca": zca, "ot": ot, "adain": adain, "shrinkage": shrinkage}


def affine_map(content, style, transform="zca", strength=1.0):
    """The map that gives a feature of `content` statistics those of `style`.

    Args:
        content, style: `Statistics` of equal width.
        transform: a key of `TRANSFORMS`, or a function like those there.
        strength: 0 leaves the feature as it is, 1 transforms it fully; in between, a linear blend of both.
    """
    carry_over = TRANSFORMS.get(transform, transform)
    matrix = strength * carry_over(content.covariance, style.covariance)
    offset = strength * style.mean - matrix @ content.mean
    return AffineMap(matrix + (1 - strength) * np.eye(len(matrix)), offset)


def transferring(style, transform="zca", strength=1.0, content=None):
    """What carries a style over, level by level: a function for `common.network.coarse_to_fine.coarse_to_fine`.

    Args:
        style: `Statistics` by level, 0 first.
        transform, strength: as of `affine_map`, at each level.
        content: `Statistics` by level that were measured elsewhere; None: each feature's own.

    Returns:
        `(level, feature) -> feature`, of features `(1, height, width, channels)`.
    """

    def transferred(level, feature):
        feature = np.asarray(feature)
        measured = statistics(feature[0]) if content is None else content[level]
        return affine_map(measured, style[level], transform, strength)(feature)

    return transferred
