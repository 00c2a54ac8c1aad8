"""Scores of a result whose right answer is known."""

import numpy as np
import pytest

from common.evaluation import scores


def test_scores_are_the_known_ones():
    grey, brighter = np.full((20, 20, 3), 100, np.uint8), np.full((20, 20, 3), 110, np.uint8)
    assert scores.psnr(brighter, grey) == pytest.approx(20 * np.log10(255 / 10), abs=1e-3)
    assert scores.psnr(grey, grey) == pytest.approx(58.9, abs=0.1)
    assert scores.ciede2000(grey, grey) == 0
    white, black = np.full((8, 8, 3), 255, np.uint8), np.zeros((8, 8, 3), np.uint8)
    assert scores.ciede2000(white, black) == pytest.approx(100, abs=0.1)
    assert scores.score(grey, grey).ssim == pytest.approx(1)


def test_an_interval_holds_the_mean_and_narrows_with_the_number_of_pairs(rng):
    few, many = rng.normal(5, 1, 20), rng.normal(5, 1, 500)
    low, high = scores.interval(few)
    assert low < few.mean() < high
    assert np.diff(scores.interval(many)) < np.diff(scores.interval(few)) / 2
    assert scores.share_won([1, 2, 3, 4], [2, 2, 2, 5]) == pytest.approx(0.625)
