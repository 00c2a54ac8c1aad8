"""The trained weights that come with the project are what their record says."""

import json

import numpy as np
import pytest
from PIL import Image

from adain import CKPTS as ADAIN
from adain import weights
from common.evaluation.network_quality import measure
from common.network.backbone import CKPTS
from common.photos import photo_paths, read_rgb
from common.transfer.stylizer import Stylizer
from mobilenet_backbone import student as mobilenet
from stargan_v2 import CKPTS as STARGAN
from stargan_v2 import checkpoints, grids
from stargan_v2.batches import resized
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


@pytest.fixture(scope="module")
def measures(model):
    """Of the model, over the middle 256x256 pixels of each photo in notebooks/photos."""

    def middle(photo):
        top, left = ((size - 256) // 2 for size in photo.shape[:2])
        return photo[None, top : top + 256, left : left + 256].astype(np.float32) / 255

    return measure(model, [(middle(read_rgb(path)),) for path in photo_paths(PHOTOS)])


@pytest.mark.parametrize("level", range(4))
def test_photos_are_reconstructed_as_well_as_recorded(measures, record, level):
    """On these photos 0.6 to 1.6 dB better than on those of the record."""
    assert measures.psnr[level] > record["figures"]["psnr"][level]


def test_eigenbases_come_along(model, name):
    assert [basis.shape for basis in model.eigenbases] == EIGENBASES[name]


def test_no_channel_is_dead(measures, record):
    assert [list(row) for row in measures.live] == record["figures"]["live"]
    assert all(live == width for _, live, width in measures.live)


def test_students_are_small():
    assert sum((CKPTS / name / "student.weights.h5").stat().st_size for name in STUDENTS) < 2_000_000


def test_the_demo_takes_the_light_of_its_style(model):
    stylizer = Stylizer(model)
    content, style = (read_rgb(PHOTOS / name) for name in ("summer_palace.jpg", "rocket_launch.jpg"))
    result = stylizer.apply(content, stylizer.analyze(style))
    before, after = (np.abs(photo.mean((0, 1)) - style.mean((0, 1))).sum() for photo in (content, result))
    assert after < before / 3


@pytest.fixture(scope="module", params=["baseline", "pruned"])
def painter(request):
    return weights.load(ADAIN / f"{request.param}.npz")


def test_painters_are_small():
    assert sum(path.stat().st_size for path in ADAIN.iterdir()) < 5_000_000


def test_a_painter_takes_the_colours_of_its_style(painter):
    content, style = (read_rgb(PHOTOS / name)[::4, ::4] for name in ("summer_palace.jpg", "rocket_launch.jpg"))
    means = [255 * painter.stylize(content, style, strength).mean((0, 1)) for strength in (0, 1)]
    before, after = (np.abs(mean - style.mean((0, 1))).sum() for mean in means)
    assert np.abs(means[0] - content.mean((0, 1))).max() < 20
    assert after < before / 2


def test_the_channels_that_were_cut_hardly_respond():
    """To photos and styles that no network saw; `norms.npz` is of these. The baseline has no such channels."""
    with np.load(ADAIN / "norms.npz") as norms:
        kept, shares = norms["kept"], {}
        for name in ("baseline", "channel_xor"):
            of_channels = np.sort(norms[name].astype(float).sum(0)) / norms[name].sum(dtype=float)
            shares[name] = of_channels[: len(of_channels) - len(kept)].sum()
    assert len(kept) == weights.load(ADAIN / "pruned.npz").bottleneck
    assert shares["channel_xor"] < 0.002
    assert shares["baseline"] > 0.5


def test_the_gans_student_is_small_and_what_its_record_says():
    assert sum(path.stat().st_size for path in STARGAN.iterdir()) < 2_000_000
    student, record = checkpoints.load(STARGAN / "student.npz"), json.loads((STARGAN / "student.json").read_text())
    assert student.step == record["steps"]
    assert student.config._asdict() == record["networks"]
    assert {name: network.count_params() for name, network in student.networks.items()} == record["parameters"]


def test_at_dusk_photos_are_darker_and_of_their_references_colour():
    student = checkpoints.load(STARGAN / "student.npz")
    names = ("summer_palace", "lake_content", "mountain_content", "city_style", "stream_style")
    *contents, blue, brown = (resized(read_rgb(PHOTOS / f"{name}.jpg"), student.config.size) for name in names)
    dusk = np.repeat(np.eye(2, dtype=np.float32)[None, student.domains.index("dusk")], 2, axis=0)
    sheet = grids.reference_grid(student.networks, np.stack(contents), np.stack([blue, brown]), dusk)
    before, *after = (row[1:].mean((1, 2)) for row in sheet)
    assert all((row.mean(1) < before.mean(1) - 0.2).all() for row in after)
    in_blue, in_brown = (row[:, 2] - row[:, 0] for row in after)
    assert (in_blue > in_brown + 0.1).all()


def test_the_teachers_samples_are_of_the_same_photos():
    sides = {name: Image.open(STARGAN / f"teacher_{name}.png").size for name in ("reference", "random")}
    assert sides == {"reference": (6 * 32, 5 * 32), "random": (5 * 32, 7 * 32)}
