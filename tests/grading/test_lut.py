"""3D LUTs: exact where they should be, smooth and rising where a photo needs it."""

import numpy as np
import pytest

from common.grading import lut


@pytest.fixture
def wild(rng):
    """A LUT far from the identity."""
    return rng.random((6, 6, 6, 3), np.float32)


@pytest.mark.parametrize("shape", [(256, 3), (16, 16, 3), (1, 1, 3), (200, 170, 3)])
def test_the_identity_changes_no_byte(shape, rng):
    pixels = rng.integers(0, 256, shape, np.uint8)
    np.testing.assert_array_equal(lut.apply(lut.identity(9), pixels), pixels)


def test_nodes_are_hit_and_the_middle_of_a_cell_is_the_mean_of_its_corners(wild):
    np.testing.assert_allclose(lut.apply(wild, lut.identity(6)), wild, atol=1e-6)
    middle = np.array([[2.5, 0.5, 4.5]], np.float32) / 5
    np.testing.assert_allclose(lut.apply(wild, middle)[0], wild[2:4, 0:2, 4:6].mean((0, 1, 2)), atol=1e-6)


def test_a_matrix_is_reproduced_exactly(rng):
    matrix = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0, 0.3, 0.7]], np.float32)
    pixels = rng.random((3 * lut.STRIP // 2, 3), np.float32)  # more than a strip
    np.testing.assert_allclose(lut.apply(lut.identity(5) @ matrix.T, pixels), pixels @ matrix.T, atol=1e-5)
    assert lut.roughness(lut.identity(5) @ matrix.T) < 1e-6


def test_bytes_are_what_floats_round_to_or_next_to_it(wild, rng):
    pixels = rng.integers(0, 256, (500, 3), np.uint8)
    floats = lut.apply(wild, pixels.astype(np.float32) / 255)
    assert np.abs(lut.apply(wild, pixels) - 255 * floats).max() <= 0.6


def test_results_are_clipped():
    pixels = np.array([[0, 0, 0], [255, 255, 255]], np.uint8)
    np.testing.assert_array_equal(lut.apply(3 * lut.identity(3) - 1, pixels), pixels)


def test_mixing_is_linear(wild):
    np.testing.assert_allclose(lut.mix(wild, 0), lut.identity(6))
    np.testing.assert_allclose(lut.mix(wild, 1), wild, atol=1e-6)
    np.testing.assert_allclose(lut.mix(wild, 0.25), 0.75 * lut.identity(6) + 0.25 * wild, atol=1e-6)


def test_a_falling_ramp_is_seen_and_mended():
    negative = 1 - lut.identity(9)
    assert lut.falls(negative) == 1
    assert lut.falls(lut.rising(negative)) == 0


def test_a_rising_ramp_is_left_as_it_is():
    bright = np.sqrt(lut.identity(9))
    assert lut.rising(bright) is bright


def test_many_wild_luts_end_up_rising(rng):
    for _ in range(20):
        nodes = lut.identity(9) + rng.normal(0, 0.15, (9, 9, 9, 3)).astype(np.float32)
        assert lut.falls(lut.rising(nodes)) == 0


def test_a_sky_stays_as_smooth_as_its_lut():
    """No step of a gradient of a level a pixel is much wider than another, in any channel."""
    sky = np.linspace([0.3, 0.5, 0.8], [0.6, 0.75, 0.95], 77, dtype=np.float32)
    steps = np.diff(lut.apply(lut.identity(9) ** 0.8, sky), axis=0)
    assert (steps > 0).all()
    assert (steps.max(axis=0) < 1.3 * steps.min(axis=0)).all()
