"""Edge-preserving smoothing of a result by its content photo: the guided filter (He et al. 2013)."""

import cv2
import numpy as np

RADIUS = 30  # pixels
EPSILON = (0.02 * 255) ** 2  # for pixels in [0, 255]


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
