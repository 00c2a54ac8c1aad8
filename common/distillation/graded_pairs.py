"""Batches of pairs whose right answer is known, as in `common.grading.truth`, made of crops as training takes them."""

import numpy as np

from common.grading import grades
from common.photos.crops import CentreCrops, random_crops

# Shorter side of a photo, in sides of a crop: a crop shows most of it, as a transfer's photos are whole.
PHOTO = 1.25
# Width of content and style is this share of a crop's, as a multiple of so many pixels.
WIDTH, MULTIPLE = 0.75, 16


def graded_crops(paths, batch_size, size, seed, first_step=0, square=False):
    """Endless batches of `graded_pairs`; arguments as of `common.photos.crops.random_crops`, but of reduced photos."""
    batches = random_crops(paths, batch_size, size, seed, first_step, square, round(PHOTO * size))
    for step, (crops,) in enumerate(batches, first_step):
        yield (graded_pairs(crops, np.random.default_rng([seed, step, 1])),)


class GradedCentreCrops(CentreCrops):
    """`CentreCrops` made into pairs, the same ones each time."""

    def __getitem__(self, index):
        (crops,) = super().__getitem__(index)
        return (graded_pairs(crops, np.random.default_rng(index)),)


def graded_pairs(crops, random):
    """Contents A(a), then styles B(b), then right answers B(a), as in `common.grading.truth`.

    Args:
        crops: `(count, height, width, 3)`, floats in [0, 1]. Their left parts are a; b is the right part of the same crop,
            which overlaps it, and of the next one, which is unrelated, in turn.

    Returns:
        `(3 * count, height, narrower width, 3)` float32.
    """
    width = max(MULTIPLE, int(WIDTH * crops.shape[2]) // MULTIPLE * MULTIPLE)
    numbers = np.arange(len(crops))
    others = np.where(numbers % 2, np.roll(numbers, -1), numbers)
    of_contents, of_styles = ([grades.measured_grade(random) for _ in crops] for _ in range(2))
    a, b = crops[:, :, :width], crops[others, :, -width:]
    pairs = [*zip(of_contents, a, strict=True), *zip(of_styles, b, strict=True), *zip(of_styles, a, strict=True)]
    return np.stack([grades.apply(grade, photo) for grade, photo in pairs])
