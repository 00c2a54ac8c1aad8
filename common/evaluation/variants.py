"""Other ways to carry a style over than the default, and where they lie on the chart: docs/balance.md."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from common.transfer.look_fitter import LookFitter
from common.transfer.transforms import (
    Statistics,
    adain,
    affine_map,
    matrix_power,
    ot,
    shrinkage,
    statistics,
    towards_diagonal,
    zca,
)


class Variant(NamedTuple):
    """What differs from the default.

    Attributes:
        transform: `(content covariance, style covariance)` to the matrix that carries one over to the other.
        measure: a feature `(height, width, channels)` to its `Statistics`, of both photos.
        levels: factors of the strength, level 0 first.
        grid: arguments of `common.transfer.look.Look.fit`.
    """

    transform: Callable = zca
    measure: Callable = statistics
    levels: tuple = (1.0, 1.0, 1.0, 1.0)
    grid: Mapping = MappingProxyType({})


def with_identity(weight, relative=False):
    """Whitening and colouring that adds `weight` times the identity to covariances, or times it and their mean variance."""

    def transform(content, style):
        parts = [c + weight * (np.trace(c) / len(c) if relative else 1) * np.eye(len(c)) for c in (content, style)]
        return matrix_power(parts[1], 0.5) @ matrix_power(parts[0], -0.5)

    return transform


def with_correlations(share):
    """`zca` of covariances of which so much of all that is off the diagonal is left."""
    return lambda content, style: zca(towards_diagonal(content, share), towards_diagonal(style, share))


def shrunk(feature, alike=16):
    """`Statistics` with the covariance drawn to its diagonal, the more the fewer pixels there are for its channels.

    Args:
        alike: neighbouring pixels that tell as much as one.
    """
    mean, covariance = statistics(feature)
    height, width, channels = feature.shape
    share = channels / (channels + height * width / alike)
    return Statistics(mean, towards_diagonal(covariance, 1 - share))


def at_several_scales(feature, halvings=3):
    """`Statistics` with the mean of the covariances of a feature and of its halved copies."""
    feature = np.asarray(feature)
    mean, covariance = statistics(feature)
    covariances = [covariance]
    for _ in range(halvings):
        height, width = (side // 2 * 2 for side in feature.shape[:2])
        if min(height, width) < 4:
            break
        feature = feature[:height, :width].reshape(height // 2, 2, width // 2, 2, -1).mean(axis=(1, 3))
        covariances.append(statistics(feature).covariance)
    return Statistics(mean, np.mean(covariances, axis=0))


VARIANTS = {
    "zca": Variant(),  # the default without a grade; not with one
    "ot": Variant(ot),
    "adain": Variant(adain),
    "identity-0.1": Variant(with_identity(0.1)),
    "identity-4": Variant(with_identity(4)),
    "relative-identity": Variant(with_identity(0.01, relative=True)),
    "correlations-0.75": Variant(with_correlations(0.75)),
    "shrinkage": Variant(shrinkage),
    "correlations-0.25": Variant(with_correlations(0.25)),
    "shrunk": Variant(measure=shrunk),
    "several-scales": Variant(measure=at_several_scales),
    "without-level-0": Variant(levels=(0, 1, 1, 1)),
    "without-level-3": Variant(levels=(1, 1, 1, 0)),
    "level-0": Variant(levels=(1, 0, 0, 0)),
    "level-3": Variant(levels=(0, 0, 0, 1)),
    "levels-0-1": Variant(levels=(1, 1, 0, 0)),
    "coarse-strong": Variant(levels=(0.4, 0.6, 0.8, 1)),
    "fine-strong": Variant(levels=(1, 0.8, 0.6, 0.4)),
    "cells-16": Variant(grid={"cells": 16}),
    "cells-96": Variant(grid={"cells": 96}),
    "bins-2": Variant(grid={"bins": 2}),
    "bins-8": Variant(grid={"bins": 8}),
}


class VariantFitter(LookFitter):
    """Looks of a `Variant`; arguments as of `LookFitter`."""

    def __init__(self, network_pass, variant, grade):
        super().__init__(network_pass, variant.transform, grade)
        self.variant, self.measure = variant, variant.measure

    def restyled(self, copy, style, strength):
        def transfer(share):
            def before(level, feature):
                feature = np.asarray(feature)
                measured = self.measure(feature[0])
                factor = share * self.variant.levels[level]
                return affine_map(measured, style.statistics[level], self.transform, factor)(feature)

            return before

        return self.network_pass.restyle(copy, strength, transfer)

    def look(self, pixels, style, strength, **grid):
        """As of `LookFitter`; more of the grid's arguments are the variant's."""
        return super().look(pixels, style, strength, **self.variant.grid, **grid)
