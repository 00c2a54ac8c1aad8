"""Pairs of a content and a style photo in a folder, some with the right answer."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.errors import InputError
from common.photos import MINIMUM_SIZE, photo_paths, read_rgb, shrink_to_side

# The pictures of a pair, as in NAME_content.png; the last may be missing.
PARTS = ("content", "style", "truth")
# Folders that hold files of the same names: of PST50, Gong et al.'s 50 pairs with an answer; of the paper's figures.
PST50 = ("content_709", "paired_style", "paired_gt")
FIGURES = ("content", "style")


class Pair(NamedTuple):
    """Paths of a content and a style photo.

    Attributes:
        size: longer side in pixels that larger photos are reduced to; None: as they are.
        enlarged: longer side that the content is enlarged to before it is restyled, or None.
        truth: path of the right answer, or None.
    """

    name: str
    content: Path
    style: Path
    size: int | None = None
    enlarged: int | None = None
    truth: Path | None = None

    def read(self):
        """Content and style, uint8 `(height, width, 3)`.

        Raises:
            InputError: one cannot be read or is too small, or they are the same.
        """
        photos = [self._read(path) for path in (self.content, self.style)]
        for path, photo in zip((self.content, self.style), photos, strict=True):
            height, width = photo.shape[:2]
            if min(height, width) < MINIMUM_SIZE:
                raise InputError(f"{path} is {width}x{height} pixels but must be at least {MINIMUM_SIZE}x{MINIMUM_SIZE}")
        if np.array_equal(*photos):
            raise InputError(f"{self.content} and its style are the same photo")
        return photos

    def read_truth(self):
        """The right answer, uint8 of the content's shape.

        Raises:
            InputError: it cannot be read, or is not of the content's size.
        """
        truth = self._read(self.truth)
        if truth.shape != self._read(self.content).shape:
            raise InputError(f"{self.truth} is not of the size of {self.content}")
        return truth

    def _read(self, path):
        photo = read_rgb(path)
        return photo if self.size is None else shrink_to_side(photo, self.size)


def pairs_in(folder, size=None, enlarged=None):
    """The pairs in a folder, by name: NAME_content.*, NAME_style.* and, where it is known, NAME_truth.*; or in the
    folders `PST50` or `FIGURES`.

    Args:
        size, enlarged: as of `Pair`.

    Raises:
        InputError: there is none, or a content has no style.
    """
    by_part = photos_by_part(Path(folder))
    content, style, truth = by_part
    if not content:
        raise InputError(f"{folder} holds no pair: a content is called NAME_content.jpg, its style NAME_style.jpg")
    for name, path in (truth | content).items():
        for part, found in zip(PARTS[:2], by_part, strict=False):
            if name not in found:
                raise InputError(f"{path} has no {part}: there is no {name}_{part}.* beside it")
    return [Pair(name, content[name], style[name], size, enlarged, truth.get(name)) for name in sorted(content)]


def photos_by_part(folder):
    """Paths of contents, styles and answers, each by the names of their pairs."""
    for layout in (PST50, FIGURES):
        if all((folder / part).is_dir() for part in layout):
            found = [{path.stem: path for path in photo_paths(folder / part)} for part in layout]
            return found + [{}] * (len(PARTS) - len(found))
    paths = photo_paths(folder)
    return [{path.stem.removesuffix(f"_{part}"): path for path in paths if path.stem.endswith(f"_{part}")} for part in PARTS]


def require_truth(pairs, folder):
    """Raise `InputError` unless every one of `pairs`, found in `folder`, has an answer."""
    without = [pair.name for pair in pairs if pair.truth is None]
    if without:
        raise InputError(f"{folder} holds pairs without an answer, {without[0]} for one: there is no {without[0]}_truth.*")
