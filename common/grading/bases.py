"""The eigenbasis that a grade is a sum of: principal components of LUTs fitted in closed form."""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

# Weight of squared second differences between nodes, in units of a pixel's squared error.
SMOOTHNESS = 0.3
# Keeps nodes that no pixel and no neighbour speaks for at zero.
SMALLEST = 1e-3


def least_squares_lut(pixels, change, nodes):
    """The smoothest LUT that adds `change` to `pixels`.

    Args:
        pixels, change: `(count, 3)`; pixels in [0, 1].

    Returns:
        `(nodes, nodes, nodes, 3)`, what to add at each node.
    """
    weights = trilinear_weights(pixels, nodes)
    normal = weights.T @ weights + SMOOTHNESS * curvature(nodes) + SMALLEST * np.eye(nodes**3)
    return cho_solve(cho_factor(normal), weights.T @ change).reshape(nodes, nodes, nodes, 3)


def trilinear_weights(pixels, nodes):
    """What each node of a LUT counts for in each pixel, `(count, nodes ** 3)`."""
    places = np.arange(nodes)
    red, green, blue = (np.maximum(1 - np.abs(pixels[:, c, None] * (nodes - 1) - places), 0) for c in range(3))
    return (red[:, :, None, None] * green[:, None, :, None] * blue[:, None, None]).reshape(len(pixels), -1)


def curvature(nodes):
    """The matrix of the sum of squared second differences along the three axes of a LUT."""
    second = np.diff(np.eye(nodes), 2, axis=0)
    along, same = second.T @ second, np.eye(nodes)
    return np.kron(np.kron(along, same), same) + np.kron(np.kron(same, along), same) + np.kron(np.kron(same, same), along)


def principal_luts(luts, count):
    """The first `count` principal components of LUTs, uncentred, each times the spread of its weights.

    Args:
        luts: `(samples, ...)`.

    Returns:
        `(count, numbers of a LUT)`, and the share of the LUTs' squares that they explain.
    """
    flat = luts.reshape(len(luts), -1)
    _, values, components = np.linalg.svd(flat, full_matrices=False)
    share = float(np.square(values[:count]).sum() / np.square(values).sum())
    return components[:count] * (values[:count, None] / np.sqrt(len(flat))), share
