"""Photos for training and measuring: random crops and centre crops, read as they are needed."""

import functools

import cv2
import keras
import numpy as np

from common.errors import InputError
from common.photos import read_rgb

# Shorter side, in pixels, that larger photos are shrunk to, so that a crop shows more than texture; the paper's 512.
SHORTER_SIDE = 512
# Decoded photos kept in memory, about 1 MB each: decoding takes longer than a training step of the small networks.
PHOTOS_KEPT = 1200


@functools.lru_cache(maxsize=PHOTOS_KEPT)
def training_photo(path, square=False, shorter_side=SHORTER_SIDE):
    """A photo no larger than training has use for, uint8 `(height, width, 3)`.

    Args:
        square: resize to 512x512 whatever its shape, as the paper does; else shrink larger ones in proportion.
        shorter_side: that they are shrunk to, in pixels.
    """
    photo = read_rgb(path)
    height, width = photo.shape[:2]
    scale = min(1, shorter_side / min(height, width))
    size = (SHORTER_SIDE,) * 2 if square else (round(scale * width), round(scale * height))
    return photo if size == (width, height) else cv2.resize(photo, size, interpolation=cv2.INTER_AREA)


def random_crops(paths, batch_size, size, seed, first_step=0, square=False, shorter_side=SHORTER_SIDE):
    """Endless batches of crops, `(batch_size, size, size, 3)`, RGB in [0, 1], half of them mirrored.

    A batch depends on the seed and its step alone: a run that goes on from `first_step` sees what it would have seen.
    `square` and `shorter_side` as for `training_photo`.

    Yields:
        One-tuples, as Keras asks of a generator.
    """
    step = first_step
    while True:
        random = np.random.default_rng([seed, step])
        chosen = random.integers(len(paths), size=batch_size)
        yield (np.stack([random_crop(training_photo(paths[i], square, shorter_side), size, random) for i in chosen]),)
        step += 1


def random_crop(photo, size, random):
    """A square crop of a uint8 photo in float32; one too small is enlarged first."""
    photo = enlarged(photo, size)
    top, left = (random.integers(side - size + 1) for side in photo.shape[:2])
    crop = photo[top : top + size, left : left + size]
    return (crop[:, ::-1] if random.random() < 0.5 else crop).astype(np.float32) / 255


def centre_crop(photo, size):
    """The middle of a uint8 photo in float32, `(size, size, 3)`; one too small is enlarged first."""
    photo = enlarged(photo, size)
    top, left = ((side - size) // 2 for side in photo.shape[:2])
    return photo[top : top + size, left : left + size].astype(np.float32) / 255


def enlarged(photo, size):
    """`photo` with neither side shorter than `size`."""
    height, width = photo.shape[:2]
    scale = size / min(height, width)
    if scale <= 1:
        return photo
    return cv2.resize(photo, (max(size, round(scale * width)), max(size, round(scale * height))))


class CentreCrops(keras.utils.PyDataset):
    """Batches of the middles of photos, `(batch, size, size, 3)`, RGB in [0, 1], each photo read when its turn comes."""

    def __init__(self, paths, batch_size=4, size=320):
        super().__init__()
        self.paths, self.batch_size, self.size = paths, batch_size, size

    def __len__(self):
        return -(-len(self.paths) // self.batch_size)

    def __getitem__(self, index):
        paths = self.paths[index * self.batch_size : (index + 1) * self.batch_size]
        return (np.stack([centre_crop(read_rgb(path), self.size) for path in paths]),)

    def __iter__(self):
        return (self[index] for index in range(len(self)))


def require_readable(paths):
    """Raise `InputError`, naming the photo, unless every photo can be read: better now than hours into training."""
    for path in paths:
        if not read_rgb(path).size:
            raise InputError(f"{path} is empty")
