"""Pairs of a content and a style photo in a folder."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.errors import InputError
from common.photos import MINIMUM_SIZE, photo_paths, read_rgb, shrink_to_side


class Pair(NamedTuple):
    """Paths of a content and a style photo.

    Attributes:
        size: longer side in pixels that larger photos are reduced to.
        enlarged: longer side that the content is enlarged to before it is restyled, or None.
    """

    name: str
    content: Path
    style: Path
    size: int
    enlarged: int | None

    def read(self):
        """Content and style, uint8 `(height, width, 3)`.

        Raises:
            InputError: one cannot be read or is too small, or they are the same.
        """
        photos = [shrink_to_side(read_rgb(path), self.size) for path in (self.content, self.style)]
        for path, photo in zip((self.content, self.style), photos, strict=True):
            height, width = photo.shape[:2]
            if min(height, width) < MINIMUM_SIZE:
                raise InputError(f"{path} is {width}x{height} pixels but must be at least {MINIMUM_SIZE}x{MINIMUM_SIZE}")
        if np.array_equal(*photos):
            raise InputError(f"{self.content} and its style are the same photo")
        return photos


def pairs_in(folder, size, enlarged=None):
    """The pairs in a folder, by name; other photos are left alone.

    Raises:
        InputError: there is none, or a content has no style.
    """
    by_stem = {path.stem: path for path in photo_paths(folder)}
    names = [stem.removesuffix("_content") for stem in by_stem if stem.endswith("_content")]
    if not names:
        raise InputError(f"{folder} holds no pair: a content is called NAME_content.jpg, its style NAME_style.jpg")
    for name in names:
        if f"{name}_style" not in by_stem:
            raise InputError(f"{by_stem[f'{name}_content']} has no style: there is no {name}_style.* beside it")
    return [Pair(name, by_stem[f"{name}_content"], by_stem[f"{name}_style"], size, enlarged) for name in names]
