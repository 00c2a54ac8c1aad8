"""Basis LUTs in closed form: least squares, and principal components of many."""

import numpy as np
import pytest

from common.grading import bases, lut


def test_least_squares_finds_a_map_that_the_nodes_can_hold(rng):
    matrix = np.eye(3) + rng.normal(0, 0.05, (3, 3))
    pixels = rng.uniform(0, 1, (2000, 3))
    change = pixels @ matrix - pixels
    fitted = bases.least_squares_lut(pixels, change, 5)
    expected = lut.identity(5) @ matrix - lut.identity(5)
    np.testing.assert_allclose(fitted, expected, atol=2e-3)


def test_as_many_components_as_there_are_luts_explain_all(rng):
    luts = np.einsum("sk,kn->sn", rng.normal(size=(30, 3)), rng.normal(size=(3, 24))).reshape(30, 2, 2, 2, 3)
    components, share = bases.principal_luts(luts, 3)
    assert share == pytest.approx(1)
    assert bases.principal_luts(luts, 1)[1] < 0.999
    inside = np.linalg.lstsq(components.T, luts.reshape(30, -1).T, rcond=None)[0]
    np.testing.assert_allclose(components.T @ inside, luts.reshape(30, -1).T, atol=1e-8)
