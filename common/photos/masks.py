"""Masks and label pictures: which pixels belong to what."""

from pathlib import Path

import cv2
import numpy as np

from common.errors import InputError
from common.photos.files import normalise, open_photo

# Largest difference, in any channel of 255, of colours that are taken for one label: JPEG's noise is smaller.
TOLERANCE = 40
# A colour of a smaller share of the pixels is noise or a border between two labels.
SMALLEST_SHARE = 0.002


def read_mask(path: str | Path) -> np.ndarray:
    """A picture of any mode as a mask `(height, width)`, float32: white 1, black 0; what is transparent is black.

    Raises:
        InputError: as `common.photos.read_photo`.
    """
    image = opened(path)
    alpha = np.asarray(image.getchannel("A"), np.float32) / 255 if image.mode == "RGBA" else np.float32(1)
    return np.asarray(image.convert("L"), np.float32) / 255 * alpha


def read_labels(path: str | Path) -> np.ndarray:
    """A picture of labels, one colour each, as uint8 `(height, width, 3)`; errors as `read_mask`."""
    return np.asarray(opened(path).convert("RGB"))


def opened(path):
    """A picture as upright RGB or RGBA; a palette's index or a single bit has been turned into what it stands for."""
    with open_photo(path) as image:
        return normalise(image)


def labelled(content: np.ndarray, style: np.ndarray) -> tuple[dict, dict, list[str]]:
    """Masks of the labels that are in two label pictures, by colour.

    Args:
        content, style: uint8 `(height, width, 3)`.

    Returns:
        Of content and style a mask `(height, width)` of bool for each label that both have, by its name (#ff0000), and the
        names of labels that only one of them has.

    Raises:
        InputError: they have no label in common.
    """
    palette = colours_of([content, style])
    masks = [nearest_colour(picture, palette) for picture in (content, style)]
    names = ["#{:02x}{:02x}{:02x}".format(*colour) for colour in palette]
    there = [{n for n in range(len(palette)) if (mask == n).mean() >= SMALLEST_SHARE} for mask in masks]
    shared = sorted(there[0] & there[1])
    if not shared:
        raise InputError(f"the label pictures have no colour in common, but {', '.join(names)}")
    in_content, in_style = ({names[n]: mask == n for n in shared} for mask in masks)
    return in_content, in_style, [names[n] for n in sorted(there[0] ^ there[1])]


def colours_of(pictures):
    """The label colours of pictures, the most frequent first: `(labels, 3)` uint8, further apart than `TOLERANCE`."""
    # Not at borders between labels, where JPEG makes colours that are neither.
    pixels = np.concatenate([picture[is_even(picture)] for picture in pictures])
    found, counts = np.unique(pixels >> 3, axis=0, return_counts=True)  # JPEG's noise makes thousands
    palette = []
    for index in np.argsort(-counts):
        if counts[index] < SMALLEST_SHARE * len(pixels):
            break
        colour = found[index].astype(int) * 8 + 4
        if all(np.abs(colour - other).max() > TOLERANCE for other in palette):
            palette.append(colour)
    ends = [np.where(colour < 8, 0, np.where(colour > 248, 255, colour)) for colour in palette]
    return np.array(ends, np.uint8)


def is_even(picture):
    """Where a picture has one colour all around, `(height, width)` of bool."""
    square = np.ones((3, 3), np.uint8)
    return (cv2.dilate(picture, square).astype(int) - cv2.erode(picture, square) <= TOLERANCE).all(axis=-1)


def nearest_colour(picture, palette):
    """For each pixel the number of the colour in `palette` that is nearest, `(height, width)`."""
    distances = [np.abs(picture.astype(np.int16) - colour.astype(np.int16)).max(axis=-1) for colour in palette]
    return np.argmin(distances, axis=0)


def resized(mask: np.ndarray, height: int, width: int) -> np.ndarray:
    """A mask in another size, float32 `(height, width)`."""
    mask = mask.astype(np.float32)
    if mask.shape == (height, width):
        return mask
    smaller = height * width < mask.size
    return cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
