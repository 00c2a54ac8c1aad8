"""Photos by domain, and the batches that training takes of them."""

import itertools
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from common.errors import InputError
from common.photos import photo_paths
from common.photos.crops import training_photo

# How often a photo is cropped and mirrored; the least area of a crop, as a share, and the ratio of its sides.
CROPPED, MIRRORED = 0.5, 0.5
LEAST_AREA, RATIOS = 0.8, (0.9, 1.1)


class Domains(NamedTuple):
    """Photos to train on.

    Attributes:
        names: of the domains, sorted; their order numbers them.
        paths: a list of paths for each.
    """

    names: tuple[str, ...]
    paths: list

    def photos(self):
        """Paths of all domains in one list."""
        return list(itertools.chain(*self.paths))


def domains_in(folder, least=2):
    """The `Domains` of `folder`: every folder in it is one.

    Raises:
        InputError: there are fewer than `least`, or one holds no photo.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    folders = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(folders) < least:
        raise InputError(f"{folder} holds {len(folders)} folders, but needs one for each of {least} domains or more")
    return Domains(tuple(path.name for path in folders), [photo_paths(path) for path in folders])


def batches(domains, batch_size, size, latent_dim, seed, first_step=0):
    """Endless batches; one depends on the seed and its step alone.

    Domains are drawn evenly, however many photos each has. The domain to go to is that of the references, which may be the
    photo's own. The second reference of a photo is always the same.

    Yields:
        One-tuples of a dict: `image`, `reference` and `reference2`, `(batch, size, size, 3)`; `domain` and `target`,
        `(batch, domains)`; `noise` and `noise2`, `(batch, latent_dim)`; all float32.
    """
    partners = [np.random.default_rng([seed, 2**32 - 1, n]).permutation(len(paths)) for n, paths in enumerate(domains.paths)]
    step = first_step
    while True:
        random = np.random.default_rng([seed, step])
        domain, targets = random.integers(len(domains.names), size=(2, batch_size))
        chosen = [random.integers(len(domains.paths[n])) for n in domain]
        references = [random.integers(len(domains.paths[n])) for n in targets]
        seconds = [partners[n][index] for n, index in zip(targets, references, strict=True)]

        def augmented(of, indices, random=random):
            photos = [training_photo(domains.paths[n][index]) for n, index in zip(of, indices, strict=True)]
            return np.stack([augment(photo, size, random) for photo in photos])

        one_hot = np.eye(len(domains.names), dtype=np.float32)
        yield (
            {
                "image": augmented(domain, chosen),
                "reference": augmented(targets, references),
                "reference2": augmented(targets, seconds),
                "domain": one_hot[domain],
                "target": one_hot[targets],
                "noise": random.normal(size=(batch_size, latent_dim)).astype(np.float32),
                "noise2": random.normal(size=(batch_size, latent_dim)).astype(np.float32),
            },
        )
        step += 1


def augment(photo, size, random):
    """A uint8 photo, half of the times cropped and mirrored, as `resized` gives it."""
    if random.random() < CROPPED:
        photo = random_part(photo, random)
    if random.random() < MIRRORED:
        photo = photo[:, ::-1]
    return resized(photo, size)


def random_part(photo, random):
    """A part of a photo of about its own shape, at least `LEAST_AREA` of it; all of it where none such fits."""
    height, width = photo.shape[:2]
    area = random.uniform(LEAST_AREA, 1) * height * width
    ratio = np.exp(random.uniform(*np.log(RATIOS)))
    tall, wide = round((area / ratio) ** 0.5), round((area * ratio) ** 0.5)
    if tall > height or wide > width:
        return photo
    top, left = random.integers(height - tall + 1), random.integers(width - wide + 1)
    return photo[top : top + tall, left : left + wide]


def resized(photo, size):
    """A uint8 photo as float32 `(size, size, 3)` in [-1, 1], whatever its shape."""
    if photo.shape[:2] != (size, size):
        shrinks = min(photo.shape[:2]) >= size
        photo = cv2.resize(photo, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return photo.astype(np.float32) / 127.5 - 1
