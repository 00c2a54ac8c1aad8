"""The stylize command: what it writes, and one clear line for what it cannot do."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from common.commands import stylize
from common.grading.cube import read_cube
from common.grading.lut import apply
from common.network import checkpoints, registry
from common.photos import read_rgb
from common.transfer.look import Look
from common.transfer.style import Style
from common.transfer.stylizer import DEFAULT_PRESET, PRESETS, Stylizer
from common.transfer.transforms import Statistics
from mobilenet_backbone.student import build

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A MobileNet student with arbitrary weights."""
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("checkpoint") / "model.weights.h5"
    checkpoints.save(build(), path)
    return path


@pytest.fixture
def folder(tmp_path, rng):
    """A folder with `content.png`, `style.jpg` and some files that are no good."""
    noise = [Image.fromarray(rng.integers(0, 256, (40, 51, 3), np.uint8)) for _ in range(2)]
    noise[0].save(tmp_path / "content.png")
    noise[1].save(tmp_path / "style.jpg")
    (tmp_path / "text.jpg").write_text("no photo")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "truncated.jpg").write_bytes((tmp_path / "style.jpg").read_bytes()[:900])
    Image.new("RGB", (5, 5)).save(tmp_path / "tiny.png")
    (tmp_path / "photos").mkdir()
    return tmp_path


@pytest.fixture
def run(folder, capfd):
    """`run("content.png", "style.jpg", ...)` -> exit status and stderr; paths are below `folder`."""

    def run(content, style, *options, backbone="mobilenet"):
        arguments = [str(folder / content), str(folder / style), *map(str, options)]
        capfd.readouterr()
        status = stylize.main(backbone, "Stylise.", arguments)
        return status, capfd.readouterr().err

    return run


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize("arguments", [("text.jpg", "style.jpg"), ("content.png", "text.jpg"), ("content.png", "empty.jpg")])
def test_what_is_no_photo_is_found_before_anything_slow(run, monkeypatch, arguments):
    monkeypatch.setattr(registry, "load_network", lambda *arguments: pytest.fail("loaded"))
    status, printed = run(*arguments)
    assert status == 1
    assert printed.endswith(f"{'empty' if 'empty.jpg' in arguments else 'text'}.jpg is not a photo that can be read\n")


def test_the_result_lies_beside_the_content(run, folder):
    assert run("content.png", "style.jpg") == (0, "")
    assert Image.open(folder / "content.stylized.png").size == (51, 40)


@pytest.mark.parametrize(
    "options",
    [
        ("--transform", "ot"),
        ("--transform", "adain"),
        ("--strength", "0.5"),
        ("--finish", "guided"),
        ("--finish", "none"),
        ("--size", "64"),
        ("--fit", "resize"),
        ("--paper",),
    ],
)
def test_options_reach_the_stylizer(run, folder, options):
    """The command gives what a `Stylizer` with the same settings gives."""
    assert run("content.png", "style.jpg", "-o", folder / "out.png", *options) == (0, "")
    name, value = (options[0].removeprefix("--"), *options[1:], None)[:2]
    grade = PRESETS[DEFAULT_PRESET]
    settings = {"finish": "guided", "size": None, "fit": "resize"} if name == "paper" else {name: value, "grade": grade}
    strength = float(settings.pop("strength", 1))
    if name == "size":
        settings["size"] = int(value)
    stylizer = Stylizer(registry.load_network("mobilenet"), **settings)
    expected = stylizer.apply(folder / "content.png", stylizer.analyze(folder / "style.jpg"), strength)
    np.testing.assert_array_equal(read_rgb(folder / "out.png"), np.asarray(expected))
    assert expected.size == ((48, 32) if "resize" in settings.values() else (51, 40))


@pytest.mark.parametrize("option", [("--size", "300"), ("--finish", "look"), ("--fit", "pad")])
def test_paper_contradicts_what_it_stands_for(run, option):
    status, stderr = run("content.png", "style.jpg", "--paper", *option)
    assert (status, stderr.count("\n")) == (1, 1)
    assert f"--paper stands for {option[0]}" in stderr


@pytest.mark.parametrize("size", ["50", "63", "0", "-5", "x", "1e3"])
def test_a_size_out_of_range_is_a_usage_error(run, size):
    with pytest.raises(SystemExit) as caught:
        run("content.png", "style.jpg", "--size", size)
    assert caught.value.code == 2


def test_a_style_and_a_look_are_saved_and_taken_again(run, folder):
    saved = "--save-style", folder / "style.npz", "--save-look", folder / "look.npz"
    assert run("content.png", "style.jpg", "-o", folder / "first.png", *saved) == (0, "")
    assert run("content.png", "style.npz", "-o", folder / "second.png") == (0, "")
    first = read_rgb(folder / "first.png")
    np.testing.assert_array_equal(read_rgb(folder / "second.png"), first)
    np.testing.assert_array_equal(Look.load(folder / "look.npz").apply(read_rgb(folder / "content.png")), first)
    assert len(Style.load(folder / "style.npz").statistics) == 4
    before = files(folder)
    for option, path in (saved[:2], saved[2:]):
        status, stderr = run("content.png", "style.jpg", "-o", folder / "third.png", option, path)
        assert (status, stderr) == (1, f"error: {path} exists; --overwrite replaces it\n")
    assert files(folder) == before


@pytest.mark.parametrize("finish", ["look", "guided"])
def test_where_a_mask_is_black_the_content_stays(run, folder, finish):
    content = read_rgb(folder / "content.png")
    mask = np.zeros((10, 8), np.uint8)
    mask[:5] = 255
    Image.fromarray(mask).save(folder / "mask.png")
    options = "-o", folder / "result.png", "--mask", folder / "mask.png", "--finish", finish
    assert run("content.png", "style.jpg", *options) == (0, "")
    result, height = read_rgb(folder / "result.png"), len(content)
    np.testing.assert_array_equal(result[height * 7 // 10 :], content[height * 7 // 10 :])
    assert (result[: height // 4] != content[: height // 4]).any()


def test_regions_are_matched_by_colour_and_what_only_one_has_is_told(run, folder):
    labels = np.zeros((40, 40, 3), np.uint8)
    labels[:, :20] = (255, 0, 0)
    Image.fromarray(labels).save(folder / "content_labels.png")
    labels[20:] = (0, 0, 255)
    Image.fromarray(labels).save(folder / "style_labels.png")
    regions = "--content-regions", folder / "content_labels.png", "--style-regions", folder / "style_labels.png"
    status, printed = run("content.png", "style.jpg", "-o", folder / "result.png", *regions, "--feather", 2)
    assert status == 0
    assert printed == "warning: #0000ff: only one of the label pictures has it, so the whole style is taken there\n"
    assert read_rgb(folder / "result.png").shape == read_rgb(folder / "content.png").shape


@pytest.mark.parametrize("grade", ["0", "1"])
def test_a_lut_is_written_for_other_programs(run, folder, grade):
    options = "-o", folder / "result.png", "--grade", grade, "--lut", folder / "look.cube"
    assert run("content.png", "style.jpg", *options) == (0, "")
    content, result = (read_rgb(folder / name).astype(int) for name in ("content.png", "result.png"))
    lut = read_cube(folder / "look.cube")
    assert lut.shape == (33, 33, 33, 3)
    assert 0 <= lut.min() < lut.max() <= 1
    alone = apply(lut, content.astype(np.uint8)).astype(int)
    difference = np.abs(alone - result)
    assert difference.max() <= 2 if grade == "1" else difference.mean() < np.abs(content - result).mean()


@pytest.mark.parametrize(
    ("style", "options", "complaint"),
    [
        ("look.npz", (), "holds no style but is a file of kind 'look'"),
        ("text.npz", (), "text.npz is not a .npz file of arrays"),
        ("none.npz", (), "none.npz: no such file"),
        ("other.npz", (), "the style was analysed with another network"),
        ("style.jpg", ("--save-style", "style.txt"), "style.txt: the name has to end in .npz"),
        ("style.jpg", ("--lut", "look.lut"), "look.lut: the name has to end in .cube"),
        ("style.jpg", ("--lut", "x.cube", "--finish", "none"), "--lut goes with --finish look, not with none"),
        ("style.jpg", ("--paper", "--grade", "0.5"), "--paper stands for --grade 0"),
        ("style.jpg", ("--mask", "none.jpg"), "none.jpg: no such file"),
        ("style.jpg", ("--feather", "3"), "--feather softens the borders"),
        ("style.jpg", ("--content-regions", "a.png"), "--content-regions and --style-regions go together"),
        ("style.jpg", ("--save-look", "x.npz", "--save-style", "x.npz"), "--save-style and --save-look both name x.npz"),
        ("style.jpg", ("--save-look", "x.npz", "--finish", "none"), "--save-look goes with --finish look, not with none"),
        ("style.jpg", ("--checkpoint", "text.onnx.zip"), "text.onnx.zip is not an ONNX file of this project"),
        ("style.jpg", ("--checkpoint", "none.onnx.zip"), "none.onnx.zip: no such file"),
    ],
)
def test_a_bad_file_is_one_line_and_no_result(run, folder, style, options, complaint):
    Look(np.zeros((2, 2, 2, 4, 3), np.float32)).save(folder / "look.npz")
    Style((Statistics(np.zeros(2), np.eye(2)),), "another").save(folder / "other.npz")
    for name in ("text.npz", "text.onnx.zip"):
        (folder / name).write_text("no file of this project")
    before = files(folder)
    options = [folder / option if option.endswith(".zip") else option for option in options]
    status, stderr = run("content.png", style, *options)
    assert (status, stderr.count("\n")) == (1, 1)
    assert complaint in stderr
    assert files(folder) == before


def test_a_folder_has_no_look_to_save(run, folder):
    Image.open(folder / "content.png").save(folder / "photos/a.png")
    before = files(folder)
    status, stderr = run("photos", "style.jpg", "--save-look", folder / "look.npz")
    assert (status, stderr.count("\n")) == (1, 1)
    assert "--save-look takes one photo" in stderr
    assert files(folder) == before


def test_a_folder_is_stylised_with_a_style_that_is_saved_on_the_way(run, folder):
    Image.open(folder / "content.png").save(folder / "photos/a.png")
    assert run("photos", "style.jpg", "-o", folder / "out", "--save-style", folder / "style.npz")[0] == 0
    assert run("content.png", "style.npz", "-o", folder / "alone.png") == (0, "")
    np.testing.assert_array_equal(read_rgb(folder / "out/a.png"), read_rgb(folder / "alone.png"))


@pytest.mark.parametrize(
    ("content", "style", "complaint"),
    [
        ("missing.jpg", "style.jpg", "missing.jpg: no such file"),
        ("content.png", "missing.jpg", "missing.jpg: no such file"),
        ("content.png", "photos", "photos is a folder, not a photo"),
        ("text.jpg", "style.jpg", "text.jpg is not a photo"),
        ("empty.jpg", "style.jpg", "empty.jpg is not a photo"),
        ("truncated.jpg", "style.jpg", "truncated.jpg is damaged"),
        ("content.png", "truncated.jpg", "truncated.jpg is damaged"),
        ("tiny.png", "style.jpg", "tiny.png is 5x5 pixels but must be at least 16x16"),
        ("photos", "style.jpg", "photos holds no photo"),
    ],
)
def test_a_bad_photo_is_one_line_and_no_file(run, folder, content, style, complaint):
    before = files(folder)
    status, stderr = run(content, style)
    assert status == 1
    assert stderr.startswith("error: ")
    assert complaint in stderr
    assert stderr.count("\n") == 1
    assert files(folder) == before


def test_a_decompression_bomb_is_one_line(run, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    status, stderr = run("content.png", "style.jpg")
    assert (status, stderr.count("\n")) == (1, 1)
    assert "decompression bomb" in stderr


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        ("style.jpg", "style.jpg exists; --overwrite replaces it"),
        ("photos", "photos: cannot write"),
        ("none/out.png", "none: no such folder"),
        ("out.gif", "cannot write .gif"),
    ],
)
def test_a_bad_output_is_refused(run, folder, output, complaint):
    before = files(folder)
    status, stderr = run("content.png", "style.jpg", "-o", folder / output)
    assert (status, stderr.count("\n")) == (1, 1)
    assert complaint in stderr
    assert files(folder) == before


def test_overwrite_replaces(run, folder):
    assert run("content.png", "style.jpg", "-o", folder / "style.jpg", "--overwrite") == (0, "")
    assert Image.open(folder / "style.jpg").size == (51, 40)


def test_a_checkpoint_of_the_other_backbone_is_refused(run, checkpoint):
    status, stderr = run("content.png", "style.jpg", "--checkpoint", checkpoint, backbone="vgg")
    assert (status, stderr.count("\n")) == (1, 1)
    assert "weights of the mobilenet backbone, not of vgg" in stderr


def test_a_teacher_without_weights_is_one_line(folder, capfd):
    arguments = [str(folder / "content.png"), str(folder / "style.jpg"), "--model", "teacher"]
    assert stylize.main("mobilenet", "Stylise.", arguments) == 1
    assert capfd.readouterr().err.startswith("error: --model teacher needs --checkpoint")


def test_a_folder_of_photos_goes_on_past_a_bad_one(run, folder):
    for name in ("a.png", "b.png"):
        Image.open(folder / "content.png").save(folder / "photos" / name)
    (folder / "photos/broken.jpg").write_text("no photo")
    status, stderr = run("photos", "style.jpg", "-o", folder / "out")
    assert status == 1
    assert "broken.jpg is not a photo" in stderr
    assert files(folder / "out") == ["a.png", "b.png"]


def test_a_folder_run_again_leaves_its_own_results_out(run, folder):
    Image.open(folder / "content.png").save(folder / "photos/a.png")
    assert run("photos", "style.jpg")[0] == 0
    assert run("photos", "style.jpg", "--overwrite")[0] == 0
    assert files(folder / "photos") == ["a.png", "a.stylized.png"]


def test_a_folder_run_goes_on_when_nobody_reads_what_it_prints(folder):
    """In a process of its own, whose pipe is closed before it starts."""
    for name in ("a.png", "b.png"):
        Image.open(folder / "content.png").save(folder / "photos" / name)
    (folder / "photos/0.jpg").write_text("no photo")
    reading, writing = os.pipe()
    os.close(reading)
    arguments = [folder / "photos", folder / "style.jpg", "-o", folder / "out"]
    command = [sys.executable, "-m", "mobilenet_backbone.stylize", *arguments]
    status = subprocess.run(command, cwd=ROOT, stdout=writing, stderr=writing).returncode
    os.close(writing)
    assert status == 1
    assert files(folder / "out") == ["a.png", "b.png"]


@pytest.mark.parametrize("strength", ["-1", "2", "nan", "much"])
def test_a_strength_out_of_range_is_a_usage_error(run, strength):
    with pytest.raises(SystemExit) as caught:
        run("content.png", "style.jpg", "--strength", strength)
    assert caught.value.code == 2


@pytest.mark.parametrize("backbone", ["vgg", "mobilenet"])
def test_the_command_is_quiet_when_all_is_well_and_short_when_not(folder, backbone, checkpoint):
    """In a process of its own: nothing of the backend's greetings, no traceback."""

    def command(content):
        arguments = [folder / content, folder / "style.jpg", "--checkpoint", checkpoint]
        return subprocess.run(
            [sys.executable, "-m", f"{backbone}_backbone.stylize", *arguments],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )

    done = command("content.png")
    if backbone == "mobilenet":
        assert (done.returncode, done.stderr) == (0, "")
    else:
        assert done.returncode == 1
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1
    failed = command("missing.png")
    assert (failed.returncode, failed.stderr) == (1, f"error: {folder / 'missing.png'}: no such file\n")
