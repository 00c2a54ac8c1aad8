"""How near a result is to the right answer, and how sure a mean over pairs is. Photos are uint8 `(height, width, 3)`."""

from typing import NamedTuple

import cv2
import numpy as np

from common.evaluation.similarity import edge_ssim, luminance_ssim

# Mean squared error that rounding to 8 bits makes; none is counted as smaller, which holds PSNR below 59 dB.
ROUNDING = (1 / 255) ** 2 / 12
# Samples of a bootstrap, and the share of them that an interval holds.
SAMPLES, COVERED = 2000, 0.95


class Score(NamedTuple):
    """A result measured against the right answer: PSNR in dB, SSIM of luminance and of edges, mean CIEDE2000, histograms.

    LPIPS is NaN where it is not measured.
    """

    psnr: float
    ssim: float
    ciede2000: float
    edge_ssim: float
    histograms: float
    lpips: float = float("nan")


def score(result, truth, lpips=None):
    """The `Score` of a result; `lpips` is a `common.evaluation.lpips.Lpips` or None."""
    return Score(
        psnr(result, truth),
        luminance_ssim(result, truth),
        ciede2000(result, truth),
        edge_ssim(result, truth),
        histogram_correlation(result, truth),
        lpips(result, truth) if lpips else float("nan"),
    )


def line_of(measured):
    """A `Score`, or a named tuple like it, as a dict, without LPIPS where that is not measured."""
    return {column: value for column, value in measured._asdict().items() if column != "lpips" or not np.isnan(value)}


def psnr(result, truth):
    """Peak signal-to-noise ratio in dB."""
    error = np.square((result.astype(np.float32) - truth) / 255).mean(dtype=np.float64)
    return float(-10 * np.log10(max(error, ROUNDING)))


def ciede2000(result, truth):
    """Mean CIEDE2000 colour difference over pixels; 1 is about what an eye just sees."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    return float(deltaE_ciede2000(rgb2lab(result), rgb2lab(truth)).mean())


def histogram_correlation(result, truth):
    """Correlation of the histograms of red, green and blue, 256 bins each, mean of the three: 1 for the same photo."""
    histograms = [
        [cv2.calcHist([photo], [channel], None, [256], [0, 256]) for channel in range(3)] for photo in (result, truth)
    ]
    return float(np.mean([cv2.compareHist(*pair, cv2.HISTCMP_CORREL) for pair in zip(*histograms, strict=True)]))


def interval(values, seed=0):
    """A bootstrap interval of the mean of `values`, `(pairs,)`: low and high end."""
    values = np.asarray(values, np.float64)
    chosen = np.random.default_rng(seed).integers(len(values), size=(SAMPLES, len(values)))
    tail = (1 - COVERED) / 2
    low, high = np.quantile(values[chosen].mean(axis=1), [tail, 1 - tail])
    return float(low), float(high)


def share_won(errors, others):
    """Share of pairs whose error is smaller than another method's; equal ones count half."""
    errors, others = np.asarray(errors), np.asarray(others)
    return float((errors < others).mean() + 0.5 * (errors == others).mean())
