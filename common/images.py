"""Photo files and pixel arrays: reading photos as they come, writing them as they should be, fitting them to a stride."""

import contextlib
import io
import warnings
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from common.backbone import IMAGE_CHANNELS, MINIMUM_SIZE
from common.errors import InputError
from common.files import require_room, written_whole

# How each kind of photo is written: suffix -> options of `PIL.Image.Image.save`.
WRITERS = {
    ".jpg": (JPEG := {"format": "JPEG", "quality": 95, "subsampling": 0}),
    ".jpeg": JPEG,
    ".png": {"format": "PNG"},
    ".webp": {"format": "WEBP", "quality": 95},
    ".tif": (TIFF := {"format": "TIFF", "compression": "tiff_deflate"}),
    ".tiff": TIFF,
}
# What is read: other formats may run programs (EPS), or are not photos.
READABLE = ("JPEG", "PNG", "WEBP", "TIFF")
# 16-bit samples over 8-bit ones: 65535 / 255.
SIXTEEN_TO_EIGHT_BITS = 257
# Rows that are converted at a time.
STRIP = 256


def photo_paths(folder):
    """Paths of the JPEG, PNG, WebP and TIFF files in `folder`, sorted; hidden files are left out.

    Raises:
        InputError: `folder` is no folder, or holds no photo.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in WRITERS and not path.name.startswith("."))
    if not paths:
        raise InputError(f"{folder} holds no photo ({', '.join(WRITERS)})")
    return paths


@contextlib.contextmanager
def open_photo(path):
    """The photo at `path` as Pillow opens it, its pixels not read yet; errors as `read`, whatever is done with it."""
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a photo")
    if not path.exists():
        raise InputError(f"{path}: no such file")
    try:
        with warnings.catch_warnings():
            # Pillow warns at half the size that it refuses, and of every tag that it does not know.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=READABLE) as image:
                yield image
    except PermissionError as error:
        raise InputError(f"{path}: permission denied") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{path} is not a photo that can be read") from error
    except Image.DecompressionBombError as error:
        limit = 2 * Image.MAX_IMAGE_PIXELS
        raise InputError(f"{path} has more than {limit:,} pixels; refused as a possible decompression bomb") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # Pillow's decoders raise any of these
        raise InputError(f"{path} is damaged or of a kind that is not supported: {error}") from error


def require_photo(path):
    """Raise `InputError` unless `path` is a photo, as far as its first bytes tell."""
    with open_photo(path):
        pass


def read(path):
    """A photo, upright (EXIF orientation applied), as an RGB or RGBA `PIL.Image.Image` of 8 bits a channel.

    `info["icc_profile"]` is there where the file has an RGB profile, to be carried over.

    Raises:
        InputError: the file is missing, no photo, damaged or too large for Pillow's guard against decompression bombs.
    """
    with open_photo(path) as image:
        return normalise(image)


def normalise(image):
    """A PIL image of any mode and orientation as upright RGB or RGBA, with an ICC profile only where it is for RGB.

    The image itself may be changed: a large photo is not to be there twice.
    """
    ImageOps.exif_transpose(image, in_place=True)
    icc_profile = image.info.get("icc_profile")
    if image.mode == "CMYK" and icc_profile:
        image = to_srgb(image, icc_profile)
    elif image.mode.startswith("I"):  # 16 bits, which Pillow would clip
        image = Image.fromarray(eight_bits(np.asarray(image)))
    elif image.mode == "F":
        raise ValueError("floating-point samples have no known range")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    image.load()
    result = image if image.mode == mode else image.convert(mode)
    result.info = {"icc_profile": icc_profile} if is_rgb_profile(icc_profile) else {}
    return result


def eight_bits(samples):
    """16-bit samples `(height, width)`, of any whole-number type, rounded to uint8; strip by strip, in little memory."""
    result = np.empty(samples.shape, np.uint8)
    for start in range(0, len(samples), STRIP):
        strip = samples[start : start + STRIP].clip(0, 255 * SIXTEEN_TO_EIGHT_BITS).astype(np.int32)
        result[start : start + STRIP] = (strip + SIXTEEN_TO_EIGHT_BITS // 2) // SIXTEEN_TO_EIGHT_BITS
    return result


def to_srgb(image, icc_profile):
    """`image` converted to sRGB through its own profile, or by Pillow's plain formula where the profile is unusable."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return image.convert("RGB")


def is_rgb_profile(icc_profile):
    """Whether `icc_profile`, bytes or None, describes an RGB colour space (ICC.1, 7.2.6: bytes 16 to 19)."""
    return bool(icc_profile) and icc_profile[16:20] == b"RGB "


def flatten(image):
    """An RGB or RGBA image as RGB, transparent parts on white as viewers show them."""
    if image.mode == "RGB":
        return image
    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    flat.info = image.info
    return flat


def read_rgb(path):
    """A photo as a uint8 array `(height, width, 3)`; errors as `read`."""
    return np.asarray(flatten(read(path)))


# --- a photo in any of its kinds: a path, a PIL image, an array ----------------------------------------------------------


def pixels_of(photo):
    """The pixels of a photo, `(height, width, 3)` uint8 or floats in [0, 1]; transparent parts are white.

    Args:
        photo: a path, a PIL image, or an array.

    Raises:
        InputError: it cannot be used.
    """
    pixels = photo if isinstance(photo, np.ndarray) else np.asarray(flatten(opened(photo)))
    require_pixels(pixels, named(photo))
    return pixels


def recoloured(photo, recolour):
    """A photo with its pixels changed.

    Args:
        photo: a path, a PIL image, or an array.
        recolour: a function of an array as `pixels_of` gives, but for transparent parts, which keep their colours; it gives
            another of the same type.

    Returns:
        An array for an array, else a PIL image with the photo's alpha and ICC profile.

    Raises:
        InputError: it cannot be used.
    """
    if isinstance(photo, np.ndarray):
        return recolour(pixels_of(photo))
    image = opened(photo)
    alpha, info = image.getchannel("A") if image.mode == "RGBA" else None, image.info
    pixels = np.asarray(image if alpha is None else image.convert("RGB"))
    del image  # one copy of a large photo is enough
    require_pixels(pixels, named(photo))
    result = Image.fromarray(recolour(pixels))
    if alpha:
        result.putalpha(alpha.resize(result.size))
    result.info = info
    return result


def opened(photo):
    """A path or PIL image as an upright RGB or RGBA image."""
    if not isinstance(photo, Image.Image):
        return read(photo)
    try:
        return normalise(photo.copy())
    except ValueError as error:
        raise InputError(f"the image cannot be used: {error}") from error


def named(photo):
    """What error messages call a photo: its path, where it has one."""
    return "the photo" if isinstance(photo, (np.ndarray, Image.Image)) else str(photo)


def require_pixels(pixels, name):
    """Raise `InputError` unless `pixels` is an array that can be stylised; `name` says whose it is."""
    if pixels.ndim != 3 or pixels.shape[-1] != IMAGE_CHANNELS:
        raise InputError(f"{name} has shape {pixels.shape} but must be (height, width, {IMAGE_CHANNELS})")
    height, width = pixels.shape[:2]
    if min(height, width) < MINIMUM_SIZE:
        raise InputError(f"{name} is {width}x{height} pixels but must be at least {MINIMUM_SIZE}x{MINIMUM_SIZE}")
    if pixels.dtype == np.uint8:
        return
    if not np.issubdtype(pixels.dtype, np.floating):
        raise InputError(f"{name} is of type {pixels.dtype} but must be uint8, or floats in [0, 1]")
    if not np.isfinite(pixels).all():
        raise InputError(f"{name} holds NaN or infinity")
    if pixels.min() < 0 or pixels.max() > 1:
        raise InputError(f"{name} runs from {pixels.min():g} to {pixels.max():g} but floats must lie in [0, 1]")


# --- writing -------------------------------------------------------------------------------------------------------------


def require_writable(path):
    """Raise `InputError` where no photo can be written to `path`: unknown suffix, a folder, or no folder to lie in."""
    path = Path(path)
    if path.suffix.lower() not in WRITERS:
        raise InputError(f"{path}: cannot write {path.suffix or 'a name without suffix'}, only {', '.join(WRITERS)}")
    require_room(path)


def write(image, path):
    """Write an RGB or RGBA image to `path`, whole or not at all, in the format of its suffix.

    The ICC profile goes along; alpha too, but into JPEG, where transparent parts turn white.

    Raises:
        InputError: the path cannot be written, or the format cannot hold the image.
    """
    path = Path(path)
    require_writable(path)
    options = WRITERS[path.suffix.lower()]
    try:
        with written_whole(path) as temporary:
            image = flatten(image) if options["format"] == "JPEG" else image
            image.save(temporary, icc_profile=image.info.get("icc_profile"), **options)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be written: {error}") from error


def shrink_to_multiple(pixels, stride):
    """`pixels`, `(height, width, ...)`, resized bilinearly down to multiples of `stride`, as the paper's notebooks do."""
    height, width = (size // stride * stride for size in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)


def shrink_to_side(pixels, side):
    """`pixels`, `(height, width, ...)`, with the longer side no longer than `side`."""
    scale = side / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    height, width = (max(1, round(scale * size)) for size in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def enlarge_to_side(pixels, side):
    """`pixels`, `(height, width, 3)` uint8, with the longer side no shorter than `side`."""
    scale = side / max(pixels.shape[:2])
    if scale <= 1:
        return pixels
    height, width = (round(scale * size) for size in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)


def pad_to_multiple(pixels, stride):
    """`pixels`, `(height, width, ...)`, padded by reflection at the bottom and right to multiples of `stride`."""
    missing = [(0, -size % stride) for size in pixels.shape[:2]]
    return np.pad(pixels, [*missing, *[(0, 0)] * (pixels.ndim - 2)], mode="reflect")


def as_floats(pixels):
    """Pixels of uint8, or of floats in [0, 1], as float32 in [0, 1]."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float32) / 255
    return pixels.astype(np.float32, copy=False)
