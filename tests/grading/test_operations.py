"""Known grades: the mathematics of single operations, and families that are seeded and recordable."""

import json

import numpy as np
import pytest

from common.errors import InputError
from common.grading import grades, operations
from common.grading.cube import write_cube
from common.grading.lut import identity

GREYS = np.repeat(np.linspace(0, 1, 33, dtype=np.float32)[:, None], 3, axis=1)
# Parameters at which an operation changes nothing.
NEUTRAL = {
    "exposure": {"stops": 0},
    "white_balance": {"gains": [1, 1, 1]},
    "contrast": {"slope": 1, "pivot": 0.5},
    "saturation": {"factor": 1},
    "gamma": {"exponent": 1},
    "split_tone": {"shadows": [0, 0, 0], "highlights": [0, 0, 0]},
    "curves": {"knots": [[0, 0.5, 1]] * 3},
    "matrix": {"rows": np.eye(3).tolist()},
    "waves": {"amplitudes": [0, 0, 0], "frequencies": np.eye(3).tolist(), "phases": [0, 0, 0]},
    "lift_gamma_gain": {"lift": [0, 0, 0], "gamma": [1, 1, 1], "gain": [1, 1, 1]},
    "cdl": {"slope": [1, 1, 1], "offset": [0, 0, 0], "power": [1, 1, 1], "saturation": 1},
    "hue_rotation": {"degrees": 0},
    "duotone": {"dark": [0, 0, 0], "light": [1, 1, 1], "amount": 0},
    "lut": {"nodes": identity(5).tolist()},
}


@pytest.mark.parametrize("name", NEUTRAL)
def test_neutral_parameters_change_nothing(name, rng):
    pixels = rng.random((50, 3), np.float32)
    np.testing.assert_allclose(grades.apply([[name, NEUTRAL[name]]], pixels), pixels, atol=1e-6)


def test_a_film_curve_keeps_black_and_white_and_rises():
    graded = grades.apply([["film_curve", {"speed": [0.5, 0, -0.5], "slope": [0.8, 1, 1.2]}]], GREYS)
    np.testing.assert_allclose(graded[0], 0, atol=1e-3)
    np.testing.assert_allclose(graded[-1], 1, atol=1e-6)
    assert (np.diff(graded, axis=0) > 0).all()


def test_a_stop_doubles_the_light():
    (graded,) = operations.exposure(np.full((1, 3), 0.25, np.float32), 1)
    np.testing.assert_allclose(graded**operations.GAMMA, 2 * 0.25**operations.GAMMA, rtol=1e-5)


def test_saturation_of_zero_leaves_luma_alone(rng):
    pixels = rng.random((20, 3), np.float32)
    np.testing.assert_allclose(operations.saturation(pixels, 0), np.repeat(operations.luma(pixels), 3, axis=1), atol=1e-6)


def test_hue_turned_by_a_third_swaps_channels_and_greys_stay(rng):
    pixels = rng.random((20, 3), np.float32)
    turned = operations.hue_rotation(pixels, 120)
    assert any(np.allclose(turned, np.roll(pixels, shift, axis=1), atol=1e-6) for shift in (1, 2))
    np.testing.assert_allclose(operations.hue_rotation(GREYS, 77), GREYS, atol=1e-6)


def test_a_full_duotone_runs_from_one_colour_to_the_other():
    graded = operations.duotone(GREYS, [0.1, 0, 0.3], [1, 0.9, 0.8], 1)
    np.testing.assert_allclose(graded[[0, -1]], [[0.1, 0, 0.3], [1, 0.9, 0.8]], atol=1e-6)


@pytest.mark.parametrize("family", [*grades.FAMILIES.values(), grades.wide_grade])
def test_a_family_repeats_with_its_seed_and_survives_json(family, rng):
    pixels = rng.random((30, 3), np.float32)
    first, second = (family(np.random.default_rng(3)) for _ in range(2))
    graded = grades.apply(first, pixels)
    np.testing.assert_array_equal(graded, grades.apply(json.loads(json.dumps(second)), pixels))
    assert graded.min() >= 0
    assert graded.max() <= 1
    assert family(np.random.default_rng(4)) != first


def test_no_operation_of_the_testing_family_is_trained_on():
    random = np.random.default_rng(0)
    trained = {name for _ in range(60) for name, _ in grades.training_grade(random) + grades.wide_grade(random)}
    tested = {name for _ in range(60) for name, _ in grades.testing_grade(random)}
    assert tested == {"lift_gamma_gain", "cdl", "hue_rotation", "film_curve", "duotone"}
    assert not trained & tested


def test_a_folder_of_cubes_is_a_family(tmp_path, rng):
    write_cube(1 - identity(3), tmp_path / "negative.cube")
    grade = grades.family(tmp_path)(rng)
    np.testing.assert_allclose(grades.apply(grade, GREYS), 1 - GREYS, atol=1e-6)


def test_an_unknown_family_or_step_is_named(tmp_path):
    with pytest.raises(InputError, match=r"neither training nor strong nor testing nor a folder of \.cube files"):
        grades.family(tmp_path)
    with pytest.raises(InputError, match="no step sharpen"):
        grades.require_known([["sharpen", {}]])
