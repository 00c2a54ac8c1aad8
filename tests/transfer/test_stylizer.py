"""The pipeline: faithful to the published pictures, true to the photo's size, clear about what it cannot take."""

import io
import itertools
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import keras
import numpy as np
import psutil
import pytest
from PIL import Image

from common.errors import InputError
from common.evaluation.similarity import edge_ssim
from common.network import registry
from common.network.backbone import CKPTS
from common.photos import enlarge_to_side, read_rgb, shrink_to_side
from common.transfer.style import Style
from common.transfer.stylizer import Stylizer
from common.transfer.transforms import TRANSFORMS
from mobilenet_backbone import student as mobilenet
from vgg_backbone import student as vgg

STUDENTS = {"vgg": vgg, "mobilenet": mobilenet}
PHOTOS = CKPTS.parent / "notebooks" / "photos"
# What --paper stands for.
PAPER = {"finish": "guided", "size": None, "fit": "resize"}
# The network on all pixels and nothing else.
BARE = {"finish": "none", "size": None}
GOLDEN = [(name, pair) for name in STUDENTS for pair in (0, 3)]
PUBLISHED = [(name, pair) for name in STUDENTS for pair in range(5)]


def psnr(first, second):
    return 10 * np.log10(255**2 / np.mean((first.astype(float) - second.astype(float)) ** 2))


@pytest.fixture(scope="module")
def released(shared):
    """`released("vgg")`: the paper's student, loaded once."""
    models = {}

    def load(name):
        if name not in models:
            models[name] = STUDENTS[name].load(shared(f"released/{name}"))
        return models[name]

    return load


@pytest.fixture(scope="module")
def model():
    """A small model with arbitrary weights that needs no file."""
    keras.utils.set_random_seed(0)
    return mobilenet.build()


@pytest.fixture(scope="module")
def shipped():
    """The MobileNet student in ckpts/, run by ONNX Runtime."""
    return registry.load_network("mobilenet")


@pytest.fixture(scope="module", params=STUDENTS)
def trained(request, shipped):
    """Either of the students in ckpts/."""
    return shipped if request.param == "mobilenet" else registry.load_network(request.param)


@pytest.fixture(scope="module")
def lake():
    """A content and a style, a fourth of their size."""
    return [read_rgb(PHOTOS / f"lake_{part}.jpg")[::4, ::4] for part in ("content", "style")]


@pytest.fixture
def photo(rng):
    """`photo(height, width)`: smooth random colours, uint8."""

    def pixels(height, width):
        small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), np.uint8))
        return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))

    return pixels


def published_result(released, shared, name, pair):
    stylizer = Stylizer(released(name), **PAPER)
    style = stylizer.analyze(shared(f"released/figures/style/{pair}.jpeg"))
    return stylizer.apply(shared(f"released/figures/content/{pair}.jpeg"), style)


@pytest.mark.parametrize(("name", "pair"), GOLDEN)
def test_released_students_give_the_lossless_pictures(released, shared, name, pair):
    result = published_result(released, shared, name, pair)
    assert psnr(np.asarray(result), read_rgb(shared(f"released/golden/{name}_{pair}.png"))) >= 55


@pytest.mark.slow
@pytest.mark.parametrize(("name", "pair"), PUBLISHED)
def test_released_students_give_the_published_pictures(released, shared, name, pair):
    encoded = io.BytesIO()
    published_result(released, shared, name, pair).save(encoded, "JPEG")  # Pillow's default, as they were written
    assert psnr(np.asarray(Image.open(encoded)), read_rgb(shared(f"released/results/{name}/{pair}.jpg"))) >= 42.5


def test_a_photo_of_odd_size_has_no_seam(trained):
    """The last pixels of 641x427, next to the padding, are reconstructed as well as the rest."""
    stylizer = Stylizer(trained, **BARE)
    content = read_rgb(PHOTOS / "lake_content.jpg")[-427:, -641:]
    result = stylizer.apply(content, stylizer.analyze(content[:100, :77]), strength=0)
    assert result.shape == (427, 641, 3)
    assert psnr(result[-4:], content[-4:]) > psnr(result, content) - 3
    assert psnr(result[:, -4:], content[:, -4:]) > psnr(result, content) - 3


def test_the_padded_border_takes_the_style_like_the_rest(trained, lake):
    """Across the bottom and right of a plain grey photo the result stays plain."""
    stylizer = Stylizer(trained)
    style = stylizer.analyze(lake[1])
    result = stylizer.apply(np.full((75, 91, 3), 128, np.uint8), style).astype(int)
    assert np.ptp(result[8:, 8:].reshape(-1, 3), axis=0).max() <= 2


@pytest.mark.parametrize("size", [(16, 16), (17, 40), (16, 200), (427, 641)])
def test_result_is_of_the_contents_size(model, photo, size):
    stylizer = Stylizer(model)
    style = stylizer.analyze(photo(33, 21))
    assert stylizer.apply(photo(*size), style).shape == (*size, 3)


def test_strength_zero_is_the_reconstruction(model, photo):
    stylizer = Stylizer(model, **BARE)
    content = photo(32, 48)
    result = stylizer.apply(content, stylizer.analyze(photo(40, 40)), strength=0)
    reconstruction = np.clip(model.reconstruct(content[None].astype(np.float32) / 255)[0], 0, 1)
    assert np.abs(result - np.floor(reconstruction * 255)).max() <= 1


def test_the_result_follows_the_strength_evenly(released, shared):
    stylizer = Stylizer(released("mobilenet"))
    style = stylizer.analyze(shared("released/figures/style/0.jpeg"))
    content = read_rgb(shared("released/figures/content/0.jpeg"))[::4, ::4].astype(np.float32) / 255
    results = [stylizer.apply(content, style, strength) for strength in np.linspace(0, 1, 11)]
    steps = [np.abs(after - before).mean() for before, after in itertools.pairwise(results)]
    assert max(steps) < 2 * np.mean(steps)
    assert min(steps) > np.mean(steps) / 2


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_every_transform_moves_the_mean_colour_towards_the_style(trained, lake, transform):
    stylizer = Stylizer(trained, transform)
    content, style = lake
    result = stylizer.apply(content, stylizer.analyze(style))
    before, after = (np.abs(image.mean((0, 1)) - style.mean((0, 1))).sum() for image in (content, result))
    assert after < before / 2


def test_floats_give_what_bytes_give_before_rounding(shipped, lake):
    stylizer = Stylizer(shipped)
    content = lake[0]
    style = stylizer.analyze(content[::-1, ::-1] // 2)
    as_bytes = stylizer.apply(content, style)
    for dtype in (np.float16, np.float32, np.float64):
        as_floats = stylizer.apply((content / 255).astype(dtype), style)
        assert as_floats.dtype == dtype
        assert np.abs(as_floats.astype(float) * 255 - as_bytes).max() <= 2.5


def test_result_is_of_the_contents_kind(model, photo, tmp_path):
    stylizer = Stylizer(model)
    content = photo(32, 32)
    style = stylizer.analyze(Image.fromarray(photo(32, 32)))
    as_bytes = stylizer.apply(content, style)
    assert as_bytes.dtype == np.uint8
    Image.fromarray(content).save(tmp_path / "content.png")
    for given in (Image.fromarray(content), tmp_path / "content.png", str(tmp_path / "content.png")):
        result = stylizer.apply(given, style)
        assert isinstance(result, Image.Image)
        np.testing.assert_array_equal(np.asarray(result), as_bytes)


@pytest.mark.parametrize("fit", ["pad", "resize"])
def test_alpha_and_profile_of_the_content_stay(model, photo, fit):
    stylizer = Stylizer(model, fit=fit)
    content = Image.fromarray(photo(40, 50))
    content.putalpha(77)
    content.info["icc_profile"] = b"\0" * 16 + b"RGB "
    result = stylizer.apply(content, stylizer.analyze(photo(32, 32)))
    assert result.getchannel("A").getextrema() == (77, 77)
    assert result.info["icc_profile"] == content.info["icc_profile"]


def test_a_saved_style_is_as_good_as_the_photo(model, photo, tmp_path):
    stylizer = Stylizer(model)
    style = stylizer.analyze(photo(50, 50))
    style.save(tmp_path / "style.npz")
    assert (tmp_path / "style.npz").stat().st_size < 100_000
    content = photo(32, 32)
    loaded = Style.load(tmp_path / "style.npz")
    np.testing.assert_array_equal(stylizer.apply(content, loaded), stylizer.apply(content, style))


def test_what_is_no_style_is_refused(tmp_path):
    (tmp_path / "text.npz").write_text("no style")
    np.savez(tmp_path / "other.npz", numbers=np.zeros(3))
    for name, complaint in {
        "none.npz": "no such file",
        "text.npz": "not a .npz file",
        "other.npz": "holds no style",
    }.items():
        with pytest.raises(InputError, match=complaint):
            Style.load(tmp_path / name)


def test_a_style_of_another_model_is_refused(model, photo):
    style = Stylizer(mobilenet.build()).analyze(photo(32, 32))
    with pytest.raises(InputError, match="analysed with another network"):
        Stylizer(model).apply(photo(32, 32), style)


@pytest.mark.parametrize(
    ("pixels", "complaint"),
    [
        (np.full((32, 32, 3), np.nan, np.float32), "NaN or infinity"),
        (np.full((32, 32, 3), np.inf), "NaN or infinity"),
        (np.zeros((32, 32), np.uint8), r"shape \(32, 32\)"),
        (np.zeros((32, 32, 4), np.uint8), r"shape \(32, 32, 4\)"),
        (np.zeros((5, 5, 3), np.uint8), "5x5 pixels but must be at least 16x16"),
        (np.zeros((32, 32, 3), np.int64), "type int64"),
        (np.full((32, 32, 3), 200.0), r"runs from 200 to 200"),
    ],
)
def test_arrays_that_are_no_photo_are_refused(model, photo, pixels, complaint):
    stylizer = Stylizer(model)
    with pytest.raises(InputError, match=complaint):
        stylizer.analyze(pixels)
    with pytest.raises(InputError, match=complaint):
        stylizer.apply(pixels, stylizer.analyze(photo(32, 32)))


# --- looks, and copies of a size -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def city(shipped):
    """A content, a stylizer and the style that it measured."""
    stylizer = Stylizer(shipped)
    return read_rgb(PHOTOS / "city_content.jpg"), stylizer, stylizer.analyze(PHOTOS / "city_style.jpg")


def test_the_look_of_a_photo_is_what_is_applied_to_it(city):
    content, stylizer, style = city
    np.testing.assert_array_equal(stylizer.look(content, style).apply(content), stylizer.apply(content, style))


def test_a_large_photo_gives_the_picture_that_a_small_one_gives(city):
    content, stylizer, style = city
    large = stylizer.apply(enlarge_to_side(content, 3000), style)
    assert large.shape == (1688, 3000, 3)
    assert psnr(shrink_to_side(large, 800), stylizer.apply(content, style)) > 35


def test_a_look_keeps_more_edges_than_the_guided_filter(city):
    content, stylizer, style = city
    guided = Stylizer(stylizer.network, finish="guided").apply(content, style)
    assert edge_ssim(content, stylizer.apply(content, style)) > edge_ssim(content, guided)


@pytest.mark.parametrize("finish", ["guided", "none"])
def test_a_copy_gives_a_result_of_the_contents_size_all_the_same(city, finish):
    content, stylizer, style = city
    whole = Stylizer(stylizer.network, finish=finish, size=None).apply(content, style)
    copied = Stylizer(stylizer.network, finish=finish, size=400).apply(content, style)
    assert copied.shape == content.shape
    assert psnr(copied, whole) > 20


def test_a_copy_of_the_photos_own_size_is_all_of_it(city):
    content, stylizer, style = city
    as_it_is, whole = (Stylizer(stylizer.network, size=size).apply(content, style) for size in (800, None))
    np.testing.assert_array_equal(as_it_is, whole)


def test_threads_do_not_mix_styles(city, photo):
    content, stylizer, style = city
    styles = [style, stylizer.analyze(PHOTOS / "lake_style.jpg")] * 3
    alone = [stylizer.apply(content, each) for each in styles[:2]] * 3
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(lambda each: stylizer.apply(content, each), styles))
    for ours, theirs in zip(together, alone, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_whole_photo_that_does_not_fit_is_refused_before_it_starts(shipped, monkeypatch):
    monkeypatch.setattr(shipped, "encode", lambda images: pytest.fail("started"))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2_500_000))
    with pytest.raises(InputError, match=r"200x100 pixels as a whole takes .* 0\.0 GB are free: .*--size 1024"):
        Stylizer(shipped, size=None).analyze(np.zeros((100, 200, 3), np.uint8))


@pytest.mark.parametrize("size", [63, 0, -1])
def test_a_copy_too_small_is_refused(model, size):
    with pytest.raises(InputError, match=f"size is {size} but must be at least 64"):
        Stylizer(model, size=size)


@pytest.mark.parametrize(("option", "value"), [("transform", "wct"), ("fit", "stretch"), ("finish", "glossy")])
def test_unknown_options_are_refused(model, option, value):
    with pytest.raises(InputError, match=f"{option} is '{value}' but must be one of"):
        Stylizer(model, **{option: value})


@pytest.mark.parametrize("strength", [-0.1, 1.5, float("nan")])
def test_strength_out_of_range_is_refused(model, photo, strength):
    stylizer = Stylizer(model)
    with pytest.raises(InputError, match="must be from 0 to 1"):
        stylizer.apply(photo(32, 32), stylizer.analyze(photo(32, 32)), strength)
