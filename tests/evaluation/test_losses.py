"""Content and style losses are those of their formulas."""

import numpy as np
import pytest

from common.evaluation.losses import content_loss, features_of, gram_loss, losses, moments_loss
from mobilenet_backbone import student


@pytest.fixture
def features(rng):
    """Two features of 6 positions and 2 channels."""
    return rng.random((6, 2)), rng.random((6, 2))


def test_the_content_loss_is_the_mean_squared_difference(features):
    first, second = features
    assert content_loss(first, second) == pytest.approx(((first - second) ** 2).sum() / 12)
    assert content_loss(first, first) == 0


def test_the_gram_loss_is_that_of_johnson(features):
    """Of the sum of products over positions, divided by channels and positions, every entry counts."""
    first, second = features
    expected = 0
    for one in range(2):
        for other in range(2):
            grams = [sum(feature[position, one] * feature[position, other] for position in range(6)) for feature in features]
            expected += ((grams[0] - grams[1]) / (2 * 6)) ** 2
    assert gram_loss(first, second) == pytest.approx(expected)


def test_the_gram_loss_does_not_see_how_large_a_photo_is(features):
    first, second = features
    assert gram_loss(first, np.concatenate([second, second])) == pytest.approx(gram_loss(first, second))


def test_the_loss_of_moments_is_of_means_and_deviations():
    first = np.array([(0.0, 1.0), (2.0, 1.0)])  # means 1 and 1, deviations 1 and 0
    second = np.array([(4.0, 1.0), (4.0, 5.0)])  # means 4 and 3, deviations 0 and 2
    assert moments_loss(first, second) == pytest.approx((9 + 4) / 2 + (1 + 4) / 2)


def test_content_is_judged_by_the_deepest_level_and_style_by_all(features, rng):
    result, style, content = ([rng.random((6, 2)), rng.random((3, 4))] for _ in range(3))
    found = losses(result, content, style)
    assert found.content == content_loss(result[1], content[1])
    assert found.gram == gram_loss(result[0], style[0]) + gram_loss(result[1], style[1])
    assert found.moments == moments_loss(result[0], style[0]) + moments_loss(result[1], style[1])


def test_features_are_those_of_all_levels(rng):
    model = student.build()
    photo = rng.integers(0, 256, (32, 48, 3), np.uint8)
    found = features_of(model, photo)
    expected, _ = model.encode(photo[None].astype(np.float32) / 255)
    assert [feature.shape for feature in found] == [(16 * 24, 10), (8 * 12, 19), (4 * 6, 37), (2 * 3, 54)]
    np.testing.assert_allclose(found[1][13], np.asarray(expected[1])[0, 1, 1])  # the second row's second
