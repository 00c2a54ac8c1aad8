"""Photo files and pixel arrays: reading photos as they come, writing them as they should be, fitting them to a stride."""

import contextlib
import io
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

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


def photo_paths(folder: str | Path, also: Iterable[str] = ()) -> list[Path]:
    """Paths of the JPEG, PNG, WebP and TIFF files in `folder`, sorted; hidden files are left out.

    Args:
        also: more endings to take, in lower case.

    Raises:
        InputError: `folder` is no folder, or holds no photo.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    return photos_among(folder.iterdir(), folder, also)


def photos_among(paths: Iterable[Path], folder: str | Path, also: Iterable[str] = ()) -> list[Path]:
    """As `photo_paths`, of the paths in a folder that may lie anywhere: only their names are looked at."""
    endings = {*WRITERS, *also}
    photos = sorted(path for path in paths if path.suffix.lower() in endings and not path.name.startswith("."))
    if not photos:
        raise InputError(f"{folder} holds no photo ({', '.join(WRITERS)})")
    return photos


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


def require_photo(path: str | Path) -> None:
    """Raise `InputError` unless `path` is a photo, as far as its first bytes tell."""
    with open_photo(path):
        pass


def read_photo(path: str | Path) -> Image.Image:
    """A photo, upright (EXIF orientation applied), as an RGB or RGBA `PIL.Image.Image` of 8 bits a channel.

    `info["icc_profile"]` is there where the file has an RGB profile, to be carried over.

    Raises:
        InputError: the file is missing, no photo, damaged or too large for Pillow's guard against decompression bombs.
    """
    with open_photo(path) as image:
        result = normalise(image)
    result.filename = str(path)  # for messages
    return result


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


def flatten(image: Image.Image) -> Image.Image:
    """An RGB or RGBA image as RGB, transparent parts on white as viewers show them."""
    if image.mode == "RGB":
        return image
    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    flat.info = image.info
    return flat


def read_rgb(path: str | Path) -> np.ndarray:
    """A photo as a uint8 array `(height, width, 3)`; errors as `read`."""
    return np.asarray(flatten(read_photo(path)))


# --- writing -------------------------------------------------------------------------------------------------------------


def require_writable(path: str | Path) -> None:
    """Raise `InputError` where no photo can be written to `path`: unknown suffix, a folder, or no folder to lie in."""
    path = Path(path)
    if path.suffix.lower() not in WRITERS:
        raise InputError(f"{path}: cannot write {path.suffix or 'a name without suffix'}, only {', '.join(WRITERS)}")
    require_room(path)


def write_photo(image: Image.Image, path: str | Path) -> None:
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
