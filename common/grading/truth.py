"""Truth: pairs of photos whose right answer is known, because both were graded here.

The content is A(a), the style B(b), the right answer B(a): A and B are grades, a and b two crops of one photo that overlap,
or two photos that have nothing in common.
"""

import hashlib
from typing import NamedTuple

import numpy as np

from common.errors import InputError
from common.grading import grades
from common.photos import read_rgb, shrink_to_side

# Share of the photo's width that each of two overlapping crops has.
CROP = 0.6


class Truth(NamedTuple):
    """A pair with its answer: photos uint8 `(height, width, 3)`, and a record of how they came about."""

    content: np.ndarray
    style: np.ndarray
    truth: np.ndarray
    record: dict


def overlapping(paths, index, size, random):
    """Two crops of the photo number `index`, left and right in random order: photos, and their record."""
    path = paths[index % len(paths)]
    photo = shrink_to_side(read_rgb(path), size)
    width = max(1, round(CROP * photo.shape[1]))
    crops = [photo[:, :width], photo[:, -width:]]
    order = [0, 1] if random.random() < 0.5 else [1, 0]
    record = {"content": path.name, "style": path.name, "content_side": ("left", "right")[order[0]]}
    return [crops[side] for side in order], record


def unrelated(paths, index, size, random):
    """The photo number `index` and any other one: photos, and their record."""
    first = index % len(paths)
    second = (first + 1 + random.integers(len(paths) - 1)) % len(paths)
    chosen = [paths[first], paths[second]]
    photos = [shrink_to_side(read_rgb(path), size) for path in chosen]
    return photos, {"content": chosen[0].name, "style": chosen[1].name}


KINDS = {"overlapping": overlapping, "unrelated": unrelated}


def make(paths, kind, family, count, seed, size, one_grade=False):
    """So many `Truth`s; each depends on the photos, the seed and its number alone.

    Args:
        paths: photo files.
        kind: a key of `KINDS`.
        family: a function `random -> grade`, see `common.grading.grades`.
        size: of photos, longer side in pixels; larger ones are reduced.
        one_grade: grade both photos alike; the right answer is then the content itself.

    Raises:
        InputError: a photo cannot be read, or unrelated photos are asked for and there is only one.
    """
    if kind == "unrelated" and len(paths) < 2:
        raise InputError("unrelated pairs need two photos at least")
    order = np.random.default_rng(seed).permutation(len(paths))
    paths = [paths[place] for place in order]
    for number in range(count):
        random = np.random.default_rng([seed, number])
        (content, style), record = KINDS[kind](paths, number, size, random)
        content_grade = family(random)
        style_grade = content_grade if one_grade else family(random)
        yield Truth(
            graded(content_grade, content),
            graded(style_grade, style),
            graded(style_grade, content),
            record | {"content_grade": recorded(content_grade), "style_grade": recorded(style_grade)},
        )


def graded(grade, photo):
    """A uint8 photo graded, as a file would hold it."""
    return np.round(255 * grades.apply(grade, photo.astype(np.float32) / 255)).astype(np.uint8)


def recorded(grade):
    """A grade for a record: as it is, but of a 3D LUT only size and hash."""
    return [[name, digest(parameters["nodes"]) if name == "lut" else parameters] for name, parameters in grade]


def digest(nodes):
    """Size and SHA-256 of a LUT's nodes."""
    nodes = np.asarray(nodes, np.float32)
    return {"size": len(nodes), "sha256": hashlib.sha256(nodes.tobytes()).hexdigest()}
