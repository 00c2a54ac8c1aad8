"""The style between styles."""

import numpy as np
import pytest

from common.errors import InputError
from common.network.registry import load_network
from common.transfer import Style, Stylizer
from common.transfer.transforms import Statistics, barycentre, matrix_power


def covariance(rng, channels=6):
    root = rng.normal(size=(channels, channels))
    return root @ root.T


def test_where_directions_agree_deviations_are_averaged(rng):
    variances = rng.random((3, 5)) + 0.1
    weights = np.array([0.2, 0.3, 0.5])
    found = barycentre(np.stack([np.diag(v) for v in variances]), weights)
    np.testing.assert_allclose(found, np.diag((weights @ np.sqrt(variances)) ** 2), atol=1e-4)


def test_half_way_between_two_it_is_the_middle_of_the_transport(rng):
    """McCann's interpolation: (I/2 + T/2) K (I/2 + T/2), T the linear map from one Gaussian to the other."""
    first, second = covariance(rng), covariance(rng)
    root, inverse = matrix_power(first, 0.5), matrix_power(first, -0.5)
    half = (np.eye(6) + inverse @ matrix_power(root @ second @ root, 0.5) @ inverse) / 2
    np.testing.assert_allclose(barycentre(np.stack([first, second]), [0.5, 0.5]), half @ first @ half, atol=1e-3)


def test_a_weight_of_one_gives_the_style_itself(rng):
    first, second = covariance(rng), covariance(rng)
    np.testing.assert_allclose(barycentre(np.stack([first, second]), [0.0, 1.0]), second, atol=1e-4)


@pytest.fixture(scope="module")
def stylizer():
    return Stylizer(load_network("mobilenet"), grade=0.5)


@pytest.fixture
def styles(stylizer, rng):
    return [stylizer.analyze((rng.random((32, 40, 3)) ** power).astype(np.float32)) for power in (0.3, 3)]


def test_a_mixture_lies_between_its_styles(stylizer, styles, rng):
    content = rng.random((32, 32, 3)).astype(np.float32)
    ends = [stylizer.apply(content, style).mean() for style in styles]
    middle = stylizer.apply(content, Style.mix(styles, [1, 1])).mean()
    assert min(ends) < middle < max(ends)
    np.testing.assert_allclose(
        stylizer.apply(content, Style.mix(styles, [2, 0])), stylizer.apply(content, styles[0]), atol=2e-2
    )


def test_mixtures_can_be_mixed_and_saved(stylizer, styles, tmp_path):
    mixed = Style.mix([Style.mix(styles, [1, 3]), styles[0]], [1, 1])
    np.testing.assert_allclose(mixed.shares, [0.125, 0.375, 0.5])
    mixed.save(tmp_path / "mixed.npz")
    loaded = Style.load(tmp_path / "mixed.npz")
    np.testing.assert_array_equal(loaded.descriptors, mixed.descriptors)
    np.testing.assert_array_equal(loaded.statistics[3].covariance, mixed.statistics[3].covariance)


@pytest.mark.parametrize("weights", [[1], [1, -1], [0, 0], [1, float("nan")], []])
def test_weights_that_cannot_be_used_are_refused(styles, weights):
    with pytest.raises(InputError, match="to mix styles"):
        Style.mix(styles, weights)


def test_styles_of_different_networks_are_not_mixed(styles):
    other = Style((Statistics(np.zeros(2), np.eye(2)),), "another network")
    with pytest.raises(InputError, match="one network"):
        Style.mix([styles[0], other], [1, 1])
