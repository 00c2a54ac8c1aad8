"""Losses by name, and losses from elsewhere."""

import keras
import numpy as np
import pytest
from keras import ops

from common.distillation.losses import LOSSES, Loss, weighted
from common.distillation.trainer import BlockwiseTrainer
from common.network.backbone import Widths
from mobilenet_backbone import student as mobilenet

WIDTHS = Widths(encoder=((4,), (4, 6, 6)), decoder=((3,), (4, 4)))


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    return mobilenet.build(WIDTHS)


def test_losses_are_chosen_by_name_with_their_weights():
    assert weighted({"distill": 1.0, "reconstruction": 100}) == {
        "distill": (LOSSES["distill"], 1.0),
        "reconstruction": (LOSSES["reconstruction"], 100),
    }


def test_a_loss_of_no_weight_is_left_out():
    assert weighted({"distill": 0.0, "feature": 2}).keys() == {"feature"}


def test_a_name_that_is_no_loss_is_an_error():
    with pytest.raises(KeyError, match="glow"):
        weighted({"glow": 1.0})


def test_they_can_be_chosen_from_other_losses():
    mine = {"glow": Loss(lambda seen: 0.0)}
    assert weighted({"glow": 3}, mine) == {"glow": (mine["glow"], 3)}


def test_the_trainer_takes_a_loss_from_elsewhere(model, rng):
    """Here the mean brightness of what is reconstructed from level 1, which its decoder block learns to lower."""
    brightness = Loss(lambda seen: ops.mean(seen.reconstructed), needs=frozenset({"decoder"}), first_level=1)
    trainer = BlockwiseTrainer(model, (0, 1), {"brightness": (brightness, 2.0)}, model)
    trainer.compile(keras.optimizers.Adam(1e-2))
    images = rng.random((2, 32, 32, 3), np.float32)
    loss = trainer.compute_loss(images, y_pred=trainer(images))
    means = [np.mean(model.reconstruct(images, level)) for level in (0, 1)]
    assert float(loss) == pytest.approx(2 * means[1], rel=1e-4)
    assert [mean.name for mean in trainer.means] == ["psnr_0", "brightness_1", "psnr_1"]
    trainer.fit(images, epochs=3, verbose=0)
    assert np.mean(model.reconstruct(images, 1)) < means[1] - 0.01
