"""The set of two domains whose right answers are known."""

import json

import numpy as np
import pytest
from PIL import Image

from stargan_v2 import make_day_and_dusk
from stargan_v2.dusk import RANGES, at_dusk, random_dusk, small
from tests.toys import write_photos

COUNT = 24


@pytest.fixture
def made(tmp_path):
    photos = write_photos(tmp_path / "photos", COUNT)
    assert make_day_and_dusk.main([str(photos), "-o", str(tmp_path / "set"), "--size", "16"]) == 0
    return tmp_path / "set", json.loads((tmp_path / "set/truth.json").read_text())


def pixels(path):
    return np.asarray(Image.open(path), np.float32) / 255


def test_every_photo_is_in_one_part_of_one_domain(made):
    folder, _ = made
    counts = {f"{path.parent.name}/{path.name}": len(list(path.iterdir())) for path in folder.glob("t*/d*")}
    assert counts == {"train/day": 10, "tune/day": 1, "test/day": 1, "train/dusk": 10, "tune/dusk": 1, "test/dusk": 1}
    photos = {path.read_bytes() for path in folder.glob("*/d*/*.png")}
    assert len(photos) == COUNT
    assert all(Image.open(path).size == (16, 16) for path in folder.glob("*/*/*.png"))


def test_the_answer_is_the_photo_at_the_references_dusk(made):
    folder, record = made
    day, dusk = record["answers"]
    expected = at_dusk(pixels(folder / day["photo"]), record["parameters"][day["reference"]])
    np.testing.assert_allclose(pixels(folder / day["answer"]), expected, atol=2 / 255)
    back = at_dusk(pixels(folder / dusk["answer"]), record["parameters"][dusk["photo"]])
    np.testing.assert_allclose(back, pixels(folder / dusk["photo"]), atol=2 / 255)
    assert (day["target"], dusk["target"]) == ("dusk", "day")


def test_every_dusk_is_on_record(made):
    folder, record = made
    assert set(record["parameters"]) == {path.relative_to(folder).as_posix() for path in folder.glob("*/dusk/*.png")}


def test_dusks_are_within_their_ranges_blue_and_orange(rng):
    dusks = [random_dusk(rng) for _ in range(200)]
    for name, (low, high) in RANGES.items():
        assert all(low <= abs(dusk[name]) <= high for dusk in dusks)
    assert 60 < sum(dusk["warmth"] > 0 for dusk in dusks) < 140


def test_what_each_parameter_does():
    grey = np.full((5, 4, 3), 0.6, np.float32)
    none = {"exposure": 1.0, "warmth": 0.0, "saturation": 1.0, "glow": 0.0}
    np.testing.assert_allclose(at_dusk(grey, none), grey, atol=1e-6)
    np.testing.assert_allclose(at_dusk(grey, none | {"exposure": 0.5}), 0.3, atol=1e-6)
    orange = at_dusk(grey, none | {"warmth": 1.0})[0, 0]
    assert orange[0] > orange[1] > orange[2]
    np.testing.assert_allclose(np.ptp(at_dusk(grey, none | {"warmth": 1.0, "saturation": 0.0}), axis=-1), 0, atol=1e-6)
    glow = at_dusk(grey, none | {"glow": 0.2})
    np.testing.assert_allclose(glow[0], grey[0])
    np.testing.assert_allclose(glow[-1, 0], [0.8, 0.7, 0.62], atol=1e-6)


def test_a_small_photo_shows_all_of_its_shorter_side():
    photo = np.zeros((40, 80, 3), np.uint8)
    photo[:, 20:60] = 255
    assert small(photo, 16).shape == (16, 16, 3)
    assert small(photo, 16).min() > 0.8


def test_the_same_seed_makes_the_same_set(tmp_path):
    photos = write_photos(tmp_path / "photos", COUNT)
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert make_day_and_dusk.main([str(photos), "-o", str(tmp_path / name), "--size", "16", "--seed", str(seed)]) == 0
    a, b, c = ((tmp_path / name / "truth.json").read_text() for name in "abc")
    assert a == b
    assert json.loads(a)["parameters"] != json.loads(c)["parameters"]


@pytest.mark.parametrize(("count", "there", "message"), [(6, False, "needs 20"), (COUNT, True, "exists")])
def test_what_cannot_be_made_is_one_sentence(tmp_path, capsys, count, there, message):
    photos = write_photos(tmp_path / "photos", count)
    if there:
        (tmp_path / "set").mkdir()
        (tmp_path / "set" / "truth.json").write_text("{}")
    assert make_day_and_dusk.main([str(photos), "-o", str(tmp_path / "set")]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
