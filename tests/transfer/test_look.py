"""Looks: the mathematics of fit and application, photos that have little to fit, and their file."""

import pickle

import numpy as np
import pytest
from PIL import Image

from common.errors import InputError
from common.network.backbone import CKPTS
from common.photos import read_rgb, shrink_to_side
from common.transfer.look import LUMA, Look
from common.transfer.style import Style
from common.transfer.transforms import Statistics

PALACE = CKPTS.parent / "notebooks" / "photos" / "summer_palace.jpg"


def psnr(first, second):
    return -10 * np.log10(np.mean((first - second) ** 2))


@pytest.fixture(scope="module")
def photo():
    """A photo of 640x427, floats."""
    return read_rgb(PALACE).astype(np.float32) / 255


@pytest.fixture
def recoloured(photo):
    """The photo under one affine map, and under one that depends on luma."""
    matrix = np.array([[0.7, 0.1, 0.0], [0.05, 0.8, 0.1], [0.0, 0.1, 0.6]])
    luma = (photo @ LUMA)[..., None]
    return {
        "affine": photo @ matrix + (0.05, 0.02, 0.1),
        "by luma": (1 - luma) * (0.8 * photo + 0.1) + luma * (0.5 * photo + 0.2),
    }


@pytest.mark.parametrize(("kind", "decibels"), [("affine", 45), ("by luma", 40)])
def test_a_recolouring_comes_back(photo, recoloured, kind, decibels):
    assert psnr(Look.fit(photo, recoloured[kind]).apply(photo), recoloured[kind]) >= decibels


def test_a_look_of_a_copy_recolours_the_whole_photo(photo, recoloured):
    copies = [shrink_to_side(pixels.astype(np.float32), 320) for pixels in (photo, recoloured["by luma"])]
    assert psnr(Look.fit(*copies).apply(photo), recoloured["by luma"]) >= 40


def test_an_edge_stays_at_its_pixel():
    """A step at column 301 of 900, of a look that was fitted on a third of the size."""
    content = np.full((600, 900, 3), 0.2, np.float32)
    content[:, 301:] = 0.7
    result = 1 - content
    look = Look.fit(*(shrink_to_side(pixels, 300) for pixels in (content, result)))
    rows = look.apply(content)[..., 1]
    steps = np.abs(np.diff(rows, axis=1))
    assert (steps.argmax(axis=1) == 300).all()
    assert np.delete(steps, 300, axis=1).max() < 0.02
    assert steps[:, 300].min() > 0.45


def test_applying_is_linear_interpolation_of_the_grid(rng):
    """In y, x and luma, as the layout is documented; written out here pixel by pixel."""
    grid = rng.normal(size=(3, 5, 4, 4, 3)).astype(np.float32) * 0.3 + 0.2
    photo = rng.random((37, 53, 3), np.float32)
    expected = np.zeros(photo.shape)
    for y, x in np.ndindex(37, 53):
        places = y * 2 / 36, x * 4 / 52, photo[y, x] @ LUMA * 3
        for cell in np.ndindex(3, 5, 4):
            weight = np.prod([max(0, 1 - abs(place - at)) for place, at in zip(places, cell, strict=True)])
            expected[y, x] += weight * (np.append(photo[y, x], 1) @ grid[cell])
    np.testing.assert_allclose(Look(grid).apply(photo), expected.clip(0, 1), atol=1e-5)


@pytest.mark.parametrize("size", [(1000, 37), (37, 1000), (16, 17)])
def test_strips_and_columns_of_the_grid_leave_no_seam(rng, size):
    """As above for a whole photo at once: sums over all grid points, each weighted by its hat functions."""
    grid = rng.normal(size=(6, 9, 3, 4, 3)).astype(np.float32) * 0.3 + 0.2
    photo = rng.random((*size, 3), np.float32)
    places = np.arange(size[0]) * 5 / (size[0] - 1), np.arange(size[1]) * 8 / (size[1] - 1), photo @ LUMA * 2
    near = [
        np.maximum(0, 1 - np.abs(place[..., None] - np.arange(count)))
        for place, count in zip(places, (6, 9, 3), strict=True)
    ]
    maps = np.einsum("yi,xj,yxb,ijbkc->yxkc", *near, grid, optimize=True)
    colours = np.concatenate([photo, np.ones((*size, 1))], axis=2)
    expected = np.einsum("yxk,yxkc->yxc", colours, maps)
    np.testing.assert_allclose(Look(grid).apply(photo), expected.clip(0, 1), atol=1e-5)


def test_bytes_are_what_floats_round_to(photo, recoloured):
    look = Look.fit(photo, recoloured["by luma"])
    as_bytes = np.round(photo * 255).astype(np.uint8)
    result = look.apply(as_bytes)
    assert result.dtype == np.uint8
    assert np.abs(look.apply(as_bytes.astype(np.float32) / 255) * 255 - result).max() <= 0.51


@pytest.mark.parametrize("height_and_width", [(16, 16), (16, 300), (2000, 30)])
def test_photos_of_little_content_are_fitted_all_the_same(rng, height_and_width):
    noise = rng.random((*height_and_width, 3), np.float32)
    cases = [(noise, 1 - noise), (noise, np.zeros_like(noise))]
    cases += [(np.full_like(noise, value), np.full_like(noise, 0.6)) for value in (0, 0.3, 1)]
    cases += [(noise * (1, 0, 0), noise)]
    for content, result in cases:
        look = Look.fit(content, result)
        assert np.isfinite(look.grid).all()
        assert np.abs(look.grid).max() < 10
        applied = look.apply(content.astype(np.float32))
        assert np.isfinite(applied).all()
        assert applied.min() >= 0
        assert applied.max() <= 1
        if np.ptp(content) == 0:
            np.testing.assert_allclose(look.apply(content), result, atol=1e-3)


def test_a_very_long_photo_is_recoloured(photo, recoloured):
    long = np.tile(read_rgb(PALACE)[:300, :500], (1, 40, 1))
    result = Look.fit(photo, recoloured["affine"]).apply(long)
    assert result.shape == (300, 20_000, 3)
    assert np.abs(result[:, :10].mean() - (recoloured["affine"][:300, :10] * 255).mean()) < 2


def test_black_that_the_style_lifts_gets_no_coloured_speckles(rng):
    """Noise of a grey level or two on black, lifted to grey: slopes stay within the bound on the gain."""
    content = rng.integers(0, 3, (90, 120, 3)).astype(np.float32) / 255
    result = 0.3 + rng.normal(scale=0.004, size=content.shape)
    grid = Look.fit(content, result).grid
    assert np.abs(grid[..., :3, :]).max() < 2


def test_pixels_without_weight_have_no_part_in_it(photo, recoloured):
    other = recoloured["affine"].copy()
    other[:, 320:] = 0
    weight = np.zeros(photo.shape[:2])
    weight[:, :320] = 1
    spoiled, clean = (Look.fit(photo, result, weight).grid for result in (other, recoloured["affine"]))
    np.testing.assert_array_equal(spoiled, clean)


def test_what_has_weight_is_fitted_as_if_there_were_nothing_else(photo, recoloured):
    """One half of the photo under one map, weighted; the other half under another."""
    result = recoloured["affine"].copy()
    result[:, 320:] = 1 - photo[:, 320:]
    weight = np.zeros(photo.shape[:2])
    weight[:, :320] = 0.5
    applied = Look.fit(photo, result, weight).apply(photo)
    assert psnr(applied[:, :320], result[:, :320]) >= 45


def test_without_any_weight_nothing_changes(photo):
    look = Look.fit(photo, 1 - photo, np.zeros(photo.shape[:2]))
    assert np.abs(look.apply(photo) - photo).max() < 0.01


def test_it_is_stored_and_comes_back(photo, recoloured, tmp_path):
    look = Look.fit(photo, recoloured["affine"])
    look.save(tmp_path / "look.npz")
    np.testing.assert_array_equal(Look.load(tmp_path / "look.npz").grid, look.grid)
    assert (tmp_path / "look.npz").stat().st_size < 300_000


class Bomb:
    """What must never be unpickled."""

    def __reduce__(self):
        return pytest.fail, ("unpickled",)


def write_bad_looks(folder):
    """Files that are no looks, by name; and what is to be said of each."""
    grid = np.zeros((2, 3, 4, 4, 3), np.float32)
    statistics = Statistics(np.zeros(2), np.eye(2))
    Style((statistics,), "some network").save(folder / "style.npz")
    (folder / "text.npz").write_text("no look")
    (folder / "pickle.npz").write_bytes(pickle.dumps(Bomb()))
    Look(grid).save(folder / "whole.npz")
    (folder / "cut.npz").write_bytes((folder / "whole.npz").read_bytes()[:300])
    with open(folder / "array.npz", "wb") as file:
        np.save(file, grid)
    arrays = {
        "version": {"version": 3, "grid": grid},
        "shape": {"grid": grid[..., :2]},
        "small": {"grid": grid[:1]},
        "nan": {"grid": np.full_like(grid, np.nan)},
        "type": {"grid": grid.astype(np.int32)},
        "none": {},
        "grade": {"grid": grid, "grade": np.float64(1.5)},
        "ungraded": {"grid": grid, "grade": np.float64(0.5)},
        "lut": {"lut": np.zeros((2, 3, 2, 3), np.float32), "grade": np.float64(1)},
        "objects": {"grid": np.array([Bomb()])},
    }
    for name, contents in arrays.items():
        np.savez(folder / f"{name}.npz", **({"kind": "look", "version": 1} | contents))
    return {
        "style": "holds no look but is a file of kind 'style'",
        "text": "not a .npz file",
        "pickle": "not a .npz file",
        "cut": "not a .npz file",
        "array": "not a .npz file",
        "version": "holds a look of version 3, but only versions up to 2",
        "shape": "grid has shape",
        "small": "two rows, columns and bins",
        "nan": "grid holds NaN",
        "type": "grid is of type int32",
        "none": "grid is missing",
        "grade": "grade is 1.5 but must be from 0 to 1",
        "ungraded": "lut is missing",
        "lut": "must be a cube",
        "objects": "not a .npz file",
        "missing": "no such file",
    }


def test_what_is_no_look_is_refused(tmp_path):
    for name, complaint in write_bad_looks(tmp_path).items():
        with pytest.raises(InputError, match=complaint) as caught:
            Look.load(tmp_path / f"{name}.npz")
        assert "\n" not in str(caught.value)


def test_a_photo_that_cannot_be_used_is_refused(tmp_path):
    look = Look(np.zeros((2, 2, 2, 4, 3), np.float32))
    Image.new("RGB", (5, 5)).save(tmp_path / "tiny.png")
    for photo, complaint in ((tmp_path / "tiny.png", "5x5 pixels"), (np.zeros((20, 20), np.uint8), "shape")):
        with pytest.raises(InputError, match=complaint):
            look.apply(photo)
