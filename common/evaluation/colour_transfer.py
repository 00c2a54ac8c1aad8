"""Classical colour transfer: what one would take to give a photo another's colours without a network.

Photos are `(height, width, 3)`, RGB as floats in [0, 1]; so are the results, but not clipped to that range.
"""

import warnings

import numpy as np
from scipy.linalg import sqrtm
from skimage.color import lab2rgb, rgb2lab
from skimage.exposure import match_histograms

# Added to the covariance of pixels in [0, 1], so that a photo without colour, or of one colour, can be transported too.
SMALLEST_VARIANCE = 1e-6


def reinhard(content, style):
    """Mean and standard deviation of every channel in CIELAB (Reinhard et al. 2001, who take l-alpha-beta).

    The way back to RGB clips what lies outside its gamut.
    """
    content, style = rgb2lab(content), rgb2lab(style)
    scale = style.std((0, 1)) / np.maximum(content.std((0, 1)), np.sqrt(SMALLEST_VARIANCE))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # which says how many pixels that were
        return lab2rgb((content - content.mean((0, 1))) * scale + style.mean((0, 1)))


def monge_kantorovich(content, style):
    """Mean and covariance in RGB, by the linear map that moves colours least (Pitié & Kokaram 2007).

    K_c^-1/2 (K_c^1/2 K_s K_c^1/2)^1/2 K_c^-1/2.
    """
    root = sqrtm(covariance(content))
    inverse = np.linalg.inv(root)
    matrix = inverse @ sqrtm(root @ covariance(style) @ root) @ inverse
    return (content - content.mean((0, 1))) @ matrix + style.mean((0, 1))


def covariance(photo):
    """Covariance of the colours of a photo, `(3, 3)`, regularised."""
    return np.cov(photo.reshape(-1, 3), rowvar=False, bias=True) + SMALLEST_VARIANCE * np.eye(3)


def histograms(content, style):
    """The histogram of every channel in RGB, of 256 values as in a photo file."""
    content, style = (np.round(255 * photo).astype(np.uint8) for photo in (content, style))
    return match_histograms(content, style, channel_axis=-1) / 255


METHODS = {"reinhard": reinhard, "monge-kantorovich": monge_kantorovich, "histograms": histograms}
