"""The guided filter against its definition (He et al. 2013, equations 14 to 16 for a colour guide)."""

import cv2
import numpy as np
import pytest

from common import smoothing
from common.smoothing import EPSILON, RADIUS, enlarge, fast_guided_filter, guided_filter


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


@pytest.mark.parametrize("size", [(700, 70), (97, 801)])
def test_the_fast_filter_gives_nearly_the_same(rng, size):
    guide = cv2.resize(rng.integers(0, 256, (size[0] // 9, size[1] // 9, 3), np.uint8), size[::-1])
    image = np.clip(guide // 2 + rng.integers(0, 60, guide.shape), 0, 255).astype(np.uint8)
    difference = fast_guided_filter(image, guide) - reference(image, guide)
    assert np.sqrt(np.mean(difference**2)) < 0.5
    as_floats = fast_guided_filter(*(pixels.astype(np.float32) / 255 for pixels in (image, guide)))
    assert np.abs(as_floats * 255 - fast_guided_filter(image, guide)).max() <= 0.51


def test_tiles_leave_no_seams(rng, monkeypatch):
    guide = cv2.resize(rng.integers(0, 256, (60, 30, 3), np.uint8), (211, 402))
    image = guide // 2 + 40
    whole = fast_guided_filter(image, guide).astype(int)
    monkeypatch.setattr(smoothing, "TILE", 64)
    assert np.abs(fast_guided_filter(image, guide) - whole).max() <= 1


def test_enlarging_to_the_same_size_is_the_guided_filter(rng):
    guide = cv2.resize(rng.random((9, 11, 3), np.float32), (110, 90)).clip(0, 1)
    image = (guide * 0.5 + rng.uniform(0, 0.2, guide.shape)).astype(np.float32)
    np.testing.assert_allclose(enlarge(image, guide, guide), guided_filter(image, guide), atol=0.01)


def test_enlarging_keeps_the_edges_of_the_full_guide(rng):
    full = np.repeat(np.repeat(rng.random((8, 8, 3), np.float32), 50, axis=0), 50, axis=1)
    small = cv2.resize(full, (100, 100), interpolation=cv2.INTER_AREA)
    enlarged = enlarge(1 - 0.7 * small, small, full)
    assert np.abs(enlarged - (1 - 0.7 * full)).mean() < 0.01
