"""The guided filter against its definition (He et al. 2013, equations 14 to 16 for a colour guide)."""

import cv2
import numpy as np

from common.transfer.guided_filter import EPSILON, RADIUS, guided_filter


def reference(image, guide):
    """The filter in float64, written out."""

    def box(x):
        return cv2.blur(x, (2 * RADIUS + 1, 2 * RADIUS + 1), borderType=cv2.BORDER_REFLECT)

    image, guide = image.astype(float), guide.astype(float)
    mean = box(guide)
    covariance = np.empty((*guide.shape[:2], 3, 3))
    for i in range(3):
        for j in range(3):
            covariance[..., i, j] = box(guide[..., i] * guide[..., j]) - mean[..., i] * mean[..., j]
    result = np.empty_like(image)
    for channel in range(3):
        plane = image[..., channel]
        cross = np.stack([box(guide[..., i] * plane) - mean[..., i] * box(plane) for i in range(3)], axis=-1)
        slope = np.linalg.solve(covariance + EPSILON * np.eye(3), cross[..., None])[..., 0]
        intercept = box(plane) - (slope * mean).sum(-1)
        result[..., channel] = (box(slope) * guide).sum(-1) + box(intercept)
    return result


def test_bytes_and_floats_follow_the_definition(rng):
    guide = cv2.resize(rng.integers(0, 256, (9, 11, 3), np.uint8), (110, 90))
    image = np.clip(guide // 2 + rng.integers(0, 60, guide.shape), 0, 255).astype(np.uint8)
    expected = reference(image, guide)
    assert np.abs(guided_filter(image, guide) - expected).max() <= 0.51
    as_floats = guided_filter(*(pixels.astype(np.float32) / 255 for pixels in (image, guide)))
    assert np.abs(as_floats * 255 - expected).max() <= 0.01
