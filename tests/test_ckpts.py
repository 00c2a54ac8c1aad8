"""The trained weights that come with the project are what their record says."""

import json

import numpy as np
import pytest

from common.checkpoints import CKPTS
from common.images import read_rgb
from common.stylize import Stylizer
from mobilenet_backbone import student

PHOTOS = CKPTS.parent / "notebooks" / "photos"
RECORD = json.loads((CKPTS / "mobilenet" / "student.json").read_text())


@pytest.fixture(scope="module")
def model():
    return student.load()


@pytest.mark.parametrize("level", range(4))
def test_a_photo_is_reconstructed_about_as_well_as_recorded(model, level):
    images = read_rgb(PHOTOS / "summer_palace.jpg")[None, :416, :640].astype(np.float32) / 255
    error = np.mean((np.clip(model.reconstruct(images, level), 0, 1) - images) ** 2)
    assert -10 * np.log10(error) > RECORD["figures"]["psnr"][level] - 6


def test_eigenbases_come_along(model):
    assert [basis.shape for basis in model.eigenbases] == [(32, 10), (64, 19), (128, 37), (256, 54)]


def test_no_channel_is_dead():
    assert all(live == width for _, live, width in RECORD["figures"]["live"])


def test_the_demo_takes_the_light_of_its_style(model):
    stylizer = Stylizer(model)
    content, style = (read_rgb(PHOTOS / name) for name in ("summer_palace.jpg", "rocket_launch.jpg"))
    result = stylizer.apply(content, stylizer.analyze(style))
    before, after = (np.abs(photo.mean((0, 1)) - style.mean((0, 1))).sum() for photo in (content, result))
    assert after < before / 3
