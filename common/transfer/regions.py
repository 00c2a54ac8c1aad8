"""Regions: parts of a photo that are measured, restyled and fitted each by itself, and blended softly."""

from dataclasses import dataclass

import cv2
import numpy as np

from common.photos import IMAGE_CHANNELS
from common.photos.masks import resized
from common.transfer.look import Look
from common.transfer.style import Style
from common.transfer.transforms import Statistics, affine_map, statistics

# A region of n pixels of a feature with c channels counts n / (n + SHRINKAGE * c), the whole photo the rest: to be known, a
# covariance takes some times as many pixels as it has rows.
SHRINKAGE = 4.0
# Softness of the borders between regions, as a share of the longer side, where none is asked for.
FEATHER = 0.04
# Largest weight of a region that is not there.
NOTHING = 1e-3
# Of the guided filter that makes masks follow the content's edges.
EDGE_EPSILON = 0.0005 * 255**2


@dataclass(frozen=True)
class RegionalStyle:
    """A style for each region of a photo.

    Attributes:
        whole: of all of it, for what has no region.
        parts: by the name of the region.
    """

    whole: Style
    parts: dict[str, Style]


@dataclass(frozen=True)
class RegionalLook:
    """A look for each region of a photo, blended by soft masks; for photos of the same framing, of any size.

    Attributes:
        looks: `Look`s.
        masks: `(regions, height, width)` float32 of a copy, summing to 1 at every pixel.
    """

    looks: list[Look]
    masks: np.ndarray

    def recolour(self, pixels: np.ndarray) -> np.ndarray:
        """As `Look.recolour`."""
        height, width = pixels.shape[:2]
        result = np.zeros(pixels.shape, np.float32)
        for look, mask in zip(self.looks, self.masks, strict=True):
            result += look.recolour(pixels) * resized(mask, height, width)[..., None]
        return (result + 0.5).astype(np.uint8) if pixels.dtype == np.uint8 else result.astype(pixels.dtype)


def partition(masks, height, width):
    """Masks of regions as weights that sum to 1 at every pixel, `(regions + 1, height, width)`: the last is of what is left.

    Args:
        masks: `(h, w)` each, of any size, in [0, 1].
    """
    weights = np.stack([resized(mask, height, width) for mask in masks])
    rest = np.clip(1 - weights.sum(axis=0), 0, 1)
    weights = np.concatenate([weights, rest[None]])
    return weights / weights.sum(axis=0)


def softened(weights, content, feather=FEATHER):
    """Weights of regions made soft along the content's edges, so that a coarse mask does not show.

    Args:
        weights: `(regions, height, width)`.
        content: float32 `(height, width, 3)` in [0, 1].
        feather: softness, as a share of the longer side.
    """
    radius = max(1, round(feather * max(content.shape)))
    guide = np.round(255 * content).astype(np.uint8)  # of floats OpenCV's filter sees no edges
    soft = np.zeros(weights.shape, np.float32)
    for index, weight in enumerate(weights):
        if weight.any():
            soft[index] = cv2.ximgproc.guidedFilter(guide, weight.astype(np.float32), radius, EDGE_EPSILON)
    soft = np.clip(soft, 0, None)
    return soft / np.maximum(soft.sum(axis=0), np.finfo(np.float32).tiny)


def region_statistics(feature, weight):
    """`Statistics` of the part of a feature that a mask covers, drawn to those of all of it where the part is small.

    Args:
        feature: `(height, width, channels)`.
        weight: `(height, width)` in [0, 1], of any size.
    """
    feature = np.asarray(feature)
    whole = statistics(feature)
    weight = resized(weight, *feature.shape[:2])
    pixels = weight.sum(dtype=np.float64)
    share = pixels / (pixels + SHRINKAGE * feature.shape[-1])
    if not pixels:
        return whole
    there = weight > 0
    x, weight = feature[there] - whole.mean.astype(feature.dtype), weight[there]
    mean = (weight @ x).astype(np.float64) / pixels
    covariance = ((x * weight[:, None]).T @ x).astype(np.float64) / pixels - np.outer(mean, mean)
    return Statistics(whole.mean + share * mean, share * covariance + (1 - share) * whole.covariance)


def transferring_regions(styles, weights, transform, strength):
    """What carries a style over to each region: a function for `common.network.coarse_to_fine.coarse_to_fine`.

    Args:
        styles: for each region `Statistics` by level.
        weights: `(regions, height, width)`, of the image.
        transform, strength: as of `common.transfer.transforms.transferring`.

    Returns:
        `(level, feature) -> feature`: the maps of all regions, blended by the weights at the feature's size.
    """

    def transferred(level, feature):
        feature = np.asarray(feature)
        height, width = feature.shape[1:3]
        result = np.zeros_like(feature)
        for style, weight in zip(styles, weights, strict=True):
            small = resized(weight, height, width)
            rows = np.flatnonzero(small.any(axis=1))
            if len(rows):
                mapping = affine_map(region_statistics(feature[0], small), style[level], transform, strength)
                part = slice(rows[0], rows[-1] + 1)
                result[:, part] += small[part, :, None] * mapping(feature[:, part])
        return result

    return transferred


def assigned(style, regions, content, feather):
    """The regions that there are: their styles, and their soft weights `(regions, height, width)`, which sum to 1.

    Args:
        style: `RegionalStyle`, or the `Style` of all regions.
        regions: masks by name; what they leave is a region more, of the whole style.
        content: float32 `(height, width, 3)` in [0, 1].
    """
    if isinstance(style, RegionalStyle):
        styles = [*(style.parts.get(name, style.whole) for name in regions), style.whole]
    else:
        styles = [style] * (len(regions) + 1)
    weights = softened(partition(regions.values(), *content.shape[:2]), content, feather)
    there = [index for index, weight in enumerate(weights) if weight.max() > NOTHING]
    return [styles[index] for index in there], weights[there].astype(np.float32)


def pixels_under(pixels, mask):
    """The pixels of a region as a square picture, in their order, for what measures colours alone.

    Args:
        pixels: `(height, width, 3)`.
        mask: `(h, w)` of any size; a region of fewer pixels than one row of a copy counts as the whole photo.
    """
    chosen = pixels[resized(mask, *pixels.shape[:2]) > 0.5]
    side = int(np.sqrt(len(chosen)))
    return chosen[: side * side].reshape(side, side, IMAGE_CHANNELS) if side >= 8 else pixels


def masked(content, result, mask):
    """The result where a mask is white, the content to the last bit where it is black, in between a mixture.

    Args:
        content, result: `(height, width, 3)` of one type.
        mask: `(h, w)` in [0, 1], of any size.
    """
    mask = resized(mask, *content.shape[:2])[..., None]
    mixed = content + mask * (result.astype(np.float32) - content)
    if content.dtype == np.uint8:
        mixed = np.round(mixed)
    return np.where(mask > 0, mixed.clip(0, 255 if content.dtype == np.uint8 else 1), content).astype(content.dtype)


def feathered(mask, share):
    """A mask that rises from 0 at its border inwards, over `share` of its longer side; it covers no pixel more."""
    reach = share * max(mask.shape)
    if reach < 1:
        return mask
    inside = cv2.distanceTransform((mask > 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return mask * np.clip(inside / reach, 0, 1)
