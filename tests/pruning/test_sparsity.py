"""The losses that make channels die, against plain NumPy, and in the trainer."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from common.distillation.losses import LOSSES as TRAINING_LOSSES
from common.distillation.losses import weighted
from common.distillation.trainer import BlockwiseTrainer
from common.network.backbone import Widths
from common.pruning.sparsity import LOSSES, channel_loss, uncorrelation_loss, xor_loss
from mobilenet_backbone import student as mobilenet

OF_RESPONSES = {"channel": channel_loss, "xor": xor_loss, "uncorrelation": uncorrelation_loss}
WIDTHS = Widths(encoder=((4,), (4, 6, 6)), decoder=((3,), (4, 4)))


@pytest.fixture
def response(rng):
    """Five images of seven channels: channel 0 is dead on all, 1 on the first two, 2 is faint, 4 is twice channel 3."""
    x = np.maximum(rng.normal(size=(5, 6, 8, 7)), 0).astype(np.float32)
    x[..., 0] = 0
    x[:2, ..., 1] = 0
    x[..., 2] *= 1e-6
    x[..., 4] = 2 * x[..., 3]
    return x


def alive(x):
    n = np.linalg.norm(x.reshape(len(x), -1, x.shape[-1]), axis=1)
    return n / (n + 1e-5)


def test_channel_loss_is_the_soft_share_of_live_channels(response):
    assert float(channel_loss(response)) == pytest.approx(alive(response).sum() / (5 * 7), rel=1e-5)


def test_xor_loss_is_the_share_on_which_two_images_disagree(response):
    pairs = [np.abs(a - b).sum() / 7 for a, b in itertools.combinations(alive(response), 2)]
    assert float(xor_loss(response)) == pytest.approx(np.mean(pairs), rel=1e-5)


def test_a_single_image_disagrees_with_none(response):
    assert float(xor_loss(response[:1])) == 0


def test_uncorrelation_loss_is_the_mean_absolute_correlation(response):
    x = response[..., 3:]  # NumPy has no correlation with a constant
    matrices = [np.corrcoef(image.reshape(-1, 4).T) for image in x]
    expected = np.mean([np.abs(matrix[~np.eye(4, dtype=bool)]).mean() for matrix in matrices])
    assert float(uncorrelation_loss(x)) == pytest.approx(expected, rel=1e-4)


def test_a_dead_channel_correlates_with_none(response):
    live = response[..., 3:]
    wider = np.concatenate([np.zeros_like(live[..., :1]), live], axis=-1)
    assert float(uncorrelation_loss(wider)) == pytest.approx(float(uncorrelation_loss(live)) * (4 * 3) / (5 * 4), rel=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_finite_where_channels_are_dead(response, name):
    for x in (response, np.zeros_like(response)):
        x = tf.Variable(x)
        with tf.GradientTape() as tape:
            loss = OF_RESPONSES[name](x)
        gradient = tape.gradient(loss, x).numpy()
        assert np.isfinite(gradient).all()
        assert not gradient[..., 0].any()


@pytest.fixture
def student():
    keras.utils.set_random_seed(0)
    return mobilenet.build(WIDTHS)


def trained_for(student, images, **weights):
    losses = weighted(dict.fromkeys(TRAINING_LOSSES, 1.0)) | weighted(weights, LOSSES)
    trainer = BlockwiseTrainer(student, (1,), losses, student, [np.eye(4), np.eye(6)])
    trainer.compile("sgd")
    loss = float(trainer.compute_loss(images, y_pred=trainer(images)))
    return loss, {mean.name: float(mean.result()) for mean in trainer.means}


@pytest.mark.parametrize("name", LOSSES)
def test_the_trainer_adds_them_over_the_responses_of_the_encoder_block(student, rng, name):
    images = rng.random((2, 32, 32, 3), np.float32)
    plain, _ = trained_for(student, images)
    loss, shown = trained_for(student, images, **{name: 0.5})
    block = student.encoder_blocks[1]
    relus = [layer.output for layer in block.layers if isinstance(layer, keras.layers.Activation)]
    expected = [
        float(OF_RESPONSES[name](response)) for response in keras.Model(block.input, relus)(student.encode(images)[0][0])
    ]
    assert len(expected) == 3
    assert shown[f"{name}_1"] == pytest.approx(np.mean(expected), rel=1e-5)
    assert loss == pytest.approx(plain + 0.5 * np.mean(expected), rel=1e-5)


def test_left_out_they_change_nothing(student, rng):
    images = rng.random((2, 32, 32, 3), np.float32)
    _, shown = trained_for(student, images)
    assert list(shown) == ["distill_1", "reconstruction_1", "feature_1", "perceptual_1", "psnr_1"]
    trainer = BlockwiseTrainer(student, (1,), weighted(dict.fromkeys(TRAINING_LOSSES, 1.0)), student, [np.eye(4), np.eye(6)])
    assert len(trainer.trainable_variables) == 10


def test_a_large_channel_loss_kills_channels(student, rng, without_xla):
    """In ten steps, of an encoder block trained for nothing else."""
    trainer = BlockwiseTrainer(student, (1,), weighted({"channel": 1e3}, LOSSES), student, [np.eye(4), np.eye(6)])
    trainer.compile(keras.optimizers.Adam(0.1))
    images = rng.random((2, 32, 32, 3), np.float32)
    before = np.asarray(student.encode(images)[0][1]).any(axis=(0, 1, 2)).sum()
    trainer.fit(images, epochs=10, verbose=0)
    after = np.asarray(student.encode(images)[0][1]).any(axis=(0, 1, 2)).sum()
    assert after < before
