"""Edge-preserving smoothing of a result by its content photo, and enlarging it to the size of one."""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

RADIUS = 30  # pixels
EPSILON = (0.02 * 255) ** 2  # for pixels in [0, 255]
# Side in pixels of the tiles that are filtered, one a core: OpenCV's filter takes some hundred bytes a pixel.
TILE = 640


def guided_filter(image, guide):
    """`image` filtered with `guide` (He et al. 2013), with the radius and epsilon of the paper's code.

    Args:
        image, guide: `(height, width, 3)`, of the same size; both uint8, or both float32 in [0, 1].

    Returns:
        An array of the same shape and type.
    """
    result = np.empty_like(image)
    height, width = image.shape[:2]

    def filter_tile(corner):
        # Coefficients and their means reach one radius each.
        around = tuple(slice(max(start - 2 * RADIUS, 0), start + TILE + 2 * RADIUS) for start in corner)
        within = tuple(
            slice(start - wide.start, start - wide.start + TILE) for start, wide in zip(corner, around, strict=True)
        )
        result[tuple(slice(start, start + TILE) for start in corner)] = filtered(image[around], guide[around])[within]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(filter_tile, itertools.product(range(0, height, TILE), range(0, width, TILE))))
    return result


def filtered(image, guide):
    """OpenCV's guided filter of what `guided_filter` takes."""
    if image.dtype == np.uint8:
        return cv2.ximgproc.guidedFilter(guide, image, RADIUS, EPSILON)
    # It loses its precision on numbers as small as [0, 1].
    result = cv2.ximgproc.guidedFilter(guide * np.float32(255), image * np.float32(255), RADIUS, EPSILON)
    return np.clip(result / 255, 0, 1)


def enlarge(image, guide, full_guide):
    """`image` at the size of `full_guide`: what the guided filter fits to it at its own size, applied at the full one.

    Around every pixel the filter holds a linear map from the guide's colour to the image's (He et al. 2013, equation 16).
    These maps vary smoothly, so they can be enlarged where the image could not.

    Args:
        image, guide: `(height, width, 3)` float32 in [0, 1], small.
        full_guide: `(full height, full width, 3)`, float32 in [0, 1].

    Returns:
        An array of the shape of `full_guide`, float32 in [0, 1].
    """
    radius = max(1, round(RADIUS * len(guide) / len(full_guide)))

    def box(x):
        planes = x.reshape(*x.shape[:2], -1)
        return cv2.blur(planes, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT).reshape(x.shape)

    def covariance(x, y):
        return box(x[..., :, None] * y[..., None, :]) - box(x)[..., :, None] * box(y)[..., None, :]

    regularised = covariance(guide, guide) + np.eye(3, dtype=np.float32) * EPSILON / 255**2
    slopes = np.linalg.solve(regularised, covariance(guide, image))
    offsets = box(image) - np.einsum("hwi,hwio->hwo", box(guide), slopes)
    result = np.zeros_like(full_guide)
    size = full_guide.shape[1::-1]
    for channel in range(3):
        slope = cv2.resize(box(slopes[..., channel]), size)
        result[..., channel] = cv2.resize(box(offsets[..., channel]), size) + (slope * full_guide).sum(axis=-1)
    return np.clip(result, 0, 1, out=result)
