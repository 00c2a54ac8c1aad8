"""The predictor that is shipped: what holds for any two photos, and that it is worth having."""

import json
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest

from common.errors import InputError
from common.evaluation import scores
from common.evaluation.colour_transfer import monge_kantorovich, reinhard
from common.grading import grades, lut, truth
from common.grading.lut import LUMA
from common.grading.runtime import DEFAULT, GradePredictor
from common.photos import photo_paths, read_rgb, shrink_to_side

REPOSITORY = Path(__file__).resolve().parents[2]
PHOTOS = REPOSITORY / "notebooks" / "photos"


@pytest.fixture(scope="module")
def predictor():
    return GradePredictor.load()


@pytest.fixture(scope="module")
def photographs():
    """Photos that nothing was trained on, small."""
    return [shrink_to_side(read_rgb(path), 240) for path in photo_paths(PHOTOS)]


def odd_photos():
    """Photos at the edge of what there is."""
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, (60, 50, 3), np.uint8)
    return {
        "noise": noise,
        "grey": np.repeat(noise[..., :1], 3, axis=2),
        "black": np.zeros((40, 40, 3), np.uint8),
        "white": np.full((40, 40, 3), 255, np.uint8),
        "one colour": np.full((40, 40, 3), (255, 0, 80), np.uint8),
        "16x16": noise[:16, :16],
        "one pixel": noise[:1, :1],
        "floats": noise.astype(np.float32) / 255,
    }


ODD = odd_photos()


def graded(predictor, content, style):
    return lut.apply(predictor.lut(predictor.describe(content), predictor.describe(style)), content)


def test_a_photo_graded_like_itself_stays_as_it_is(predictor, photographs):
    for photo in photographs:
        assert scores.ciede2000(graded(predictor, photo, photo), photo) < 0.05


@pytest.mark.parametrize("content", ODD)
@pytest.mark.parametrize("style", ODD)
def test_any_two_photos_give_a_finite_grade_whose_ramp_rises(predictor, content, style):
    grade = predictor.lut(predictor.describe(ODD[content]), predictor.describe(ODD[style]))
    assert grade.dtype == np.float32
    assert np.isfinite(grade).all()
    assert lut.falls(grade) == 0


def test_photographs_give_a_grade_whose_ramp_rises(predictor, photographs):
    descriptors = [predictor.describe(photo) for photo in photographs]
    for content in descriptors:
        for style in descriptors:
            assert lut.falls(predictor.lut(content, style)) == 0


def test_a_sky_does_not_band(predictor, photographs):
    """A gradient of half a level a pixel keeps getting brighter, nowhere by more than three times as much as on average."""
    sky = np.linspace([0.3, 0.55, 0.8], [0.75, 0.85, 0.95], 230, dtype=np.float32)
    descriptors = [predictor.describe(photo) for photo in photographs]
    for content in descriptors:
        for style in descriptors:
            steps = np.diff(lut.apply(predictor.lut(content, style), sky) @ LUMA)
            assert steps.min() >= 0
            assert steps.max() < max(3 * steps.mean(), 1 / 255)


def test_it_is_nearer_to_the_right_answer_than_closed_forms(predictor):
    errors = {"grade": [], "untouched": [], "Reinhard": [], "Monge-Kantorovich": []}
    for pair in truth.make(photo_paths(PHOTOS), "overlapping", grades.family("training"), 14, 3, 160):
        floats = pair.content / 255, pair.style / 255
        results = {
            "grade": graded(predictor, pair.content, pair.style),
            "untouched": pair.content,
            "Reinhard": np.clip(reinhard(*floats), 0, 1),
            "Monge-Kantorovich": np.clip(monge_kantorovich(*floats), 0, 1),
        }
        for name, result in results.items():
            errors[name].append(scores.ciede2000(result, pair.truth))
    means = {name: np.mean(values) for name, values in errors.items()}
    assert means["grade"] < 0.9 * min(means["Reinhard"], means["Monge-Kantorovich"])
    assert means["grade"] < 0.7 * means["untouched"]


def test_it_finds_most_of_the_way_back(predictor):
    for pair in truth.make(photo_paths(PHOTOS), "overlapping", grades.family("training"), 6, 4, 160):
        there = graded(predictor, pair.content, pair.style)
        back = graded(predictor, there, pair.content)
        away = scores.ciede2000(there, pair.content)
        assert scores.ciede2000(back, pair.content) < max(2, 0.6 * away)


def test_a_pair_takes_under_30_ms(predictor, photographs):
    taken = []
    for _ in range(10):
        start = time.perf_counter()
        predictor.lut(predictor.describe(photographs[0]), predictor.describe(photographs[1]))
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.03


def test_nothing_of_keras_is_imported():
    code = (
        "import sys, numpy as np; from common.grading.runtime import GradePredictor; p = GradePredictor.load();"
        "p.describe(np.zeros((9, 9, 3), np.uint8)); assert not {'keras', 'tensorflow', 'jax', 'skimage'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True)


def test_files_that_are_no_predictor_are_refused_in_a_sentence(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        GradePredictor.load(tmp_path / "none.onnx.zip")
    (tmp_path / "bad.onnx.zip").write_bytes(b"nothing")
    with pytest.raises(InputError, match="not a predictor of grades"):
        GradePredictor.load(tmp_path / "bad.onnx.zip")
    with zipfile.ZipFile(tmp_path / "other.onnx.zip", "w") as packed:
        packed.writestr("description.json", json.dumps({"kind": "onnx student", "version": 1}))
    with pytest.raises(InputError, match="of kind 'onnx student'"):
        GradePredictor.load(tmp_path / "other.onnx.zip")


def test_a_damaged_member_is_refused_in_a_sentence(tmp_path):
    with zipfile.ZipFile(DEFAULT) as packed, zipfile.ZipFile(tmp_path / "a.onnx.zip", "w") as damaged:
        for name in packed.namelist():
            damaged.writestr(name, packed.read(name)[:1000] if name == "mapper.onnx" else packed.read(name))
    with pytest.raises(InputError, match="not a predictor of grades"):
        GradePredictor.load(tmp_path / "a.onnx.zip")


@pytest.mark.parametrize("change", [{"descriptor": 7}, {"descriptor": "many"}, {"record": []}])
def test_a_description_that_does_not_fit_is_refused_with_the_files_name(tmp_path, change):
    with zipfile.ZipFile(DEFAULT) as packed, zipfile.ZipFile(tmp_path / "a.onnx.zip", "w") as damaged:
        for name in packed.namelist():
            content = packed.read(name)
            if name == "description.json":
                content = json.dumps(json.loads(content) | change)
            damaged.writestr(name, content)
    with pytest.raises(InputError, match=r"a\.onnx\.zip is not a predictor of grades"):
        GradePredictor.load(tmp_path / "a.onnx.zip")


def test_a_descriptor_of_another_length_is_an_input_error(predictor):
    with pytest.raises(InputError, match="a descriptor has"):
        predictor.lut(np.zeros(3, np.float32), np.zeros(3, np.float32))
