"""Sheets of what a generator makes: a column for each photo, a row for each style."""

import numpy as np
from keras import ops
from PIL import Image

from common.photos import write_photo

# Photos on the sheet of a training.
COLUMNS = 6
# Of noise drawn for the mean style of a domain.
MEAN_OF = 1000


def made(networks, images, styles):
    """What a generator makes of images and styles, float32 arrays of the same length."""
    return ops.convert_to_numpy(networks["generator"]([images, styles])[0])


def styles_of_noise(networks, noise, domain, psi=1.0):
    """Styles of `noise` `(count, latent_dim)` in one domain, drawn towards their mean by `psi` below 1.

    Args:
        domain: one-hot, `(domains,)`.
    """
    styles = mapped(networks, noise, domain)
    if psi == 1:
        return styles
    random = np.random.default_rng(0)
    mean = mapped(networks, random.normal(size=(MEAN_OF, noise.shape[1])).astype(np.float32), domain).mean(axis=0)
    return mean + psi * (styles - mean)


def mapped(networks, noise, domain):
    """What the mapping network makes of noise, in one domain."""
    return ops.convert_to_numpy(networks["mapping"]([noise, np.repeat(domain[None], len(noise), axis=0)]))


def grid(networks, images, styles, labels=None):
    """A sheet `(rows, columns, size, size, 3)`: the photos above, then a row for each of `styles` `(count, style_dim)`.

    labels: images `(count, size, size, 3)` at the left of their rows, the corner white; None for none.
    """
    rows = [images, *(made(networks, images, np.repeat(style[None], len(images), axis=0)) for style in styles)]
    sheet = np.stack(rows)
    if labels is None:
        return sheet
    left = np.concatenate([np.ones_like(labels[:1]), labels])[:, None]
    return np.concatenate([left, sheet], axis=1)


def latent_grid(networks, images, domain, rows, seed=0, psi=1.0):
    """Photos in one domain, in as many random styles as `rows`."""
    latent_dim = networks["mapping"].inputs[0].shape[-1]
    noise = np.random.default_rng(seed).normal(size=(rows, latent_dim)).astype(np.float32)
    return grid(networks, images, styles_of_noise(networks, noise, domain, psi))


def reference_grid(networks, images, references, domains):
    """Photos in the styles of references, whose domains are one-hot, `(count, domains)`; references at the left."""
    styles = ops.convert_to_numpy(networks["encoder"]([references, domains]))
    return grid(networks, images, styles, labels=references)


def picture(sheet):
    """A sheet `(rows, columns, height, width, 3)` in [-1, 1] as one PIL image."""
    rows, columns, height, width, _ = sheet.shape
    pixels = sheet.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, 3)
    return Image.fromarray(((np.clip(pixels, -1, 1) + 1) * 127.5).round().astype(np.uint8))


def write_sheet(sheet, path):
    """Write a sheet, as `picture` takes it, to a file."""
    write_photo(picture(sheet), path)
