"""The dial from the network's rich style to a natural grade: one stylizer, one style, one look."""

import dataclasses

import numpy as np
import pytest

from common.errors import InputError
from common.grading import lut
from common.network.backbone import CKPTS
from common.network.registry import load_network
from common.photos import read_rgb, shrink_to_side
from common.transfer import Look, Style, Stylizer

PHOTOS = CKPTS.parent / "notebooks" / "photos"


@pytest.fixture(scope="module")
def network():
    return load_network("mobilenet")


@pytest.fixture(scope="module")
def content():
    return shrink_to_side(read_rgb(PHOTOS / "lake_content.jpg"), 256)


@pytest.fixture(scope="module")
def style(network):
    return Stylizer(network).analyze(shrink_to_side(read_rgb(PHOTOS / "lake_style.jpg"), 256))


def apply(network, content, style, strength=1.0, **options):
    return Stylizer(network, **options).apply(content, style, strength)


@pytest.mark.parametrize("finish", ["look", "guided", "none"])
def test_in_between_it_is_a_mixture_of_both_ends(network, content, style, finish):
    options = {"finish": finish, "transform": "ot"}
    rich, natural, mixed = (apply(network, content, style, grade=grade, **options) for grade in (0, 1, 0.3))
    np.testing.assert_allclose(mixed, 0.7 * rich + 0.3 * natural.astype(float), atol=0.51)


def test_the_network_alone_takes_the_papers_transform_and_a_mixture_the_one_with_fewer_glows(network, content, style):
    for grade, transform in ((0, "zca"), (0.5, "shrinkage")):
        expected = apply(network, content, style, grade=grade, transform=transform)
        np.testing.assert_array_equal(apply(network, content, style, grade=grade), expected)


def test_the_grade_alone_is_one_map_of_colours_and_asks_the_network_nothing(network, content, style):
    class Silent:
        fingerprint, widths, strides = network.fingerprint, network.widths, network.strides

    result = apply(Silent(), content, style, grade=1)
    look = Stylizer(Silent(), grade=1).look(content, style)
    assert look.grid is None
    np.testing.assert_array_equal(result, lut.apply(look.lut, content))


def test_strength_turns_the_grade_down_too(network, content, style):
    full, half, none = (apply(network, content, style, strength, grade=1).astype(float) for strength in (1, 0.5, 0))
    np.testing.assert_array_equal(none, content)
    np.testing.assert_allclose(half, (full + none) / 2, atol=3)


def test_a_photo_graded_like_itself_stays(network, content):
    itself = Stylizer(network).analyze(content)
    assert np.abs(apply(network, content, itself, grade=1).astype(int) - content).max() <= 1


def test_a_look_keeps_the_dial_and_can_be_turned_afterwards(network, content, style, tmp_path):
    look = Stylizer(network, grade=0.3).look(content, style)
    look.save(tmp_path / "look.npz")
    loaded = Look.load(tmp_path / "look.npz")
    np.testing.assert_array_equal(loaded.apply(content), look.apply(content))
    turned = dataclasses.replace(loaded, grade=0.8)
    np.testing.assert_array_equal(turned.apply(content), apply(network, content, style, grade=0.8))


def test_a_look_of_the_grade_alone_is_saved_without_a_grid(network, content, style, tmp_path):
    look = Stylizer(network, grade=1).look(content, style)
    look.save(tmp_path / "look.npz")
    assert Look.load(tmp_path / "look.npz").grid is None
    np.testing.assert_array_equal(Look.load(tmp_path / "look.npz").apply(content), look.apply(content))


def test_a_saved_style_is_all_that_a_grade_needs(network, content, style, tmp_path):
    style.save(tmp_path / "style.npz")
    saved = Style.load(tmp_path / "style.npz")
    np.testing.assert_array_equal(apply(network, content, saved, grade=0.5), apply(network, content, style, grade=0.5))


def test_a_style_without_a_descriptor_goes_with_grade_0_alone(network, content, style, tmp_path):
    dataclasses.replace(style, descriptors=None).save(tmp_path / "old.npz")
    old = Style.load(tmp_path / "old.npz")
    apply(network, content, old, grade=0)
    with pytest.raises(InputError, match="saved without what a grade needs"):
        apply(network, content, old, grade=0.5)


@pytest.mark.parametrize("grade", [-0.1, 1.1, float("nan")])
def test_a_grade_out_of_range_is_refused(network, grade):
    with pytest.raises(InputError, match=r"grade is .* but must be from 0 to 1"):
        Stylizer(network, grade=grade)


def photo_of(kind):
    """A photo of 16x16 or so that leaves little to measure."""
    rng = np.random.default_rng(0)
    if kind == "of one colour":
        return np.full((16, 16, 3), (200, 60, 30), np.uint8)
    if kind == "black":
        return np.zeros((20, 30, 3), np.uint8)
    return np.repeat(rng.integers(0, 256, (24, 16, 1), np.uint8), 3, axis=2)  # black and white


@pytest.mark.parametrize("kind", ["of one colour", "black", "black and white"])
@pytest.mark.parametrize("grade", [0.5, 1])
def test_photos_that_leave_little_to_measure_are_taken_on_either_side(network, content, style, kind, grade):
    odd = photo_of(kind)
    for photo, of_style in ((odd, style), (content, Stylizer(network).analyze(odd))):
        result = apply(network, photo, of_style, grade=grade)
        assert result.shape == photo.shape
        assert result.dtype == np.uint8


def test_floats_give_what_bytes_give(network, content, style):
    floats = content / np.float32(255)
    for grade in (0.5, 1):
        result = apply(network, floats, style, grade=grade)
        assert result.dtype == np.float32
        np.testing.assert_allclose(255 * result, apply(network, content, style, grade=grade), atol=1.5)
