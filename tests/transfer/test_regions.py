"""Regions: each measured, restyled and fitted by itself."""

import numpy as np
import pytest
from PIL import Image

from common.errors import InputError
from common.network.registry import load_network
from common.photos.masks import labelled, read_labels, read_mask
from common.transfer import Stylizer
from common.transfer.regions import feathered, masked, partition, region_statistics, softened
from common.transfer.transforms import statistics


@pytest.fixture(scope="module")
def network():
    return load_network("mobilenet")


def halves(height, width):
    """Masks of the left and the right half."""
    left = np.zeros((height, width), np.float32)
    left[:, : width // 2] = 1
    return {"left": left, "right": 1 - left}


def noise(rng, height, width, mean):
    """A photo of noise about a colour."""
    return (np.array(mean) + rng.normal(0, 12, (height, width, 3))).clip(0, 255).astype(np.uint8)


def test_a_region_is_measured_as_if_it_were_all_there_is(rng):
    feature = rng.random((60, 80, 4)).astype(np.float32)
    feature[:, 40:] *= 3
    found = region_statistics(feature, halves(60, 80)["right"])
    alone = statistics(feature[:, 40:])
    np.testing.assert_allclose(found.mean, alone.mean, rtol=0.02)
    np.testing.assert_allclose(np.diag(found.covariance), np.diag(alone.covariance), rtol=0.02)


def test_a_region_of_a_few_pixels_is_drawn_to_the_whole(rng):
    feature = rng.random((60, 80, 16)).astype(np.float32)
    few = np.zeros((60, 80), np.float32)
    few[:2, :2] = 1
    found, whole = region_statistics(feature, few), statistics(feature)
    np.testing.assert_allclose(found.covariance, whole.covariance, atol=0.1 * np.abs(whole.covariance).max())
    np.testing.assert_array_equal(region_statistics(feature, 0 * few).covariance, whole.covariance)


def test_each_half_is_restyled_as_if_it_were_all_there_is(network, rng):
    """Halves of different colour, in content and style: within 2 % of what each half gives alone."""
    content = np.concatenate([noise(rng, 128, 96, (90, 90, 90)), noise(rng, 128, 96, (160, 160, 160))], axis=1)
    style = np.concatenate([noise(rng, 128, 96, (200, 80, 60)), noise(rng, 128, 96, (60, 90, 190))], axis=1)
    stylizer = Stylizer(network, grade=0)
    regions = halves(128, 192)
    result = stylizer.apply(content, stylizer.analyze(style, regions), regions=regions)
    for start in (0, 96):
        half, inner = slice(start, start + 96), slice(16, 80)
        alone = stylizer.apply(content[:, half].copy(), stylizer.analyze(style[:, half].copy()))
        np.testing.assert_allclose(result[:, half][:, inner].mean((0, 1)), alone[:, inner].mean((0, 1)), atol=0.02 * 255)


@pytest.mark.parametrize("grade", [0, 0.5, 1])
def test_one_region_of_everything_is_a_photo_without_regions(network, rng, grade):
    content, style = noise(rng, 96, 128, (90, 120, 60)), noise(rng, 96, 128, (160, 90, 90))
    stylizer = Stylizer(network, grade=grade)
    everything = {"all": np.ones((10, 10), np.float32)}
    plain = stylizer.apply(content, stylizer.analyze(style))
    regional = stylizer.apply(content, stylizer.analyze(style, everything), regions=everything)
    assert np.abs(plain.astype(int) - regional).mean() < 3


def test_what_has_no_region_takes_the_whole_style(network, rng):
    content, style = noise(rng, 96, 128, (90, 120, 60)), noise(rng, 96, 128, (160, 90, 90))
    stylizer = Stylizer(network, grade=0)
    left = {"left": halves(96, 128)["left"]}
    look = stylizer.look(content, stylizer.analyze(style, left), regions=left)
    assert len(look.looks) == 2


def test_weights_sum_to_one_and_are_soft_at_borders_alone(rng):
    content = rng.random((60, 80, 3)).astype(np.float32)
    soft = softened(partition(list(halves(30, 40).values()), 60, 80), content, 0.05)
    np.testing.assert_allclose(soft.sum(axis=0), 1, atol=1e-5)
    assert soft[0, :, :20].min() > 0.99
    assert 0.2 < soft[0, :, 39:41].mean() < 0.8


def test_a_border_moves_to_the_contents_edge():
    content = np.full((60, 80, 3), 0.2, np.float32)
    content[:, 40:] = 0.8
    off = np.zeros((60, 80), np.float32)
    off[:, 36:] = 1  # four pixels beside the edge
    soft = softened(partition([off], 60, 80), content, 0.1)[0]
    assert soft[:, 40].min() > 0.9
    assert soft[30, 40] - soft[30, 39] > 2 * (soft[30, 39] - soft[30, 38])


def test_outside_a_mask_the_content_stays_to_the_last_bit(rng):
    content, result = (rng.integers(0, 256, (40, 50, 3), np.uint8) for _ in range(2))
    mask = halves(40, 50)["left"]
    mixed = masked(content, result, mask)
    np.testing.assert_array_equal(mixed[:, 25:], content[:, 25:])
    np.testing.assert_array_equal(mixed[:, :25], result[:, :25])
    grey = masked(content, result, 0.5 * np.ones((4, 5), np.float32))
    np.testing.assert_allclose(grey, (content.astype(float) + result) / 2, atol=0.51)


def test_a_feather_rises_inwards_and_covers_no_pixel_more():
    mask = halves(40, 100)["left"]
    soft = feathered(mask, 0.1)
    assert not soft[mask == 0].any()
    assert soft[20, 0] == 1
    assert 0 < soft[20, 47] < 0.5
    np.testing.assert_array_equal(feathered(np.ones((5, 5)), 0.5), 1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "I;16", "alpha"])
def test_masks_of_any_mode_are_read(tmp_path, mode):
    values = (halves(8, 10)["left"] * 255).astype(np.uint8)
    if mode == "alpha":
        picture = Image.merge("RGBA", [Image.new("L", (10, 8), 255)] * 3 + [Image.fromarray(values)])
    elif mode == "I;16":
        picture = Image.fromarray(values.astype(np.uint16) * 257)
    else:
        picture = Image.fromarray(values).convert("RGB" if mode == "RGBA" else mode)
        picture = picture.convert(mode)
    picture.save(tmp_path / "mask.png")
    np.testing.assert_allclose(read_mask(tmp_path / "mask.png"), values / 255, atol=1e-3)


def test_labels_are_matched_by_colour_through_jpegs_noise(tmp_path):
    red, blue, green = (220, 30, 30), (20, 20, 240), (10, 200, 60)
    content, style = np.zeros((64, 96, 3), np.uint8), np.zeros((48, 64, 3), np.uint8)
    content[:, :48], content[:, 48:] = red, blue
    style[:24], style[24:, :32], style[24:, 32:] = blue, red, green
    for name, picture in (("content", content), ("style", style)):
        Image.fromarray(picture).save(tmp_path / f"{name}.jpg", quality=60)
    found = labelled(read_labels(tmp_path / "content.jpg"), read_labels(tmp_path / "style.jpg"))
    in_content, in_style, alone = found
    assert len(in_content) == len(in_style) == 2
    assert len(alone) == 1
    sizes = sorted(round(float(mask.mean()), 1) for mask in in_style.values())
    assert sizes == [0.2, 0.5] or sizes == [0.3, 0.5]
    assert all(0.4 < mask.mean() < 0.6 for mask in in_content.values())


def test_label_pictures_without_a_colour_in_common_are_refused():
    red, blue = (np.full((16, 16, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 0, 255)))
    with pytest.raises(InputError, match="no colour in common"):
        labelled(red, blue)
