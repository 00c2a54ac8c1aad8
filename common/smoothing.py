"""Edge-preserving smoothing of a result by its content photo."""

import os
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np

RADIUS = 30  # pixels
EPSILON = (0.02 * 255) ** 2  # for pixels in [0, 255]


# Rows filtered at once: OpenCV's filter takes some hundred bytes a pixel, and one core.
BAND = 256


def guided_filter(image, guide):
    """`image` filtered with `guide` (He et al. 2013), with the radius and epsilon of the paper's code.

    Args:
        image, guide: `(height, width, 3)`, of the same size; both uint8, or both float32 in [0, 1].

    Returns:
        An array of the same shape and type.
    """
    result = np.empty_like(image)

    def filter_band(start):
        # Coefficients and their means reach one radius each.
        top, bottom = max(start - 2 * RADIUS, 0), start + BAND + 2 * RADIUS
        band = filtered(image[top:bottom], guide[top:bottom])
        result[start : start + BAND] = band[start - top :][:BAND]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(filter_band, range(0, len(image), BAND)))
    return result


def filtered(image, guide):
    """OpenCV's guided filter of what `guided_filter` takes."""
    if image.dtype == np.uint8:
        return cv2.ximgproc.guidedFilter(guide, image, RADIUS, EPSILON)
    # It loses its precision on numbers as small as [0, 1].
    result = cv2.ximgproc.guidedFilter(guide * np.float32(255), image * np.float32(255), RADIUS, EPSILON)
    return np.clip(result / 255, 0, 1)
