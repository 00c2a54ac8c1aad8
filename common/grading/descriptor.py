"""What a photo's colours are like, in a few hundred numbers: all that a grade needs of a photo, beside what a network sees.

NumPy and OpenCV only; the same numbers in training and in use.
"""

import cv2
import numpy as np

# Side in pixels of the square copy that everything is measured on.
COPY_SIDE = 64
# Levels at which the sorted values of a channel are read off.
QUANTILES = np.array([0, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.99, 1])
# Bins of the histogram along L, a and b.
BINS = (6, 7, 7)
# The histogram looks at one pixel of so many.
HISTOGRAM_STEP = 3
# Length of `statistics`: means, spreads, correlations, quantiles of L, a, b, R, G, B, histogram.
LENGTH = 3 + 3 + 3 + 6 * len(QUANTILES) + int(np.prod(BINS))
# Lab is divided by this, so that all numbers are near [-1, 1].
LAB_SCALE = np.float32(100)
# Chroma at which the histogram's scale of a and b is half way out; near grey its bins are narrow.
HALF_CHROMA = np.float32(25)
# Spread, in units of `LAB_SCALE`, below which a channel counts as having none.
SMALLEST_SPREAD = 1e-3
# Length of `moments`.
MOMENTS = 12
# Added to the variance of RGB in every direction, so that a photo without colour can be transported too.
SMALLEST_VARIANCE = 1e-4


def copy(pixels):
    """A photo `(height, width, 3)`, uint8 or floats in [0, 1], as a float32 copy `(COPY_SIDE, COPY_SIDE, 3)` in [0, 1]."""
    small = cv2.resize(pixels, (COPY_SIDE, COPY_SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    return small / 255 if pixels.dtype == np.uint8 else small


def statistics(copies):
    """Statistics of colour.

    Args:
        copies: `(batch, height, width, 3)`, RGB float32 in [0, 1].

    Returns:
        `(batch, LENGTH)` float32: means, spreads and correlations in Lab, quantiles, the root of a soft histogram.
    """
    count = len(copies)
    colours = copies.reshape(count, -1, 3)
    lab = cv2.cvtColor(colours, cv2.COLOR_RGB2Lab).transpose(0, 2, 1) / LAB_SCALE
    mean = lab.mean(axis=2)
    centred = lab - mean[..., None]
    covariance = np.matmul(centred, centred.transpose(0, 2, 1)) / lab.shape[2]
    spread = np.sqrt(covariance[:, range(3), range(3)])
    product = np.maximum(spread, SMALLEST_SPREAD)[:, :, None] * np.maximum(spread, SMALLEST_SPREAD)[:, None]
    correlations = (covariance / product)[:, (0, 0, 1), (1, 2, 2)]
    ordered = np.sort(np.concatenate([lab, colours.transpose(0, 2, 1)], axis=1), axis=2)
    quantiles = ordered[..., np.round(QUANTILES * (ordered.shape[2] - 1)).astype(int)]
    parts = [mean, spread, correlations, quantiles.reshape(count, -1), histogram(lab[..., ::HISTOGRAM_STEP])]
    return np.concatenate(parts, axis=1).astype(np.float32)


def moments(copies):
    """Mean and covariance in RGB, which `transport` needs.

    Args:
        copies: `(batch, height, width, 3)`.

    Returns:
        `(batch, MOMENTS)` float32: three means, and the covariance by rows.
    """
    colours = copies.reshape(len(copies), -1, 3)
    mean = colours.mean(axis=1)
    centred = colours - mean[:, None]
    covariance = np.matmul(centred.transpose(0, 2, 1), centred) / colours.shape[1]
    return np.concatenate([mean, covariance.reshape(-1, 9)], axis=1).astype(np.float32)


def transport(content, style):
    """Linear maps that move mean and covariance from one photo's to another's, each colour as little as can be.

    Monge's problem between Gaussians (Pitié & Kokaram 2007): K_c^-1/2 (K_c^1/2 K_s K_c^1/2)^1/2 K_c^-1/2.

    Args:
        content, style: `moments`, `(batch, MOMENTS)`.

    Returns:
        `(batch, 4, 3)` float32: of a colour in a row, the matrix that it is multiplied by, and what is then added.
    """
    (mean, covariance), (goal, goal_covariance) = (_split(x.astype(np.float64)) for x in (content, style))
    root, inverse = _power(covariance, 0.5), _power(covariance, -0.5)
    matrix = inverse @ _power(root @ goal_covariance @ root, 0.5) @ inverse
    offset = goal[:, None] - mean[:, None] @ matrix
    return np.concatenate([matrix, offset], axis=1).astype(np.float32)


def _split(moments):
    """Means, and covariances with some variance added in every direction."""
    return moments[:, :3], moments[:, 3:].reshape(-1, 3, 3) + SMALLEST_VARIANCE * np.eye(3)


def _power(matrices, exponent):
    """A power of symmetric positive matrices `(batch, 3, 3)`."""
    values, vectors = np.linalg.eigh(matrices)
    scaled = vectors * np.maximum(values, SMALLEST_VARIANCE**2)[:, None] ** exponent
    return scaled @ vectors.transpose(0, 2, 1)


def histogram(lab):
    """Root of the share of pixels in every bin of Lab, shared out linearly between neighbours.

    Args:
        lab: `(batch, 3, pixels)`, in units of `LAB_SCALE`.

    Returns:
        `(batch, product of BINS)` float32.
    """
    colour = lab[:, 1:] * LAB_SCALE
    bent = colour / (np.abs(colour) + HALF_CHROMA)  # from -1 to 1
    light, green_red, blue_yellow = (
        _hats(place, bins) for place, bins in zip((lab[:, 0], *(0.5 + bent / 1.6).transpose(1, 0, 2)), BINS, strict=True)
    )
    chroma = (green_red[:, :, None] * blue_yellow[:, None]).reshape(len(lab), -1, lab.shape[2])
    return np.sqrt(np.matmul(light, chroma.transpose(0, 2, 1)).reshape(len(lab), -1) / lab.shape[2])


def _hats(place, bins):
    """Each place in [0, 1] shared out between the two nearest of so many centres, `(batch, bins, pixels)`."""
    place = np.clip(place, 0, 1) * np.float32(bins - 1)
    centres = np.arange(bins, dtype=np.float32)[:, None]
    return np.maximum(1 - np.abs(place[:, None] - centres), 0)
