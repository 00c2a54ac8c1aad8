"""Training pairs with known answers, made on the fly: graded crops, and what each would be in another's grade."""

import cv2
import numpy as np

from common.errors import InputError
from common.grading import descriptor, grades
from common.photos import read_rgb, shrink_to_side

# Longer side, in pixels, of the photos kept in memory.
KEPT_SIDE = 192
# Pixels of a pair that its loss is measured on.
PIXELS = 256
# Share of the pairs whose photos have one grade.
SAME_GRADE = 0.08
# Share of the grades that are of the wide kind.
WIDE = 0.35
# Strength of the others; what is measured has `grades.MEASURED_STRENGTH`.
STRENGTHS = (0.3, 1.0)
# A crop's share of the photo along the side that two crops divide, and along the other.
ALONG, ACROSS = (0.5, 0.8), (0.7, 1.0)


def small_photos(paths):
    """Photos as small uint8 arrays `(height, width, 3)`.

    Raises:
        InputError: one cannot be read, or there are fewer than two.
    """
    if len(paths) < 2:
        raise InputError(f"{len(paths)} photo to train on; pairs need two at least")
    return [shrink_to_side(read_rgb(path), KEPT_SIDE) for path in paths]


def batches(photos, count, seed, first_step=0):
    """Endless batches of `batch`, each depending on the seed and its step alone; one-tuples, as Keras asks."""
    step = first_step
    while True:
        yield (batch(photos, count, np.random.default_rng([seed, step])),)
        step += 1


def batch(photos, count, random, draw=None, pixels=PIXELS):
    """Two overlapping crops of each of `count` photos, every one graded, and two pairs for each crop.

    A crop is content twice: its style is the other crop of its photo, then a crop of the next photo.

    Args:
        draw: a family of grades, `random -> grade`; by default the mixture that is trained on, with pairs of one grade.

    Returns:
        A dict of arrays; `crops` is 2 `count`:
            copies `(crops, 64, 64, 3)` and statistics `(crops, LENGTH)`: what the predictor gets of each graded crop.
            transports `(crops, 2, 4, 3)`: the linear maps from the crop to its styles.
            styles `(crops, 2)` int32: which crop is the style of each crop's two pairs.
            pixels `(crops, PIXELS, 3)`: some pixels of the graded crop.
            answers `(crops, 2, PIXELS, 3)`: the same pixels as in the style's grade.
    """
    chosen = random.permutation(len(photos))[:count] if count <= len(photos) else random.integers(len(photos), size=count)
    crops = np.stack([crop for index in chosen for crop in two_crops(photos[index], random)])
    drawn = grades_of(len(crops), random) if draw is None else [draw(random) for _ in crops]
    copies = np.stack([grades.apply(grade, crop) for grade, crop in zip(drawn, crops, strict=True)])
    numbers = np.arange(len(crops))
    styles = np.stack([numbers ^ 1, (numbers + 2) % len(crops)], axis=1).astype(np.int32)
    places = random.integers(copies[0].size // 3, size=(len(crops), pixels))
    raw = np.take_along_axis(crops.reshape(len(crops), -1, 3), places[..., None], axis=1)
    moments = descriptor.moments(copies)
    transports = [descriptor.transport(moments, moments[of_pair]) for of_pair in styles.T]
    return {
        "copies": copies,
        "transports": np.stack(transports, axis=1),
        "statistics": descriptor.statistics(copies),
        "styles": styles,
        "pixels": np.take_along_axis(copies.reshape(len(crops), -1, 3), places[..., None], axis=1),
        "answers": np.stack(
            [[grades.apply(drawn[style], some) for style in both] for some, both in zip(raw, styles, strict=True)]
        ),
    }


def grades_of(count, random):
    """So many grades to train on, two by two for the crops of a photo; some are those of a crop's style."""
    drawn = []
    for number in range(count):
        same = random.random() < SAME_GRADE
        if number % 2 and same:
            drawn.append(drawn[-1])
        elif number > 1 and same:
            drawn.append(drawn[-2])
        elif random.random() < WIDE:
            drawn.append(grades.wide_grade(random))
        else:
            drawn.append(grades.training_grade(random, random.uniform(*STRENGTHS)))
    return drawn


def two_crops(photo, random):
    """Two overlapping crops, a photo's opposite ends in any order, mirrored half the time, as float32 copies in [0, 1]."""
    if random.random() < 0.3:
        photo = photo.transpose(1, 0, 2)
    if random.random() < 0.5:
        photo = photo[:, ::-1]
    ends = [photo[:, : _part(photo.shape[1], ALONG, random)], photo[:, -_part(photo.shape[1], ALONG, random) :]]
    crops = []
    for end in ends:
        height = _part(photo.shape[0], ACROSS, random)
        top = random.integers(photo.shape[0] - height + 1)
        crops.append(_copy(end[top : top + height]))
    return crops if random.random() < 0.5 else crops[::-1]


def _part(size, shares, random):
    """A number of pixels, a random share of `size`."""
    return max(1, round(size * random.uniform(*shares)))


def _copy(pixels):
    """A uint8 crop in the size that the predictor gets."""
    side = descriptor.COPY_SIDE
    return cv2.resize(np.ascontiguousarray(pixels), (side, side), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
