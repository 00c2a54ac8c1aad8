"""Channels: how they respond, in what order they go, and that dead ones change nothing."""

import numpy as np
import pytest

from adain import pruning


@pytest.fixture
def images(rng):
    return rng.random((3, 16, 24, 3), np.float32)


@pytest.fixture
def with_dead_channels(small):
    """Channels 2 and 5 are zero on every image."""
    layer = small.last_convolution
    kernel, bias = layer.get_weights()
    kernel[..., [2, 5]], bias[[2, 5]] = 0, -1
    layer.set_weights([kernel, bias])
    return small


def test_norms_are_those_of_the_feature(small, images):
    feature = np.asarray(small.encoder(images))
    expected = np.linalg.norm(feature.reshape(3, -1, 8), axis=1)
    np.testing.assert_allclose(pruning.channel_norms(small, images), expected, rtol=1e-4)


def test_the_least_channels_come_first(with_dead_channels, images):
    norms = pruning.channel_norms(with_dead_channels, images)
    assert set(pruning.ranking(norms)[:2]) == {2, 5}
    assert (np.diff(norms.sum(0)[pruning.ranking(norms)]) >= 0).all()


def test_without_dead_channels_the_result_is_the_same(with_dead_channels, images):
    smaller = pruning.pruned(with_dead_channels, [2, 5])
    assert smaller.bottleneck == 6
    assert with_dead_channels.parameters - smaller.parameters == 2 * 2305
    np.testing.assert_allclose(smaller.stylize(*images[:2]), with_dead_channels.stylize(*images[:2]), atol=1e-6)


def test_without_a_live_channel_it_is_as_if_that_were_zero_after_adain(small, images):
    from adain.network import adain

    content = np.pad(images[:1], [(0, 0), (32, 32), (32, 32), (0, 0)], mode="reflect")
    feature = np.array(adain(small.encoder(content), small.encoder(images[1:2])))
    feature[..., 3] = 0
    expected = np.clip(small.decoder(feature)[0, 32:48, 32:56], 0, 1)
    np.testing.assert_allclose(pruning.pruned(small, [3]).stylize(*images[:2]), expected, atol=1e-5)


def test_cost_counts_the_convolutions_of_both_encodings_and_the_decoding(small):
    """256x256 pixels; 8 channels of the feature at a fourth of the size."""
    full, half, quarter = 256**2, 128**2, 64**2
    encoder = 9 * (full * (3 * 64 + 64 * 64) + half * (64 * 128 + 128 * 128) + quarter * 128 * 8)
    decoder = 9 * (quarter * 8 * 128 + half * (128 * 128 + 128 * 64) + full * (64 * 64 + 64 * 3))
    found = pruning.cost(small)
    assert found.multiplications == 2 * encoder + decoder
    assert found.parameters == small.parameters
    assert found.seconds > 0
