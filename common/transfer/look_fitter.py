"""Styles and looks: what the network measures and makes of a copy, and a predicted grade."""

import numpy as np

from common.grading import lut as luts
from common.grading.runtime import shipped_predictor
from common.photos import pad_to_multiple
from common.transfer.look import Look
from common.transfer.regions import (
    RegionalLook,
    RegionalStyle,
    assigned,
    pixels_under,
    region_statistics,
    transferring_regions,
)
from common.transfer.style import Style
from common.transfer.transforms import statistics, transferring


class LookFitter:
    """Styles and looks of one network, transform and grade.

    Args:
        network_pass: `common.transfer.network_pass.NetworkPass`.
        transform, grade: as of `common.transfer.Stylizer`.
    """

    measure = staticmethod(statistics)  # what is taken of a feature, `(height, width, channels)`

    def __init__(self, network_pass, transform, grade):
        self.network_pass, self.transform, self.grade = network_pass, transform, grade

    def style(self, pixels, regions=None):
        """The `Style` of a photo, with regions a `RegionalStyle`; regions as of `Stylizer.analyze`."""
        features, _ = self.network_pass.encode(self.network_pass.copy(pixels))

        def style_of(measured, seen):
            network = self.network_pass.network.fingerprint()
            return Style(tuple(measured), network, shipped_predictor().describe(seen)[None], np.ones(1))

        whole = style_of([self.measure(x[0]) for x in features], pixels)
        if regions is None:
            return whole
        parts = {
            name: style_of([region_statistics(x[0], mask) for x in features], pixels_under(pixels, mask))
            for name, mask in regions.items()
        }
        return RegionalStyle(whole, parts)

    def restyled(self, copy, style, strength):
        """What the network makes of a copy in a `Style`."""
        return self.network_pass.restyle(copy, strength, lambda share: transferring(style.statistics, self.transform, share))

    def look(self, pixels, style, strength, **grid_options):
        """The `Look` of a photo in a `Style`; `grid_options` as of `Look.fit`."""
        grid, lut = None, None
        if self.grade < 1:
            copy = self.network_pass.copy(pixels)
            grid = Look.fit(copy, self.restyled(copy, style, strength), **grid_options).grid
        if self.grade > 0:
            lut = self.lut(pixels, style, strength)
        return Look(grid, lut, self.grade)

    def regional_look(self, pixels, style, strength, regions, feather):
        """The `RegionalLook` of a photo; arguments as of `Stylizer.apply`."""
        copy = self.network_pass.copy(pixels)
        styles, weights = assigned(style, regions, copy, feather)
        grids, grades = [None] * len(styles), [None] * len(styles)
        if self.grade < 1:
            padded = [pad_to_multiple(weight, self.network_pass.stride) for weight in weights]
            measured = [of_region.statistics for of_region in styles]
            result = self.network_pass.restyle(
                copy, strength, lambda share: transferring_regions(measured, padded, self.transform, share)
            )
            grids = [Look.fit(copy, result, weight).grid for weight in weights]
        if self.grade > 0:
            pairs = zip(styles, weights, strict=True)
            grades = [self.lut(pixels_under(pixels, weight), of_region, strength) for of_region, weight in pairs]
        return RegionalLook([Look(*of_region, self.grade) for of_region in zip(grids, grades, strict=True)], weights)

    def lut(self, pixels, style, strength):
        """The predicted grade, a 3D LUT; of a mixed style, the mean of the grades of its photos."""
        predictor = shipped_predictor()
        content = predictor.describe(pixels)
        grades = [predictor.lut(content, descriptor) for descriptor in style.descriptors]
        return luts.mix(np.einsum("s,s...->...", style.shares.astype(np.float32), np.stack(grades)), strength)
