"""The losses against NumPy, and their gradients where channels are dead."""

import numpy as np
import pytest
import tensorflow as tf

from adain import losses
from adain.network import mean_and_std


def test_the_deviation_is_unbiased_and_its_gradient_is_finite_where_it_is_zero(rng):
    x = tf.Variable(rng.normal(size=(2, 4, 5, 3)))
    x[..., 0].assign(tf.ones((2, 4, 5), tf.float64))
    with tf.GradientTape() as tape:
        _, std = mean_and_std(x)
    np.testing.assert_allclose(std[:, 0, 0, 1:], x.numpy()[..., 1:].std((1, 2), ddof=1))
    assert not std[..., 0].numpy().any()
    assert np.isfinite(tape.gradient(std, x).numpy()).all()


def test_the_style_loss_is_divided_by_the_square_of_the_number_of_features(rng):
    outputs, styles = ([rng.normal(size=(2, 4, 4, width)) for width in (3, 5)] for _ in range(2))
    expected = 0
    for output, style in zip(outputs, styles, strict=True):
        expected += np.square(output.mean((1, 2)) - style.mean((1, 2))).mean()
        expected += np.square(output.std((1, 2), ddof=1) - style.std((1, 2), ddof=1)).mean()
    assert float(losses.style_loss(outputs, styles)) == pytest.approx(expected / 4)


def test_the_uncorrelation_of_copies_is_the_batch(rng):
    """It is summed over the images, and averaged over content and style."""
    x = np.repeat(np.abs(rng.normal(size=(3, 6, 6, 1))), 4, axis=-1)
    assert float(losses.regularisers(x, x, 1e-5)["uncorrelation"]()) == pytest.approx(3, rel=1e-4)


def test_channel_and_xor_losses_count_channels():
    active, dead = np.ones((1, 4, 4, 6)), np.zeros((1, 4, 4, 6))
    left, right = active.copy(), active.copy()
    left[..., :3], right[..., 3:] = 0, 0
    for content, style, channel, xor in ((dead, dead, 0, 0), (active, active, 1, 0), (left, right, 0.5, 1)):
        of = losses.regularisers(content, style, 1e-5)
        assert float(of["channel"]()) == pytest.approx(channel, abs=1e-4)
        assert float(of["xor"]()) == pytest.approx(xor, abs=1e-4)


@pytest.mark.parametrize("name", ["uncorrelation", "channel", "xor"])
@pytest.mark.parametrize("dead", [slice(0, 2), slice(None)])
def test_gradients_are_finite_where_channels_are_dead(rng, name, dead):
    x = np.abs(rng.normal(size=(2, 4, 4, 5))).astype(np.float32)
    x[..., dead] = 0
    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        loss = losses.regularisers(x[:1], x[1:], 1e-5)[name]()
    assert np.isfinite(tape.gradient(loss, x).numpy()).all()


def test_live_channels_are_counted_exactly(rng):
    x = np.ones((2, 3, 3, 4))
    x[0, ..., :2] = 0
    assert float(losses.live_channels(x)) == 3
