"""CIELAB, its differences and LUTs with gradients agree with what others compute."""

import numpy as np
import pytest
from keras import ops
from skimage.color import deltaE_ciede94, rgb2lab

from common.grading import colour, lut


@pytest.fixture
def colours(rng):
    return rng.random((200, 3), np.float32)


def test_lab_is_scikit_images_and_comes_back(colours):
    lab = ops.convert_to_numpy(colour.rgb_to_lab(colours))
    np.testing.assert_allclose(lab, rgb2lab(colours), atol=0.05)  # white points differ in the fourth digit
    np.testing.assert_allclose(colour.lab_to_rgb(lab), colours, atol=1e-4)


def test_cie94_is_scikit_images_where_chroma_is_equal(rng):
    lab = np.float32([[50, 30, 40], [20, -10, 5], [80, 0, 25]])
    turned = lab * np.float32([0.9, 1, -1])  # of the same chroma
    np.testing.assert_allclose(colour.cie94(lab, turned), deltaE_ciede94(lab, turned), atol=1e-3)


def test_luts_are_applied_as_numpy_does(rng):
    tables = rng.random((2, 5, 5, 5, 3), np.float32)
    pixels = rng.random((2, 100, 3), np.float32)
    result = ops.convert_to_numpy(colour.apply_luts(tables, pixels))
    for table, some, graded in zip(tables, pixels, result, strict=True):
        np.testing.assert_allclose(graded, lut.apply(table, some), atol=1e-5)
