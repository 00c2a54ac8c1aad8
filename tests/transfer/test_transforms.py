"""Statistics and transforms against plain NumPy in float64 (paper, section 3; METHOD's formulas)."""

import numpy as np
import pytest

from common.transfer.transforms import TRANSFORMS, affine_map, statistics

CHANNELS = 6


def feature(rng, height=20, width=30):
    mixing = rng.normal(size=(CHANNELS, CHANNELS))
    return (rng.normal(size=(height, width, CHANNELS)) @ mixing + rng.normal(size=CHANNELS)).astype(np.float32)


def root(matrix, exponent=0.5):
    left, values, _ = np.linalg.svd(matrix)
    return left @ np.diag(values**exponent) @ left.T


def reference(transform, content, style):
    """The transform of `content` pixels, straight from its formula."""
    x, s = (a.reshape(-1, CHANNELS).astype(np.float64).T for a in (content, style))
    mean_c, mean_s = x.mean(1, keepdims=True), s.mean(1, keepdims=True)
    x, s = x - mean_c, s - mean_s
    content_covariance, style_covariance = x @ x.T / x.shape[1], s @ s.T / s.shape[1]
    identity = np.eye(CHANNELS)
    if transform == "shrinkage":
        content_covariance, style_covariance = (k * (1 + identity) / 2 for k in (content_covariance, style_covariance))
    if transform in ("zca", "shrinkage"):
        result = root(style_covariance + identity) @ root(content_covariance + identity, -0.5) @ x
    elif transform == "ot":
        p = root(content_covariance + identity)
        result = np.linalg.inv(p) @ root(p @ style_covariance @ p + identity) @ np.linalg.inv(p) @ x
    else:
        sigmas = [np.sqrt(np.diag(k)[:, None] + 1e-8) for k in (content_covariance, style_covariance)]
        result = x / sigmas[0] * sigmas[1]
    return (result + mean_s).T.reshape(content.shape)


def test_statistics_are_the_mean_and_the_biased_covariance(rng):
    x = feature(rng)
    measured = statistics(x)
    pixels = x.reshape(-1, CHANNELS)
    np.testing.assert_allclose(measured.mean, pixels.mean(0), atol=1e-5)
    np.testing.assert_allclose(measured.covariance, np.cov(pixels.T, bias=True), atol=1e-4)


def test_statistics_far_from_zero_keep_their_digits(rng):
    """Activations of some hundreds that vary by one: squares about zero would leave float32 three digits."""
    x = rng.normal(size=(40, 50, CHANNELS)).astype(np.float32) + np.float32(500)
    expected = np.cov(x.reshape(-1, CHANNELS).T.astype(np.float64), bias=True)
    np.testing.assert_allclose(statistics(x).covariance, expected, atol=1e-4)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_transform_agrees_with_its_formula(rng, transform):
    content, style = feature(rng), feature(rng, 25, 15)
    result = affine_map(statistics(content), statistics(style), transform)(content[None])[0]
    np.testing.assert_allclose(result, reference(transform, content, style), atol=1e-3)


def test_zca_gives_the_regularised_covariance_of_the_style(rng):
    content, style = statistics(feature(rng)), statistics(feature(rng))
    matrix = affine_map(content, style).matrix
    identity = np.eye(CHANNELS)
    np.testing.assert_allclose(matrix @ (content.covariance + identity) @ matrix.T, style.covariance + identity, atol=1e-8)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_a_dead_channel_stays_finite(rng, transform):
    content, style = feature(rng), feature(rng)
    content[..., 2] = 0
    result = affine_map(statistics(content), statistics(style), transform)(content[None])
    assert np.isfinite(result).all()


def test_strength_blends_between_the_feature_and_its_transform(rng):
    content, style = feature(rng), feature(rng)
    measured = statistics(content), statistics(style)
    none, half, full = (affine_map(*measured, strength=strength)(content[None]) for strength in (0, 0.5, 1))
    assert full.dtype == np.float32
    np.testing.assert_allclose(none[0], content, atol=1e-6)
    np.testing.assert_allclose(half, (none + full) / 2, atol=1e-4)


def test_each_image_of_a_batch_is_mapped_as_it_would_be_alone(rng):
    batch = np.stack([feature(rng), feature(rng)])
    mapping = affine_map(statistics(batch[0]), statistics(batch[1]))
    np.testing.assert_allclose(mapping(batch)[1], mapping(batch[1:])[0], atol=1e-5)
