"""Photos as they come: every mode is read as upright 8-bit RGB or RGBA, and written whole."""

import numpy as np
import pytest
from PIL import Image, ImageCms

from common.errors import InputError
from common.photos import (
    pad_to_multiple,
    photo_paths,
    read_photo,
    read_rgb,
    recoloured,
    shrink_to_multiple,
    write_photo,
)
from common.photos.files import eight_bits

WIDTH, HEIGHT = 20, 18
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ORIENTATION = 0x0112  # EXIF tag


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)


def save(tmp_path, image, name="photo.png", **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize("name", ["photo.png", "photo.tif", "photo.webp"])
def test_rgb_comes_back_as_it_was(tmp_path, pixels, name):
    path = save(tmp_path, Image.fromarray(pixels), name, **({"lossless": True} if name.endswith("webp") else {}))
    np.testing.assert_array_equal(read_rgb(path), pixels)


def test_exif_orientation_is_applied(tmp_path, pixels):
    image = Image.fromarray(pixels)
    exif = image.getexif()
    exif[ORIENTATION] = 6  # to be turned clockwise by a quarter
    path = save(tmp_path, image, exif=exif)
    np.testing.assert_array_equal(read_rgb(path), np.rot90(pixels, -1))


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK"])
def test_other_modes_are_read_as_their_rgb(tmp_path, pixels, mode):
    image = Image.fromarray(pixels).convert(mode)
    path = save(tmp_path, image, "photo.tif")
    np.testing.assert_array_equal(read_rgb(path), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("name", ["photo.png", "photo.tif"])
def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path, name):
    ramp = np.linspace(0, 65535, WIDTH * HEIGHT).astype(np.uint16).reshape(HEIGHT, WIDTH)
    path = save(tmp_path, Image.fromarray(ramp), name)
    np.testing.assert_array_equal(read_rgb(path)[..., 1], np.round(ramp / 257))


def test_sixteen_bit_colour_is_scaled(tmp_path):
    cv2 = pytest.importorskip("cv2")
    ramp = np.linspace(0, 65535, WIDTH * HEIGHT * 3).astype(np.uint16).reshape(HEIGHT, WIDTH, 3)
    cv2.imwrite(str(tmp_path / "photo.png"), ramp[..., ::-1])
    assert np.abs(read_rgb(tmp_path / "photo.png") - ramp / 257).max() <= 1


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_alpha_is_kept_where_the_format_can_hold_it(tmp_path, pixels, suffix):
    image = Image.fromarray(pixels)
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    write_photo(image, tmp_path / f"out{suffix}")
    np.testing.assert_array_equal(read_photo(tmp_path / f"out{suffix}").getchannel("A"), image.getchannel("A"))


@pytest.mark.parametrize(
    "image", [Image.new("LA", (20, 18), (90, 40)), Image.new("RGBA", (20, 18), (9, 8, 7, 0)).quantize()]
)
def test_grey_and_palette_photos_keep_their_alpha(tmp_path, image):
    assert (
        read_photo(save(tmp_path, image)).getchannel("A").getextrema() == image.convert("RGBA").getchannel("A").getextrema()
    )


def test_transparent_parts_turn_white_in_jpeg(tmp_path):
    write_photo(Image.new("RGBA", (20, 18), (200, 0, 0, 0)), tmp_path / "out.jpg")
    assert read_rgb(tmp_path / "out.jpg").min() == 255


def test_jpeg_is_written_at_quality_95_without_chroma_subsampling(tmp_path, pixels):
    write_photo(Image.fromarray(pixels), tmp_path / "out.jpg")
    written = Image.open(tmp_path / "out.jpg")
    reference = Image.open(save(tmp_path, Image.fromarray(pixels), "reference.jpg", quality=95, subsampling=0))
    assert written.quantization == reference.quantization
    assert [layer[1:3] for layer in written.layer] == [(1, 1)] * 3


def test_rgb_profile_is_carried_over(tmp_path, pixels):
    path = save(tmp_path, Image.fromarray(pixels), icc_profile=SRGB)
    write_photo(read_photo(path), tmp_path / "out.jpg")
    assert Image.open(tmp_path / "out.jpg").info["icc_profile"] == SRGB


def test_a_profile_for_other_than_rgb_is_left_behind(tmp_path, pixels):
    grey_profile = SRGB[:16] + b"GRAY" + SRGB[20:]
    path = save(tmp_path, Image.fromarray(pixels[..., 0]), icc_profile=grey_profile)
    assert "icc_profile" not in read_photo(path).info


def damaged(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def test_bad_files_are_named(tmp_path, pixels):
    noise = Image.effect_noise((200, 200), 90).convert("RGB")
    damaged(save(tmp_path, noise, "truncated.jpg"))
    damaged(save(tmp_path, noise, "truncated.png"))
    (tmp_path / "text.jpg").write_text("no photo")
    (tmp_path / "empty.jpg").touch()
    save(tmp_path, Image.new("F", (20, 20)), "float.tif")
    for name, complaint in {
        "missing.jpg": "no such file",
        ".": "is a folder",
        "text.jpg": "is not a photo",
        "empty.jpg": "is not a photo",
        "truncated.jpg": "is damaged",
        "truncated.png": "is damaged",
        "float.tif": "floating-point",
    }.items():
        with pytest.raises(InputError, match=complaint) as caught:
            read_photo(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(InputError, match="more than 200 pixels"):
        read_photo(save(tmp_path, Image.new("RGB", (20, 20))))


@pytest.mark.parametrize(
    ("path", "complaint"), [("out.gif", "cannot write .gif"), ("out", "without suffix"), ("none/out.png", "no such folder")]
)
def test_what_cannot_be_written_is_refused(tmp_path, path, complaint):
    with pytest.raises(InputError, match=complaint):
        write_photo(Image.new("RGB", (20, 20)), tmp_path / path)


def test_a_failed_write_leaves_nothing_behind(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        write_photo(Image.new("RGB", (16384, 1)), tmp_path / "too_wide.webp")
    assert not list(tmp_path.iterdir())


def test_photo_paths_are_the_photos_of_a_folder(tmp_path):
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.png", "deep/c.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert [path.name for path in photo_paths(tmp_path)] == ["a.png", "b.JPG"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no photo"):
        photo_paths(tmp_path / "empty")


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_padding_reflects_at_the_bottom_and_right(pixels, dtype):
    pixels = pixels.astype(dtype)
    expected = np.pad(pixels, ((0, 32 - HEIGHT), (0, 32 - WIDTH), (0, 0)), mode="reflect")
    np.testing.assert_array_equal(pad_to_multiple(pixels, 16), expected)
    np.testing.assert_array_equal(pad_to_multiple(expected, 16), expected)


def test_a_photo_is_recoloured_in_its_own_kind(tmp_path, pixels):
    image = Image.fromarray(pixels)
    image.putalpha(7)
    for given in (image, save(tmp_path, image), str(tmp_path / "photo.png")):
        result = recoloured(given, lambda pixels: 255 - pixels)
        np.testing.assert_array_equal(np.asarray(result.convert("RGB")), 255 - pixels)
        assert result.getchannel("A").getextrema() == (7, 7)
    np.testing.assert_array_equal(recoloured(pixels, lambda pixels: 255 - pixels), 255 - pixels)


def test_shrinking_ends_at_a_multiple(pixels):
    assert shrink_to_multiple(pixels, 8).shape == (16, 16, 3)


def test_an_eps_called_jpg_is_no_photo(tmp_path):
    """Pillow's EPS reader would run Ghostscript."""
    Image.new("RGB", (20, 20)).save(tmp_path / "photo.eps")
    (tmp_path / "photo.eps").rename(tmp_path / "photo.jpg")
    with pytest.raises(InputError, match="is not a photo that can be read"):
        read_photo(tmp_path / "photo.jpg")


@pytest.mark.parametrize("dtype", [np.uint16, np.int32])
def test_sixteen_bits_are_rounded_to_eight(dtype):
    samples = np.arange(2**16).astype(dtype).reshape(512, 128)
    np.testing.assert_array_equal(eight_bits(samples), np.round(samples / 257).astype(np.uint8))
