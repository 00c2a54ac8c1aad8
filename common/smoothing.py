"""Edge-preserving smoothing of a result by its content photo, and enlarging it to the size of one.

Around every pixel the guided filter fits a linear map from the guide's colours to the image's, and gives what the mean of
the maps around a pixel makes of its guide (He et al. 2013, equations 14 to 16). The maps vary smoothly: they need not be
there at every pixel.
"""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

RADIUS = 30  # pixels
EPSILON = (0.02 * 255) ** 2  # for pixels in [0, 255]
# Side in pixels of the blocks that `fast_guided_filter` has a map for.
BLOCK = 4
# Side in pixels of the tiles that it takes, one a core; a multiple of `BLOCK`.
TILE = 640


def guided_filter(image, guide):
    """`image` filtered with `guide` (He et al. 2013), with the radius and epsilon of the paper's code.

    Args:
        image, guide: `(height, width, 3)`, of the same size; both uint8, or both float32 in [0, 1].

    Returns:
        An array of the same shape and type.
    """
    if image.dtype == np.uint8:
        return cv2.ximgproc.guidedFilter(guide, image, RADIUS, EPSILON)
    # OpenCV loses its precision on numbers as small as [0, 1].
    result = cv2.ximgproc.guidedFilter(guide * np.float32(255), image * np.float32(255), RADIUS, EPSILON)
    return np.clip(result / 255, 0, 1)


def fast_guided_filter(image, guide):
    """`guided_filter` in a third of the time and little memory: 61 to 73 dB from it on the paper's pairs, in floats.

    Statistics are of all pixels, but taken around blocks (after He & Sun 2015), in windows of 60 instead of 61 pixels.
    """
    result = np.empty_like(image)
    side = 2 * round(RADIUS / BLOCK) - 1

    def filter_tile(corner):
        # Maps and their means reach one radius each; where maps are enlarged, they reach a block.
        around = tuple(slice(max(start - 2 * RADIUS, 0), start + TILE + 2 * RADIUS) for start in corner)
        inset = [start - wide.start for start, wide in zip(corner, around, strict=True)]
        nearby = tuple(slice(max(start - BLOCK, 0) // BLOCK, (start + TILE) // BLOCK + 1) for start in inset)
        height, width = image[around].shape[:2]
        edges = (0, -height % BLOCK, 0, -width % BLOCK, cv2.BORDER_REFLECT)
        padded = [cv2.copyMakeBorder(pixels[around], *edges) for pixels in (image, guide)]
        maps = [[plane[nearby] for plane in planes] for planes in linear_maps(*padded, side, BLOCK)]
        guide_nearby = padded[1][tuple(slice(blocks.start * BLOCK, blocks.stop * BLOCK) for blocks in nearby)]
        filtered = apply_maps(maps, guide_nearby, np.empty_like(guide_nearby))
        within = tuple(slice(start, start + TILE) for start in corner)
        tile = result[within]
        top, left = (start - blocks.start * BLOCK for start, blocks in zip(inset, nearby, strict=True))
        tile[:] = filtered[top : top + tile.shape[0], left : left + tile.shape[1]]

    height, width = image.shape[:2]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(filter_tile, itertools.product(range(0, height, TILE), range(0, width, TILE))))
    return result


def enlarge(image, guide, full_guide):
    """`image` at the size of `full_guide`: the maps that the guided filter fits at its own size, applied at the full one.

    Args:
        image, guide: `(height, width, 3)` float32 in [0, 1], small.
        full_guide: `(full height, full width, 3)`, float32 in [0, 1].

    Returns:
        An array of the shape of `full_guide`, float32 in [0, 1].
    """
    radius = max(1, round(RADIUS * len(guide) / len(full_guide)))
    return apply_maps(linear_maps(image, guide, 2 * radius + 1), full_guide, np.empty_like(full_guide))


def linear_maps(image, guide, side, block=1):
    """What the guided filter makes of `image` and `guide`: for each channel of the image three slopes and an offset.

    Args:
        image, guide: as for `guided_filter`; of `apply_maps` the guide takes any size.
        side: of the windows, in blocks.
        block: side of the blocks that statistics are taken of, in pixels; height and width are multiples of it.

    Returns:
        A list by channel of four planes, `(height / block, width / block)` float32.
    """
    size = image.shape[1] // block, image.shape[0] // block
    epsilon = EPSILON if image.dtype == np.uint8 else EPSILON / 255**2

    def box(plane):
        return cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT)

    def mean(plane):
        return box(cv2.resize(plane, size, interpolation=cv2.INTER_AREA))

    guides, planes = (cv2.split(pixels.astype(np.float32)) for pixels in (guide, image))
    means = [mean(plane) for plane in guides]
    rr, rg, rb, gg, gb, bb = (
        mean(guides[i] * guides[j]) - means[i] * means[j] + (epsilon if i == j else 0)
        for i, j in itertools.combinations_with_replacement(range(3), 2)
    )
    # The inverse of the covariance: adjugate, symmetric as it is, over determinant.
    first = gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb
    second = first[1], rr * bb - rb * rb, rb * rg - rr * gb
    adjugate = first, second, (first[2], second[2], rr * gg - rg * rg)
    determinant = rr * first[0] + rg * first[1] + rb * first[2]
    maps = []
    for plane in planes:
        plane_mean = mean(plane)
        cross = [mean(of_guide * plane) - its_mean * plane_mean for of_guide, its_mean in zip(guides, means, strict=True)]
        slopes = [sum(a * c for a, c in zip(row, cross, strict=True)) / determinant for row in adjugate]
        offset = plane_mean - sum(slope * its_mean for slope, its_mean in zip(slopes, means, strict=True))
        maps.append([box(each) for each in (*slopes, offset)])
    return maps


def apply_maps(maps, guide, result):
    """Fill `result`, of the shape of `guide`, with what `maps` of any size make of the guide; give it back."""
    size = guide.shape[1::-1]
    guides = cv2.split(guide.astype(np.float32))
    for channel, (*slopes, offset) in enumerate(maps):
        plane = cv2.resize(offset, size)
        for slope, of_guide in zip(slopes, guides, strict=True):
            plane += cv2.resize(slope, size) * of_guide
        if result.dtype == np.uint8:
            result[..., channel] = np.clip(np.rint(plane, out=plane), 0, 255, out=plane)
        else:
            result[..., channel] = np.clip(plane, 0, 1, out=plane)
    return result
