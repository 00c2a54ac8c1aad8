"""Runs of the training commands: what they were made from, what they leave, what they go on with, what they refuse."""

import json
import shutil

import keras
import numpy as np
import pytest
from PIL import Image

from common.commands import export, train_distilled_model, train_teacher
from common.commands.training_options import evenly_spaced
from common.network import registry
from common.transfer.stylizer import Stylizer
from mobilenet_backbone import student as mobilenet
from tests.toys import orthonormal, write_eigenbases, write_photos, write_teacher
from vgg_backbone import teacher as vgg_teacher

pytestmark = pytest.mark.slow
# Of a teacher of three levels, and of the eigenbases of its student; neither the paper's nor the teacher's own.
CHANNELS, WIDTHS = (8, 9, 10), (4, 5, 6)


def distil(folder, *options, save_to="run"):
    """The exit status of a short training of a student, from what is in `folder`."""
    arguments = {
        "--dataset": folder / "photos",
        "--weights": folder / "teacher.weights.h5",
        "--eigenbases": folder / "bases.npz",
        "--save-to": folder / save_to,
        "--steps": (2, 2, 2),
        "--joint-steps": 2,
        "--interval": 2,
        "--batch-size": 2,
        "--crop": 32,
    }
    return train_distilled_model.main("mobilenet", "", words(arguments, options))


def teach(folder, *options, save_to="decoder"):
    """The exit status of a short training of a teacher's decoder, from what is in `folder`."""
    arguments = {
        "--dataset": folder / "photos",
        "--weights": folder / "vgg.npz",
        "--save-to": folder / save_to,
        "--steps": (2, 0, 0, 0, 2),
        "--interval": 2,
        "--batch-size": 1,
        "--crop": 32,
    }
    return train_teacher.main("vgg", "", words(arguments, options))


def words(arguments, options):
    """A command line of defaults, but for options that are given anew, as they are typed; with None, they are left out."""
    options = list(options)
    given = {option for option in map(str, options) if option.startswith("--")}
    while None in options:
        place = options.index(None)
        del options[place - 1 : place + 1]
    result = [str(option) for option in options]
    for option, value in arguments.items():
        if option not in given:
            result += [option, *map(str, value if isinstance(value, tuple) else (value,))]
    return result


def inputs(folder):
    """Write what both commands take to `folder`."""
    write_photos(folder / "photos")
    write_teacher(folder / "teacher.weights.h5", mobilenet, CHANNELS)
    write_eigenbases(folder / "bases.npz", "mobilenet", orthonormal(CHANNELS, WIDTHS))
    keras.utils.set_random_seed(0)
    model = vgg_teacher.build(levels=1, decoder_levels=0)
    np.savez(folder / "vgg.npz", **{name: np.asarray(v) for name, v in vgg_teacher.variables_by_layer(model).items()})
    # Of each something else, for another run.
    write_photos(folder / "other photos", seed=1)
    write_teacher(folder / "other.weights.h5", mobilenet, CHANNELS, seed=1)
    write_eigenbases(folder / "other.npz", "mobilenet", orthonormal(CHANNELS, WIDTHS, seed=1))
    for block in model.encoder_blocks:
        block.set_weights([2 * array for array in block.get_weights()])
    np.savez(folder / "other vgg.npz", **{name: np.asarray(v) for name, v in vgg_teacher.variables_by_layer(model).items()})
    return folder


@pytest.fixture(scope="module")
def distilled(tmp_path_factory):
    """A folder with a finished run of train_distilled_model, and what it was made from."""
    folder = inputs(tmp_path_factory.mktemp("distilled"))
    assert distil(folder, "--validation", folder / "photos", "--validation-photos", 1) == 0
    return folder


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A folder with a finished run of train_teacher, and what it was made from."""
    folder = inputs(tmp_path_factory.mktemp("taught"))
    assert teach(folder) == 0
    return folder


@pytest.fixture
def copy(distilled, tmp_path):
    """A copy of the first, to be spoiled."""
    return shutil.copytree(distilled, tmp_path / "copy")


def contents(folder, *suffixes):
    """The files of a folder by name, bytes."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name.endswith(suffixes)}


def record(folder):
    return json.loads((folder / "student.json").read_text())


# --- what a run leaves ---------------------------------------------------------------------------------------------------


def test_a_student_has_the_widths_and_levels_of_its_eigenbases(distilled):
    model = mobilenet.load(distilled / "run/student.weights.h5")
    assert model.widths == mobilenet.widths_of(WIDTHS)
    assert [basis.shape for basis in model.eigenbases] == list(zip(CHANNELS, WIDTHS, strict=True))


def test_a_student_of_three_levels_stylises_with_either_engine(distilled, tmp_path, rng):
    path = distilled / "run/student.weights.h5"
    assert export.main("mobilenet", "", ["--checkpoint", str(path), "-o", str(tmp_path / "student.onnx.zip")]) == 0
    content, style = rng.random((2, 48, 64, 3), np.float32)
    results = []
    for checkpoint in (path, tmp_path / "student.onnx.zip"):
        stylizer = Stylizer(registry.load_network("mobilenet", checkpoint=checkpoint), finish="none")
        results.append(stylizer.apply(content, stylizer.analyze(style)))
    assert results[0].shape == content.shape
    assert np.ptp(results[0]) > 0.1
    np.testing.assert_allclose(*results, atol=1e-3)


def test_a_record_tells_the_stages_that_ran(distilled):
    stages = record(distilled / "run")["stages"]
    assert {name: (stage["steps"], stage["batch_size"]) for name, stage in stages.items()} == {
        "encoder_0": (2, 2),
        "encoder_1": (2, 2),
        "encoder_2": (2, 2),
        "joint": (2, 1),
    }


def test_as_many_photos_are_watched_as_asked_and_all_are_measured(distilled):
    with Image.open(distilled / "run/joint.png") as sheet:  # a row for each photo watched, up to three
        assert sheet.size == (4 * 192, 192)
    assert "val_psnr_2" in (distilled / "run/joint.csv").read_text().splitlines()[0]
    assert len(record(distilled / "run")["figures"]["psnr"]) == 3


@pytest.mark.parametrize(("count", "limit"), [(79, 40), (40, 40), (3, 40), (5, 1)])
def test_photos_watched_are_no_more_than_the_limit_and_evenly_spaced(count, limit):
    chosen = evenly_spaced(list(range(count)), limit)
    assert len(set(chosen)) == min(count, limit)
    steps = np.diff(chosen)
    assert len(steps) == 0 or steps.max() - steps.min() <= 1


def test_a_record_of_a_joint_pass_tells_that_alone_and_what_it_started_from(distilled, tmp_path):
    start = distilled / "run/student.weights.h5"
    assert distil(distilled, "--start", start, "--steps", None, "--seed", 7, save_to=tmp_path / "on") == 0
    found = record(tmp_path / "on")
    assert list(found["stages"]) == ["joint"]
    assert found["started_from"]["seed"] == 0
    assert found["seed"] == 7


def test_a_teacher_that_ends_early_gets_a_decoder_of_as_many_levels(taught, rng):
    model = vgg_teacher.load(taught / "vgg.npz", taught / "decoder/teacher_decoder.h5")
    assert len(model.encoder_blocks) == len(model.decoder_blocks) == 1
    assert model.reconstruct(rng.random((1, 32, 32, 3), np.float32)).shape == (1, 32, 32, 3)
    found = json.loads((taught / "decoder/teacher_decoder.json").read_text())
    assert {name: stage["steps"] for name, stage in found["stages"].items()} == {"block_0": 2, "joint": 2}


# --- the same run again --------------------------------------------------------------------------------------------------


def test_the_same_command_again_trains_nothing(distilled):
    before = contents(distilled / "run", ".csv", ".weights.h5", ".png")
    assert distil(distilled, "--validation", distilled / "photos", "--validation-photos", 1) == 0
    after = contents(distilled / "run", ".csv", ".weights.h5", ".png")
    assert after.keys() == before.keys()
    assert {name for name in before if after[name] != before[name]} <= {"student.weights.h5"}  # which is written anew
    given = mobilenet.load(distilled / "run/student.weights.h5").get_weights()
    for ours, theirs in zip(given, student_of(before["student.weights.h5"], distilled).get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def student_of(content, folder):
    (folder / "before.weights.h5").write_bytes(content)
    return mobilenet.load(folder / "before.weights.h5")


def test_training_again_from_a_pair_on_keeps_the_earlier_ones(copy):
    before = contents(copy / "run", ".csv", ".weights.h5")
    assert distil(copy, "--pair", 2, "--steps", 2, 2, 4) == 0
    after = contents(copy / "run", ".csv", ".weights.h5")
    assert {name for name in before if after[name] != before[name]} == {
        "encoder_2.csv",
        "encoder_2.weights.h5",
        "joint.csv",
        "joint.weights.h5",
        "student.weights.h5",
    }
    assert [stage["steps"] for stage in record(copy / "run")["stages"].values()] == [2, 2, 4, 2]


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        (("--dataset", "other photos"), "photos sha256"),
        (("--weights", "other.weights.h5"), "weights sha256"),
        (("--eigenbases", "other.npz"), "eigenbases sha256"),
        (("--seed", "1"), "seed"),
        (("--recipe", "paper", "--joint-steps", None), "recipe"),
        (("--start", "teacher.weights.h5", "--steps", None), "start sha256"),
        (("--weights", "other.weights.h5", "--seed", "1"), "seed, weights sha256"),
    ],
)
def test_a_student_made_from_something_else_is_not_gone_on_with(distilled, capsys, options, difference):
    before = contents(distilled / "run", "")
    options = [distilled / word if word and (distilled / word).exists() else word for word in options]
    assert distil(distilled, *options) == 1
    run = distilled / "run"
    assert f"error: {run} holds a run made from other {difference}: give another --save-to\n" in capsys.readouterr().err
    assert contents(run, "") == before


def test_a_stage_that_was_begun_with_other_settings_is_not_gone_on_with(distilled, capsys):
    assert distil(distilled, "--steps", 2, 4, 2) == 1
    assert "stage encoder_1 was made from other steps: give another --save-to, or train again" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "difference"),
    [
        (("--dataset", "other photos"), "photos sha256"),
        (("--weights", "other vgg.npz"), "weights sha256"),
        (("--seed", "1"), "seed"),
        (("--recipe", "paper"), "recipe"),
        (("--start", "decoder/teacher_decoder.h5"), "start sha256"),
    ],
)
def test_a_decoder_made_from_something_else_is_not_gone_on_with(taught, capsys, options, difference):
    before = contents(taught / "decoder", "")
    options = [taught / word if (taught / word).exists() else word for word in options]
    assert teach(taught, *options) == 1
    assert f"holds a run made from other {difference}: give another --save-to" in capsys.readouterr().err
    assert contents(taught / "decoder", "") == before


def test_the_same_decoder_again_trains_nothing(taught):
    before = contents(taught / "decoder", ".csv", ".weights.h5")
    assert teach(taught) == 0
    assert contents(taught / "decoder", ".csv", ".weights.h5") == before


# --- options that do nothing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--recipe", "paper", "--joint-steps", None, option, value), f"{option} has no place in --recipe paper")
        for option, value in (
            ("--fixed", 0),
            ("--reconstruction", 3),
            ("--settling-steps", 2),
            ("--encoder-learning-rate", 0.1),
            ("--start", "teacher.weights.h5"),
        )
    ]
    + [(("--recipe", "paper"), "--joint-steps has no place in --recipe paper")]
    + [
        (("--start", "teacher.weights.h5", "--steps", None, *more), f"{more[0]} does nothing with --start")
        for more in (("--settling-steps", 2), ("--encoder-learning-rate", 0.1), ("--pair", 1))
    ]
    + [(("--start", "teacher.weights.h5"), "--steps does nothing with --start")],
)
def test_an_option_that_would_do_nothing_is_refused(distilled, tmp_path, capsys, options, complaint):
    assert distil(distilled, *options, save_to=tmp_path / "none") == 1
    assert capsys.readouterr().err.startswith(f"error: {complaint}")
    assert not (tmp_path / "none").exists()


def test_level_weights_without_a_joint_pass_are_refused(taught, tmp_path, capsys):
    options = "--steps", 2, 0, 0, 0, 0, "--level-weights", 1, 1, 1, 1
    assert teach(taught, *options, save_to=tmp_path / "none") == 1
    assert "--level-weights are those of the joint pass, which has no steps here" in capsys.readouterr().err


def test_steps_for_other_levels_than_the_student_has_are_refused(distilled, tmp_path, capsys):
    assert distil(distilled, "--steps", 2, 2, save_to=tmp_path / "none") == 1
    assert "--steps: 2 numbers, but the student has 3 levels" in capsys.readouterr().err
