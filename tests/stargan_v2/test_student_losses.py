"""Kernel alignment and wavelets in the distillation of style-transfer students (`train_distilled_model`)."""

import keras
import numpy as np
import pytest

from common.commands import train_distilled_model
from common.distillation.kernels_and_wavelets import LOSSES, details, gka
from common.distillation.losses import weighted
from common.distillation.trainer import BlockwiseTrainer
from common.network.backbone import Widths
from mobilenet_backbone import student as mobilenet
from tests.toys import orthonormal, write_eigenbases, write_teacher

WIDTHS = Widths(encoder=((4,), (4, 6, 6)), decoder=((3,), (4, 4)))
TEACHER_WIDTHS = Widths(encoder=((5,), (5, 7, 7)), decoder=((3,), (5, 5)))


def test_the_trainer_adds_both_to_the_loss(rng):
    keras.utils.set_random_seed(0)
    student, teacher = mobilenet.build(WIDTHS), mobilenet.build(TEACHER_WIDTHS)
    trainer = BlockwiseTrainer(student, (0, 1), weighted({"wavelet": 2.0, "gka": 3.0}, LOSSES), teacher)
    images = rng.random((2, 32, 32, 3), np.float32)
    loss = float(trainer.compute_loss(images, y_pred=trainer(images)))
    expected = 0
    features, taught = student.encode(images)[0], teacher.encode(images)[0]
    for level in (0, 1):
        missed = details(np.asarray(student.reconstruct(images, level)) - images)
        expected += 2 * sum(np.abs(bands).mean() for bands in missed)
        expected += 3 * (1 - float(gka(features[level], taught[level])))
    assert loss == pytest.approx(expected, rel=1e-3)
    assert [mean.name for mean in trainer.means] == ["wavelet_0", "gka_0", "psnr_0", "wavelet_1", "gka_1", "psnr_1"]


@pytest.fixture
def losses_of_stages(photos, tmp_path, monkeypatch):
    """`losses_of_stages(options)`: weights by the name of the stage that the command trains, without training it."""
    write_teacher(tmp_path / "teacher.weights.h5", mobilenet, (6, 7))
    write_eigenbases(tmp_path / "bases.npz", "mobilenet", orthonormal((6, 7), (4, 5)))

    def run(*options):
        stages = {}
        monkeypatch.setattr(
            "common.distillation.recipes.train", lambda model, stage, *rest: stages.update({stage.name: stage})
        )
        arguments = f"--dataset {photos} --weights {tmp_path}/teacher.weights.h5 --eigenbases {tmp_path}/bases.npz"
        arguments += f" --save-to {tmp_path}/run --steps 2 2 --batch-size 2 --crop 32 --interval 2"
        assert train_distilled_model.main("mobilenet", "", [*arguments.split(), *options]) == 0
        return {name: {loss: weight for loss, (_, weight) in stage.losses.items()} for name, stage in stages.items()}

    return run


def test_encoder_blocks_alone_have_no_image_for_wavelets(losses_of_stages):
    stages = losses_of_stages(*["--joint-steps", "2", "--wavelet-loss", "2", "--gka-loss", "3", "--channel-loss", "4"])
    assert {"gka", "channel"} <= stages["encoder_0"].keys()
    assert "wavelet" not in stages["encoder_0"]
    assert stages["joint"]["wavelet"] == 2
    assert stages["joint"]["gka"] == 3
    assert "channel" not in stages["joint"]


def test_the_papers_recipe_takes_both(losses_of_stages):
    paper = losses_of_stages(*["--recipe", "paper", "--wavelet-loss", "2", "--gka-loss", "3"])
    assert paper["pair_1"]["wavelet"] == 2
    assert paper["pair_1"]["gka"] == 3


def test_neither_is_a_default(losses_of_stages):
    stages = losses_of_stages("--joint-steps", "2")
    assert not any({"wavelet", "gka"} & losses.keys() for losses in stages.values())
