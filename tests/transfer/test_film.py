"""Films: steadier than frames by themselves, and a cut, a flash or a fade is told from each other."""

import itertools
import threading

import cv2
import numpy as np
import pytest

from common.errors import InputError
from common.network.registry import load_network
from common.photos.cuts import Cuts
from common.photos.films import Frame
from common.transfer.film import Light, steady_looks
from common.transfer.look import CELLS, Look
from common.transfer.stylizer import Stylizer
from tests import toy_films

SIZE = 128


@pytest.fixture(scope="module")
def stylizer():
    return Stylizer(load_network("mobilenet"), size=SIZE)


@pytest.fixture(scope="module")
def style(stylizer):
    return stylizer.analyze(toy_films.PHOTOS / "summer_palace_at_dusk.jpg")


def shots_of(frames, rate=25):
    cuts = Cuts()
    return [cuts.shot(frame, index / rate) for index, frame in enumerate(frames)]


def scaled(frame, gain, offset=0):
    return np.clip(frame * float(gain) + offset, 0, 255).astype(np.uint8)


# --- cuts ----------------------------------------------------------------------------------------------------------------

NAMES = ("lake_content", "city_content", "mountain_content", "stream_content", "portrait_content", "summer_palace")


def test_every_cut_between_photos_is_found():
    frames = [frame for name in NAMES for frame in toy_films.pan(name, 8)]
    assert shots_of(frames) == [index // 8 for index in range(48)]


@pytest.mark.parametrize("step", [1, 4])
def test_a_pan_has_no_cut(step):
    assert set(shots_of(toy_films.pan("city_content", 25, step=step))) == {0}


@pytest.mark.parametrize("seconds", [0.3, 1, 2])
def test_a_fade_from_and_to_black_has_no_cut_within(seconds):
    """In and out: at most the black at its ends is another shot, never the middle of a fade."""
    count = round(25 * seconds)
    lake = toy_films.pan("lake_content", 2 * count)
    gains = [*np.linspace(0, 1, count), *np.linspace(1, 0, count)]
    shots = shots_of([scaled(frame, gain) for frame, gain in zip(lake, gains, strict=True)])
    bright = [shot for shot, gain in zip(shots, gains, strict=True) if gain > 0.2]
    assert len(set(bright)) == 1


def test_frames_that_cross_over_have_one_cut_at_most():
    lake, city = toy_films.pan("lake_content", 30), toy_films.pan("city_content", 30)
    mixed = [scaled(a, 1 - k / 29) + scaled(b, k / 29) for k, (a, b) in enumerate(zip(lake, city, strict=True))]
    assert len(set(shots_of(mixed))) <= 2


@pytest.mark.parametrize("length", [1, 3, 8])
def test_after_a_flash_the_shot_goes_on(length):
    frames = toy_films.pan("lake_content", 40)
    for index in range(15, 15 + length):
        frames[index] = scaled(frames[index], 0.1, 228)
    shots = shots_of(frames)
    assert set(shots[:15] + shots[15 + length :]) == {0}


def test_brightness_that_jumps_is_no_cut():
    frames = toy_films.pan("lake_content", 20)
    assert set(shots_of([scaled(frame, 0.5 if index % 2 else 1) for index, frame in enumerate(frames)])) == {0}


# --- averages over time --------------------------------------------------------------------------------------------------


def numbered(value):
    return Look(np.full((2, 2, 2, 4, 3), value, np.float32))


def values(frames, looks, **options):
    """The number that each frame's look holds, of looks that are numbered."""
    looks = iter(looks)
    return [float(look.grid.mean()) for _, look in steady_looks(frames, lambda _: numbered(next(looks)), **options)]


def still(count, rate=25, name="lake_content"):
    picture = toy_films.view(name)
    return [Frame(picture, index / rate) for index in range(count)]


@pytest.mark.parametrize("rate", [10, 25, 60])
def test_a_step_takes_the_same_time_at_every_rate_and_does_not_lag(rate):
    """Half of it is done when it happens; it begins and ends `smoothing` before and after."""
    found = values(still(4 * rate, rate), [0] * (2 * rate) + [1] * (2 * rate), smoothing=0.5)
    middle, reach = 2 * rate, rate // 2
    assert (found[middle - 1] + found[middle]) / 2 == pytest.approx(0.5, abs=1e-3)
    assert found[middle - reach - 1] == 0
    assert found[middle + reach] == pytest.approx(1)
    assert np.diff(found).min() >= -1e-6


def test_without_smoothing_each_frame_has_its_own_look():
    assert values(still(4), [0, 1, 2, 3], smoothing=0) == [0, 1, 2, 3]


def test_what_changes_evenly_is_followed_without_delay():
    found = values(still(40), range(40), smoothing=0.4)
    assert found[10:30] == pytest.approx(range(10, 30), abs=1e-3)


def test_nothing_leaks_over_a_cut():
    frames = [*still(5), *still(5, name="city_content")]
    frames = [Frame(frame.pixels, index / 25) for index, frame in enumerate(frames)]
    assert values(frames, [3] * 5 + [7] * 5, smoothing=10) == pytest.approx([3] * 5 + [7] * 5, abs=1e-5)


def test_a_flash_leaves_no_trace_after_it():
    frames = still(20)
    frames[8] = frames[8]._replace(pixels=np.full_like(frames[8].pixels, 255))
    found = values(frames, [1] * 8 + [9] + [1] * 11, smoothing=0.5)
    assert found == pytest.approx([1] * 8 + [9] + [1] * 11, abs=1e-5)


def test_a_fade_to_black_stays_one(stylizer, style):
    """Light goes evenly as in the film, and black is black."""
    lake = toy_films.pan("lake_content", 50)
    gains = [*[1] * 15, *np.linspace(1, 0, 25), *[0] * 10]
    frames = [scaled(frame, gain) for frame, gain in zip(lake, gains, strict=True)]
    lumas = np.array([frame.mean() for frame in stylizer.film(frames, style)])
    assert np.diff(lumas[18:]).max() < 0.5
    assert lumas[27] == pytest.approx(0.5 * lumas[14], rel=0.3)
    assert lumas[40:].max() < 1


def test_what_hides_the_view_is_no_fade():
    """A grey wall before the camera: looks are made of it, too."""
    wall = np.random.default_rng(0).normal(110, 12, (64, 96, 3)).clip(0, 255).astype(np.uint8)
    light, frames = Light(), [*[toy_films.view("lake_content")] * 5, *[wall] * 5]
    assert [light.measure(Frame(frame, index / 25), 0)[1] for index, frame in enumerate(frames)] == [1] * 10


def test_between_the_frames_that_are_seen_looks_are_interpolated():
    assert values(still(8), [0, 3, 6], smoothing=0, every=3) == pytest.approx([0, 1, 2, 3, 4, 5, 6, 6])
    frames = [*still(4), *still(4, name="city_content")]
    frames = [Frame(frame.pixels, index / 25) for index, frame in enumerate(frames)]
    assert values(frames, [0, 3, 10, 13], smoothing=0, every=3) == pytest.approx([0, 1, 2, 3, 10, 11, 12, 13])


def test_no_more_frames_are_kept_than_the_smoothing_takes():
    taken = []
    frames = (taken.append(0) or frame for frame in still(100))
    looked = steady_looks(frames, lambda _: numbered(0), smoothing=0.4)
    for given in range(1, 50):
        next(looked)
        assert len(taken) - given <= 11


# --- whole films ---------------------------------------------------------------------------------------------------------


def test_one_frame_is_as_the_stylizer_has_it(stylizer, style):
    photo = toy_films.view("lake_content")
    (result,) = stylizer.film([photo], style, cells=CELLS)
    np.testing.assert_array_equal(result, stylizer.apply(photo, style))


def test_arrays_and_frames_come_out_as_they_came(stylizer, style):
    arrays = toy_films.pan("lake_content", 3)
    of_arrays = list(stylizer.film(iter(arrays), style, rate=10))
    of_frames = list(stylizer.film([Frame(a, i / 10, "x") for i, a in enumerate(arrays)], style))
    assert [(frame.seconds, frame.duration) for frame in of_frames] == [(0, "x"), (0.1, "x"), (0.2, "x")]
    for array, frame in zip(of_arrays, of_frames, strict=True):
        assert (array.dtype, array.shape) == (np.uint8, (64, 96, 3))
        np.testing.assert_array_equal(array, frame.pixels)


def test_where_nothing_moves_less_changes_than_in_frames_by_themselves(stylizer, style):
    """A bright disc crosses a still photo; the right edge, which it does not reach, is watched."""
    photo = toy_films.view("lake_content", 192, 128)
    frames = [cv2.circle(photo.copy(), (20 + 8 * index, 64), 24, (255, 230, 180), -1) for index in range(12)]

    def unrest(film):
        edge = [frame[:, 172:].astype(float) for frame in film]
        return np.mean([np.abs(after - before).mean() for before, after in itertools.pairwise(edge)])

    alone, steady = (unrest(stylizer.film(frames, style, smoothing=seconds, every=1)) for seconds in (0, 0.4))
    assert alone > 0.3
    assert steady < 0.5 * alone


def test_a_film_is_taken_frame_by_frame(stylizer, style):
    """Endless films work, and closing one ends its threads."""
    taken = []

    def endless():
        while True:
            taken.append(0)
            yield toy_films.view("lake_content")

    before = threading.active_count()
    film = stylizer.film(endless(), style, smoothing=0.2)
    for _ in range(3):
        next(film)
    film.close()
    assert len(taken) < 20
    assert threading.active_count() <= before


@pytest.mark.parametrize("settings", [{"finish": "guided"}, {"finish": "none"}, {"fit": "resize"}])
def test_what_a_film_cannot_be_finished_with(stylizer, style, settings):
    with pytest.raises(InputError, match="films take"):
        Stylizer(stylizer.network, **settings).film([], style)
