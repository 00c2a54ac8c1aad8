"""Distillation: the pieces of the recipe, and the command with a student for a teacher."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from common.commands import train_distilled_model
from common.distillation.recipes import JOINT_WEIGHTS, with_batch_norm
from common.distillation.teachers import CombinedTeacher, LiftedStudent, load_teacher
from common.eigenbases.file import Eigenbases, save_eigenbases
from common.errors import InputError
from common.network import checkpoints
from common.network.backbone import Widths
from common.network.layers import fold_batch_norm
from mobilenet_backbone import student as mobilenet
from vgg_backbone import student as vgg

ROOT = Path(__file__).resolve().parents[2]
STUDENTS = {"vgg": vgg, "mobilenet": mobilenet}
TEACHER_WIDTHS = {"vgg": (64, 128, 256, 512), "mobilenet": (32, 64, 128, 256)}


def orthonormal(rng, name):
    """Random eigenbases of the widths of the paper's students."""
    widths = zip(TEACHER_WIDTHS[name], STUDENTS[name].WIDTHS.features, strict=True)
    return [np.linalg.qr(rng.normal(size=shape))[0].astype(np.float32) for shape in widths]


@pytest.fixture
def folder(tmp_path, rng, photos):
    """`photos/`, and a teacher `NAME.weights.h5` with eigenbases `NAME.npz` for either backbone."""
    keras.utils.set_random_seed(1)
    for name, student in STUDENTS.items():
        bases = orthonormal(rng, name)
        checkpoints.save(student.build(eigenbases=bases), tmp_path / f"{name}.weights.h5")
        curves = [np.linspace(0, 1, len(basis)) for basis in bases]
        save_eigenbases(tmp_path / f"{name}.npz", Eigenbases(bases, curves, {"backbone": name}))
    return tmp_path


def command(folder, name, *options):
    """The command's arguments."""
    return [
        *("--dataset", str(folder / "photos"), "--weights", str(folder / f"{name}.weights.h5")),
        *("--eigenbases", str(folder / f"{name}.npz"), "--save-to", str(folder / "run")),
        *("--batch-size", "2", "--crop", "32", "--interval", "2", *options),
    ]


@pytest.mark.parametrize("name", STUDENTS)
def test_folding_keeps_what_a_normalised_encoder_computes(rng, name):
    student = STUDENTS[name].build()
    images = rng.random((2, 32, 32, 3), np.float32)
    for level in range(4):
        normalised = with_batch_norm(student, level)
        for layer in normalised.encoder_blocks[level].layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                for variable in layer.variables:
                    variable.assign(rng.uniform(0.5, 1.5, variable.shape))
        fold_batch_norm(normalised.encoder_blocks[level], student.encoder_blocks[level])
        ours, theirs = (model.encode(images, level)[0][level] for model in (student, normalised))
        np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3)


def test_a_lifted_student_gives_features_of_its_teachers_width(rng):
    bases = orthonormal(rng, "vgg")
    student = vgg.build(eigenbases=bases)
    images = rng.random((1, 32, 32, 3), np.float32)
    lifted, _ = LiftedStudent(student).encode(images, 1)
    assert len(lifted) == 2
    np.testing.assert_allclose(lifted[1], np.asarray(student.encode(images)[0][1]) @ bases[1].T, rtol=1e-4, atol=1e-4)


def test_a_combined_teacher_hands_over_where_the_first_teacher_ends(rng):
    bases = orthonormal(rng, "vgg")
    partial = vgg.build(vgg.WIDTHS._replace(encoder=vgg.WIDTHS.encoder[:3], decoder=()))
    lifted = LiftedStudent(vgg.build(eigenbases=bases))
    combined = CombinedTeacher([partial, lifted])
    images = rng.random((1, 32, 32, 3), np.float32)
    features, _ = combined.encode(images)
    assert combined.widths.features == (10, 20, 58, 512)
    np.testing.assert_allclose(features[2], partial.encode(images)[0][2], atol=1e-5)
    np.testing.assert_allclose(features[3], lifted.encode(images)[0][3], atol=1e-5)
    assert len(combined.encode(images, 1)[0]) == 2


def test_a_student_without_eigenbases_is_no_teacher(tmp_path):
    checkpoints.save(vgg.build(), tmp_path / "plain.weights.h5")
    with pytest.raises(InputError, match="has no eigenbases"):
        load_teacher([str(tmp_path / "plain.weights.h5")], vgg, None)


def run(folder, *options):
    return train_distilled_model.main("mobilenet", "", command(folder, "mobilenet", *options))


@pytest.mark.slow
def test_the_default_recipe_trains_a_student_stage_by_stage(folder, capfd):
    steps = ("--steps", "2", "2", "2", "2", "--settling-steps", "2", "--validation", str(folder / "photos"))
    assert run(folder, *steps, "--joint-steps", "4") == 0
    record = json.loads((folder / "run/student.json").read_text())
    assert [stage["steps"] for stage in record["stages"].values()] == [2, 2, 2, 2, 2, 2, 2, 2, 4]
    assert record["stages"]["joint"]["batch_size"] == 1
    assert len(record["figures"]["psnr"]) == 4
    assert len((folder / "run/joint.csv").read_text().split()) == 3  # a heading and two rows
    assert Image.open(folder / "run/joint.png").width == 5 * 192
    assert mobilenet.load(folder / "run/student.weights.h5").eigenbases[3].shape == (256, 54)
    assert "explained" in capfd.readouterr().out


def test_the_joint_pass_leaves_fixed_blocks_alone_and_weighs_the_reconstruction_as_asked(folder, monkeypatch):
    stages = []
    monkeypatch.setattr("common.distillation.recipes.train", lambda model, stage, *rest: stages.append(stage))
    start = ("--start", str(folder / "mobilenet.weights.h5"), "--joint-steps", "2")
    assert run(folder, *start, "--fixed", "0", "2", "--reconstruction", "7") == 0
    assert run(folder, *start) == 0
    assert [stage.fixed for stage in stages] == [(0, 2), ()]
    weights = [{name: weight for name, (_, weight) in stage.losses.items()} for stage in stages]
    assert weights == [JOINT_WEIGHTS | {"reconstruction": 7}, JOINT_WEIGHTS]


@pytest.mark.slow
def test_a_narrower_student_goes_on_jointly_under_the_sparsity_losses(folder):
    encoder, decoder = mobilenet.WIDTHS
    widths = Widths(((7,), (7, 19, 19), *encoder[2:]), ((3,), (7, 7), *decoder[2:]))
    bases = mobilenet.load(folder / "mobilenet.weights.h5").eigenbases
    student = mobilenet.build(widths, [bases[0][:, :7], *bases[1:]])
    checkpoints.save(student, folder / "narrow.weights.h5")
    start = ("--start", str(folder / "narrow.weights.h5"), "--joint-steps", "2")
    assert run(folder, *start, "--channel-loss", "10", "--xor-loss", "0.5") == 0
    assert mobilenet.load(folder / "run/student.weights.h5").widths == widths
    assert not (folder / "run/encoder_0.csv").exists()
    header = (folder / "run/joint.csv").read_text().splitlines()[0].split(",")
    assert {"channel_1", "xor_3"} <= set(header)
    assert "uncorrelation_1" not in header


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--crop", "33"), "--crop: 33 is not a multiple of 16"),
        (("--joint-steps", "3"), "3 is not a multiple of 2"),
        (("--dataset", "nowhere"), "nowhere: no such folder"),
        (("--eigenbases", "nowhere.npz"), "nowhere.npz: no such file"),
        (("--start", "nowhere.weights.h5"), "nowhere.weights.h5: no such checkpoint"),
    ],
)
def test_bad_options_are_one_line(folder, capfd, options, complaint):
    assert run(folder, *options) == 1
    error = capfd.readouterr().err
    assert complaint in error
    assert error.startswith("error: ")
