"""The trained weights that come with the project are what their record says."""

import json

import numpy as np
import pytest

from common.checkpoints import CKPTS
from common.images import read_rgb
from common.stylize import Stylizer
from mobilenet_backbone import student as mobilenet
from vgg_backbone import student as vgg

STUDENTS = {"vgg": vgg, "mobilenet": mobilenet}
EIGENBASES = {
    "vgg": [(64, 10), (128, 20), (256, 58), (512, 64)],
    "mobilenet": [(32, 10), (64, 19), (128, 37), (256, 54)],
}
PHOTOS = CKPTS.parent / "notebooks" / "photos"


@pytest.fixture(scope="module", params=STUDENTS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(name):
    return STUDENTS[name].load()


@pytest.fixture
def record(name):
    return json.loads((CKPTS / name / "student.json").read_text())


@pytest.mark.parametrize("level", range(4))
def test_a_photo_is_reconstructed_about_as_well_as_recorded(model, record, level):
    images = read_rgb(PHOTOS / "summer_palace.jpg")[None, :416, :640].astype(np.float32) / 255
    error = np.mean((np.clip(model.reconstruct(images, level), 0, 1) - images) ** 2)
    assert -10 * np.log10(error) > record["figures"]["psnr"][level] - 6


def test_eigenbases_come_along(model, name):
    assert [basis.shape for basis in model.eigenbases] == EIGENBASES[name]


def test_no_channel_is_dead(record):
    assert all(live == width for _, live, width in record["figures"]["live"])


def test_students_are_small():
    assert sum((CKPTS / name / "student.weights.h5").stat().st_size for name in STUDENTS) < 2_000_000


def test_the_demo_takes_the_light_of_its_style(model):
    stylizer = Stylizer(model)
    content, style = (read_rgb(PHOTOS / name) for name in ("summer_palace.jpg", "rocket_launch.jpg"))
    result = stylizer.apply(content, stylizer.analyze(style))
    before, after = (np.abs(photo.mean((0, 1)) - style.mean((0, 1))).sum() for photo in (content, result))
    assert after < before / 3
