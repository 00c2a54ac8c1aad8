"""Arrays of pixels: what a photo of any kind holds, and making it fit a size or a stride."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from common.errors import InputError
from common.photos.files import flatten, normalise, read_photo

# A photo in any of its kinds; an array is `(height, width, 3)`, of uint8 or of floats in [0, 1].
Photo = str | Path | Image.Image | np.ndarray
IMAGE_CHANNELS = 3
# Smallest height and width, in pixels, at which every reflection padding of a network here has a pixel to reflect.
MINIMUM_SIZE = 16


def pixels_of(photo: Photo) -> np.ndarray:
    """The pixels of a photo, `(height, width, 3)` uint8 or floats in [0, 1]; transparent parts are white.

    Args:
        photo: a path, a PIL image, or an array.

    Raises:
        InputError: it cannot be used.
    """
    pixels = photo if isinstance(photo, np.ndarray) else np.asarray(flatten(opened(photo)))
    require_pixels(pixels, named(photo))
    return pixels


def recoloured(photo: Photo, recolour: Callable[[np.ndarray], np.ndarray]) -> Image.Image | np.ndarray:
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
        return read_photo(photo)
    try:
        return normalise(photo.copy())
    except ValueError as error:
        raise InputError(f"the image cannot be used: {error}") from error


def named(photo):
    """What error messages call a photo: its path, where it has one."""
    if isinstance(photo, np.ndarray):
        return "the photo"
    return (getattr(photo, "filename", "") or "the photo") if isinstance(photo, Image.Image) else str(photo)


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


def shrink_to_multiple(pixels: np.ndarray, stride: int) -> np.ndarray:
    """`pixels`, `(height, width, ...)`, resized bilinearly down to multiples of `stride`, as the paper's notebooks do."""
    height, width = (size // stride * stride for size in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR)


def shrink_to_side(pixels: np.ndarray, side: int) -> np.ndarray:
    """`pixels`, `(height, width, ...)`, with the longer side no longer than `side`."""
    scale = side / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    height, width = (max(1, round(scale * size)) for size in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def enlarge_to_side(pixels: np.ndarray, side: int) -> np.ndarray:
    """`pixels`, `(height, width, 3)` uint8, with the longer side no shorter than `side`."""
    scale = side / max(pixels.shape[:2])
    if scale <= 1:
        return pixels
    height, width = (round(scale * size) for size in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC)


def pad_to_multiple(pixels: np.ndarray, stride: int) -> np.ndarray:
    """`pixels`, `(height, width, ...)`, padded by reflection at the bottom and right to multiples of `stride`."""
    missing = [(0, -size % stride) for size in pixels.shape[:2]]
    return np.pad(pixels, [*missing, *[(0, 0)] * (pixels.ndim - 2)], mode="reflect")


def as_floats(pixels: np.ndarray) -> np.ndarray:
    """Pixels of uint8, or of floats in [0, 1], as float32 in [0, 1]."""
    if pixels.dtype == np.uint8:
        return pixels.astype(np.float32) / 255
    return pixels.astype(np.float32, copy=False)
