"""Content and style losses of a result in a teacher's features, as papers on style transfer state them.

Features are of one photo, `(positions, channels)` a level, level 0 first; all losses are 0 at best.
"""

from typing import NamedTuple

import numpy as np


class Losses(NamedTuple):
    """Losses of a result: of its content, and of its style by Gram matrices and by means and deviations."""

    content: float
    gram: float
    moments: float


def losses(result, content, style):
    """The `Losses` of a result; arguments are lists of features by level. Content is judged by the deepest."""
    levels = list(zip(result, style, strict=True))
    return Losses(
        content_loss(result[-1], content[-1]),
        sum(gram_loss(*level) for level in levels),
        sum(moments_loss(*level) for level in levels),
    )


def content_loss(feature, other):
    """Mean squared difference of two features of the same shape (Johnson et al. 2016, equation 2)."""
    return float(np.square(feature - other).mean())


def gram_loss(feature, other):
    """Squared Frobenius distance of the Gram matrices of two features (Johnson et al. 2016, equations 3 and 4)."""
    return float(np.square(gram(feature) - gram(other)).sum())


def gram(feature):
    """Gram matrix of a feature, `(channels, channels)`, divided by its channels and positions."""
    return feature.T @ feature / feature.size


def moments_loss(feature, other):
    """Mean squared difference of channel means, and of standard deviations, summed.

    After Huang & Belongie 2017, equation 13, who add norms; most implementations add squares.
    """
    return float(sum(np.square(m(feature, axis=0) - m(other, axis=0)).mean() for m in (np.mean, np.std)))


def features_of(teacher, photo):
    """Features of a uint8 photo by all levels that `teacher` has, float64 `(positions, channels)`."""
    features, _ = teacher.encode(photo[None].astype(np.float32) / 255)
    return [np.asarray(feature[0], np.float64).reshape(-1, feature.shape[-1]) for feature in features]
