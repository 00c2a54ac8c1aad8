import numpy as np
import pytest

from common.grading import lut, lut_fit


@pytest.fixture
def content(rng):
    """Colours all over the cube, in [0, 1]."""
    return rng.random((40, 50, 3)).astype(np.float32)


@pytest.fixture
def grade(rng):
    """A smooth LUT that no affine map is."""
    nodes = lut.identity(5)
    return np.clip(nodes**1.4 + 0.1 * nodes[..., ::-1] * (1 - nodes), 0, 1)


def test_a_grade_comes_back(content, grade):
    found = lut_fit.fit(content, lut.apply(grade, content), 17)
    assert found.shape == (17, 17, 17, 3)
    np.testing.assert_allclose(lut.apply(found, content), lut.apply(grade, content), atol=0.02)


def test_more_nodes_are_the_same_map(content, grade):
    np.testing.assert_allclose(
        lut.apply(lut_fit.resampled(grade, 33).astype(np.float32), content), lut.apply(grade, content), atol=1e-5
    )


def test_unseen_colours_are_carried_on_smoothly(content):
    """Dark photos tell nothing of bright colours; half as bright stays half as bright."""
    dark = content / 3
    found = lut_fit.fit(dark, dark / 2, 17)
    np.testing.assert_allclose(lut.apply(found, content), content / 2, atol=0.06)


def test_it_is_smooth_within_bounds_and_its_grey_ramp_rises(content, rng):
    found = lut_fit.fit(content, 1.5 * (1 - content) * rng.random(content.shape).astype(np.float32))
    assert found.min() >= 0
    assert found.max() <= 1
    assert lut.falls(found) == 0
    assert lut.roughness(found) < 0.01


def test_a_photo_of_one_colour_is_fitted(content):
    grey = np.full((20, 20, 3), 0.5, np.float32)
    found = lut_fit.fit(grey, grey + np.float32((0.1, 0, -0.1)), 9)
    np.testing.assert_allclose(lut.apply(found, grey), grey + np.float32((0.1, 0, -0.1)), atol=0.02)
    assert np.isfinite(found).all()
