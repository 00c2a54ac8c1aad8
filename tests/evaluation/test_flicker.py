"""Measures of flicker, on films whose flicker is known, and the command that prints them."""

import numpy as np
import pytest

from common.commands import flicker as command
from common.errors import InputError
from common.evaluation.flicker import flicker, summary
from common.photos.films import Frame
from tests import toy_films


def film(arrays):
    return [Frame(array, index / 25) for index, array in enumerate(arrays)]


def brighter(arrays, steps):
    return [np.clip(array.astype(int) + step, 0, 255).astype(np.uint8) for array, step in zip(arrays, steps, strict=True)]


@pytest.fixture(scope="module")
def pan():
    """Twelve frames between grey levels 40 and 200, so that steps of brightness clip nothing."""
    frames = toy_films.pan("city_content", 12, 192, 128, step=2)
    return [(40 + frame * (160 / 255)).astype(np.uint8) for frame in frames]


def measured(originals, styled):
    return [summary(of_film) for of_film in zip(*flicker(film(originals), film(styled)), strict=True)]


def test_a_film_is_as_steady_as_itself(pan):
    original, styled = measured(pan, pan)
    assert original == styled
    assert 0 < original.warp_error < 20  # what moves by whole pixels is found by the flow


def test_nothing_moves_in_a_still(pan):
    original, styled = measured([pan[0]] * 5, [pan[3]] * 5)
    assert original.warp_error == styled.warp_error == 0
    assert original.luma_jumps == styled.luma_jumps == 0
    assert styled.contrast > 10


def test_flicker_is_what_it_was_made_to_be(pan):
    """Brightness that goes up and down by 6 levels is 6/255 of warp error, and jumps of +6 and -6."""
    still = [pan[0]] * 13
    _, styled = measured(still, brighter(still, [0, 6] * 6 + [0]))
    assert styled.warp_error == pytest.approx(1000 * 6 / 255, rel=0.02)
    assert styled.luma_jumps == pytest.approx(6, rel=0.02)


def test_flicker_in_a_pan_is_seen(pan):
    original, styled = measured(pan, brighter(pan, [0, 8] * 6))
    assert styled.warp_error > original.warp_error + 12
    assert styled.contrast == pytest.approx(original.contrast, abs=0.1)


def test_shots_are_measured_by_themselves(pan):
    """The jump at a cut is in no shot."""
    other = [
        np.full((128, 192, 3), 250, np.uint8) - frame for frame in toy_films.pan("mountain_content", 6, 192, 128, step=0)
    ]
    shots = flicker(film([*pan, *other]), film([*pan, *other]))
    assert [len(original.lumas) for original, _ in shots] == [12, 6]
    assert shots[1][0].summary().warp_error == 0


def test_films_of_different_length_are_refused(pan):
    for first, second in ((pan, pan[:5]), (pan[:5], pan)):
        with pytest.raises(InputError, match="ends after 5 frames, before"):
            flicker(film(first), film(second))


def test_the_command_prints_a_row_for_each_shot(pan, tmp_path, capsys):
    cut = [*pan, *toy_films.pan("mountain_content", 6, 192, 128)]
    original = toy_films.write(tmp_path / "film.mp4", cut)
    styled = toy_films.write(tmp_path / "styled.mp4", brighter(cut, [0, 8] * 9))
    assert command.main([str(original), str(styled)]) == 0
    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [row[:2] for row in rows] == [["| 1", "12"], ["| 2", "6"], ["| all", "18"]]
    assert float(rows[-1][4]) > 1.5
    assert command.main([str(original), str(tmp_path / "none.mp4")]) == 1
    assert capsys.readouterr().err.endswith("none.mp4: no such file\n")
