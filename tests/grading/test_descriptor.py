"""What is measured of a photo's colours: the numbers it says, for any photo."""

import numpy as np
import pytest

from common.grading import descriptor

# Where parts of the statistics begin.
QUANTILES = 9
HISTOGRAM = QUANTILES + 6 * len(descriptor.QUANTILES)


def measured(photo):
    return descriptor.statistics(descriptor.copy(photo)[None])[0]


def test_mean_spread_and_quantiles_of_a_photo_half_black_half_white():
    photo = np.zeros((64, 64, 3), np.uint8)
    photo[:, 32:] = 255
    numbers = measured(photo)
    np.testing.assert_allclose(numbers[:3], [0.5, 0, 0], atol=1e-3)
    np.testing.assert_allclose(numbers[3:6], [0.5, 0, 0], atol=1e-3)
    lightness = numbers[QUANTILES : QUANTILES + len(descriptor.QUANTILES)]
    np.testing.assert_allclose(lightness, descriptor.QUANTILES >= 0.5, atol=1e-3)


def test_the_histogram_is_a_share_of_pixels():
    random = np.random.default_rng(0)
    numbers = measured(random.integers(0, 256, (64, 64, 3), np.uint8))
    assert np.square(numbers[HISTOGRAM:]).sum() == pytest.approx(1, abs=1e-4)


def test_order_of_pixels_does_not_matter(rng):
    photo = rng.integers(0, 256, (64, 64, 3), np.uint8)
    np.testing.assert_allclose(measured(photo)[:HISTOGRAM], measured(photo[::-1, ::-1])[:HISTOGRAM], atol=1e-4)


def test_bytes_and_floats_are_measured_alike(rng):
    photo = rng.integers(0, 256, (90, 70, 3), np.uint8)
    np.testing.assert_allclose(measured(photo), measured(photo.astype(np.float32) / 255), atol=0.02)


def test_a_transport_moves_mean_and_covariance(rng):
    content, style = (rng.random((1, 64, 64, 3), np.float32) @ rng.uniform(0, 0.5, (3, 3)) for _ in range(2))
    moments, goal = descriptor.moments(content), descriptor.moments(style)
    ((matrix, offset),) = ((each[:3], each[3]) for each in descriptor.transport(moments, goal))
    moved = descriptor.moments(content @ matrix + offset)
    np.testing.assert_allclose(moved, goal, atol=2e-3)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-5)  # Monge: a symmetric matrix moves colours least


@pytest.mark.parametrize("level", [0, 1])
def test_a_transport_to_the_same_moments_moves_nothing(rng, level):
    moments = descriptor.moments(level * rng.random((1, 64, 64, 3), np.float32))
    np.testing.assert_allclose(descriptor.transport(moments, moments)[0], np.eye(4, 3), atol=1e-4)


def test_a_photo_without_colour_can_be_transported(rng):
    grey, colour = np.full((1, 64, 64, 3), 0.5, np.float32), rng.random((1, 64, 64, 3), np.float32)
    for content, style in ((grey, colour), (colour, grey)):
        assert np.isfinite(descriptor.transport(descriptor.moments(content), descriptor.moments(style))).all()


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (2000, 3)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_any_photo_gives_finite_numbers_of_one_length(size, level):
    numbers = measured(np.full((*size, 3), level, np.uint8))
    assert numbers.shape == (descriptor.LENGTH,)
    assert numbers.dtype == np.float32
    assert np.isfinite(numbers).all()
