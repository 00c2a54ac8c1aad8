"""The stylize command: what it writes, and one clear line for what it cannot do."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from common import checkpoints, cli, images, stylize_photos
from mobilenet_backbone import stylize as mobilenet
from mobilenet_backbone.student import build
from vgg_backbone import stylize as vgg

ROOT = Path(__file__).resolve().parents[1]


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
def run(folder, checkpoint, capfd):
    """`run("content.png", "style.jpg", ...)` -> exit status and stderr; paths are below `folder`."""

    def stylize(content, style, *options, backbone=mobilenet):
        arguments = [str(folder / content), str(folder / style), *map(str, options)]
        if "--checkpoint" not in arguments:
            arguments += ["--checkpoint", str(checkpoint)]
        capfd.readouterr()
        status = stylize_photos.main(backbone.__doc__, backbone.load, arguments)
        return status, capfd.readouterr().err

    return stylize


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_an_error_stands_alone_on_its_line_where_a_bar_was(run, monkeypatch):
    monkeypatch.setattr(stylize_photos, "PATIENCE", 0)
    _, printed = run("truncated.jpg", "style.jpg")
    *bar, last = printed.split("\r")
    assert any("%" in each for each in bar)
    assert last.startswith("error: ")


@pytest.mark.parametrize("arguments", [("text.jpg", "style.jpg"), ("content.png", "text.jpg"), ("content.png", "empty.jpg")])
def test_what_is_no_photo_is_found_before_anything_slow(run, monkeypatch, arguments):
    monkeypatch.setattr(cli, "import_backend", lambda: pytest.fail("imported"))
    status, printed = run(*arguments)
    assert status == 1
    assert printed.endswith(f"{'empty' if 'empty.jpg' in arguments else 'text'}.jpg is not a photo that can be read\n")


def test_the_result_lies_beside_the_content(run, folder):
    assert run("content.png", "style.jpg") == (0, "")
    assert Image.open(folder / "content.stylized.png").size == (51, 40)


@pytest.mark.parametrize(
    "options",
    [("--transform", "ot"), ("--transform", "adain"), ("--strength", "0.5"), ("--no-smoothing",), ("--fit", "resize")],
)
def test_options_change_the_result(run, folder, options):
    assert run("content.png", "style.jpg", "-o", folder / "plain.png") == (0, "")
    assert run("content.png", "style.jpg", "-o", folder / "other.png", *options) == (0, "")
    plain, other = (images.read_rgb(folder / name) for name in ("plain.png", "other.png"))
    assert other.shape == ((32, 48, 3) if "resize" in options else plain.shape)
    assert not np.array_equal(plain, other)


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
    status, stderr = run("content.png", "style.jpg", backbone=vgg)
    assert (status, stderr.count("\n")) == (1, 1)
    assert "weights of the mobilenet backbone, not of vgg" in stderr


def test_what_the_backend_says_of_a_large_photo_is_kept_from_the_user(folder):
    Image.new("RGB", (1500, 1400), "teal").save(folder / "large.png")
    command = [sys.executable, "-m", "mobilenet_backbone.stylize", folder / "large.png", folder / "style.jpg"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "oneDNN" not in done.stderr


def test_a_teacher_without_weights_is_one_line(folder, capfd):
    arguments = [str(folder / "content.png"), str(folder / "style.jpg"), "--model", "teacher"]
    assert stylize_photos.main(mobilenet.__doc__, mobilenet.load, arguments) == 1
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
