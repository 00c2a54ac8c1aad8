"""Edge-preserving smoothing of a result by its content photo."""

import cv2
import numpy as np

RADIUS = 30  # pixels
EPSILON = 0.02**2  # for pixels in [0, 1]


def guided_filter(image, guide):
    """`image` filtered with `guide` (He et al. 2013), radius and epsilon as in the paper's code.

    Args:
        image, guide: `(height, width, 3)`, of the same size; both uint8, or both float32 in [0, 1].

    Returns:
        An array of the same shape and type.
    """
    peak = 255 if image.dtype == np.uint8 else 1
    return cv2.ximgproc.guidedFilter(guide, image, RADIUS, EPSILON * peak**2)
