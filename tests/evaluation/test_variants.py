"""Variants of the transfer are what their names say, and the default is the default."""

import numpy as np
import pytest
from PIL import Image

from common.commands import compare
from common.evaluation.methods import network, settings_of
from common.evaluation.variants import VARIANTS, Variant, VariantFitter, at_several_scales, shrunk
from common.network.registry import load_network
from common.transfer.network_pass import SIZE, NetworkPass
from common.transfer.stylizer import Stylizer
from common.transfer.transforms import statistics, zca


@pytest.fixture(scope="module")
def model():
    return load_network("mobilenet")


@pytest.fixture
def photos(rng):
    def smooth(low, high):
        small = Image.fromarray(rng.integers(low, high, (6, 8, 3), np.uint8))
        return np.array(small.resize((96, 64), Image.Resampling.BICUBIC))

    return smooth(60, 200), smooth(10, 120)


@pytest.fixture
def covariances(rng):
    return [np.cov(rng.normal(size=(5, 50)) * np.arange(1, 6)[:, None]) for _ in range(2)]


def test_the_variant_that_changes_nothing_is_the_stylizer(model, photos):
    content, style = photos
    fitter = VariantFitter(NetworkPass(model, SIZE, "pad"), Variant(), 0.0)
    stylizer = Stylizer(model)
    result = fitter.look(content, fitter.style(style), 0.7).recolour(content)
    np.testing.assert_array_equal(result, stylizer.apply(content, stylizer.analyze(style), 0.7))


@pytest.mark.parametrize("transform", ["zca", "ot", "adain", "shrinkage"])
def test_a_variant_by_a_transform_is_the_stylizer_of_that(model, photos, transform):
    content, style = photos
    stylizer = Stylizer(model, transform)
    expected = stylizer.apply(content, stylizer.analyze(style))
    np.testing.assert_array_equal(network(model, f"look+{transform}")(content, style)(1.0), expected)


@pytest.mark.parametrize("variant", [name for name in VARIANTS if name != "zca"])
def test_every_variant_makes_another_picture_than_the_default(model, photos, variant):
    content, style = photos
    result = network(model, f"look+{variant}")(content, style)(1.0)
    assert (result.shape, result.dtype) == (content.shape, content.dtype)
    assert not np.array_equal(result, network(model, "look")(content, style)(1.0))


def test_a_variant_is_mixed_with_the_grade(model, photos):
    content, style = photos
    alone, graded = (network(model, f"{finish}+level-3")(content, style)(1.0) for finish in ("look", "0.25"))
    grade = network(model, "grade")(content, style)(1.0)
    np.testing.assert_allclose(graded, 0.75 * alone.astype(float) + 0.25 * grade, atol=1.5)


def test_levels_without_strength_are_left_as_they_are(model, photos):
    content, style = photos
    fitter = VariantFitter(NetworkPass(model, SIZE, "pad"), Variant(levels=(0, 0, 0, 0)), 0.0)
    copy = fitter.network_pass.copy(content)
    plain = fitter.network_pass.restyle(copy, 0, lambda share: lambda level, feature: feature)
    np.testing.assert_allclose(fitter.restyled(copy, fitter.style(style), 1.0), plain, atol=1e-4)


def test_identity_and_correlations_are_what_they_are_called(covariances):
    content, style = covariances
    for variant in ("relative-identity", "identity-0.1"):
        matrix = VARIANTS[variant].transform(content, style)
        exact = np.linalg.norm(matrix @ content @ matrix.T - style)
        assert exact < np.linalg.norm(zca(content, style) @ content @ zca(content, style).T - style)
    matrix = VARIANTS["shrinkage"].transform(content, style)
    halved = [(c + np.diag(np.diag(c))) / 2 for c in covariances]
    np.testing.assert_allclose(matrix, zca(*halved))


def test_a_covariance_of_few_pixels_is_drawn_to_its_diagonal(rng):
    few, many = (rng.normal(size=(side, side, 6)).cumsum(axis=-1) for side in (8, 400))
    for feature, left in ((few, 64 / 16 / (6 + 64 / 16)), (many, 10_000 / 10_006)):
        plain, measured = statistics(feature), shrunk(feature)
        np.testing.assert_array_equal(measured.mean, plain.mean)
        np.testing.assert_allclose(np.diag(measured.covariance), np.diag(plain.covariance))
        np.testing.assert_allclose(measured.covariance[0, 1:], left * plain.covariance[0, 1:])


def test_at_several_scales_coarse_structure_counts_more(rng):
    grain = rng.normal(size=(64, 64, 1))
    steps = np.kron(rng.normal(size=(8, 8, 1)), np.ones((8, 8, 1)))
    variance = [at_several_scales(x).covariance.item() / statistics(x).covariance.item() for x in (grain, steps)]
    assert variance[1] == pytest.approx(1)
    assert variance[0] == pytest.approx((1 + 1 / 4 + 1 / 16 + 1 / 64) / 4, rel=0.1)


@pytest.mark.parametrize("finish", ["look+none", "guided+adain", "look+", "paper+ot", "2+adain"])
def test_what_has_no_variant_is_told(finish, capsys):
    with pytest.raises(ValueError, match=r"variant|from 0 to 1"):
        settings_of(finish)
    with pytest.raises(SystemExit):
        compare.command_parser().parse_args(["pairs", "-o", "report", "--models", f"mobilenet@{finish}"])
    assert "one of" in capsys.readouterr().err
