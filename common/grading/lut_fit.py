"""The smoothest LUT that makes one photo of another: what is left of a local result in one map of colours."""

import numpy as np

from common.grading import lut as luts

# Nodes a side that are solved for one after the other, each from the one before it, down to the size asked for.
COARSEST = 5
# Weight of squared second differences between nodes, in units of a pixel's squared error, at `COARSEST` nodes.
SMOOTHNESS = 3.0
# Keeps what is unseen where the coarser LUT has it.
SMALLEST = 1e-4
# Distance from grey at which a change of the grey ramp fades out.
GREY_REACH = 0.15
# Pixels that are fitted to, at most, and steps of conjugate gradients for each size.
PIXELS, STEPS = 20_000, 25


def fit(content, result, size=33):
    """The LUT that comes nearest to a result on the content's colours, smooth, and carried on smoothly to unseen ones.

    Args:
        content, result: `(height, width, 3)` floats in [0, 1].
        size: nodes a side, one more than a multiple of 4.

    Returns:
        `(size, size, size, 3)` float32 in [0, 1]; a grey ramp never falls.
    """
    colours, goals = content.reshape(-1, 3), result.reshape(-1, 3)
    step = -(-len(colours) // PIXELS)
    colours, goals = colours[::step].astype(np.float64), goals[::step].astype(np.float64)
    nodes, lut = COARSEST, affine(colours, goals, COARSEST)
    while True:
        lut = lut + correction(colours, goals - interpolated(lut, colours), nodes)
        if nodes == size:
            break
        nodes = min(size, 2 * nodes - 1)
        lut = resampled(lut, nodes)
    return luts.rising(np.clip(grey_rising(lut.astype(np.float32)), 0, 1))


def grey_rising(lut):
    """A LUT whose grey ramp hardly falls, changed near grey alone."""
    ramp = luts.ramp(lut)
    monotone = (np.maximum.accumulate(ramp) + np.minimum.accumulate(ramp[::-1])[::-1]) / 2
    colours = luts.identity(len(lut))
    luma = colours @ luts.LUMA
    from_grey = np.square(colours - luma[..., None]).sum(axis=-1)
    change = np.interp(luma, np.linspace(0, 1, len(ramp)), monotone - ramp)
    return lut + (change * np.exp(-0.5 * from_grey / GREY_REACH**2))[..., None].astype(np.float32)


def affine(colours, goals, nodes):
    """The affine map that fits best, tabulated."""
    ones = np.ones((len(colours), 1))
    identity = luts.identity(nodes).reshape(-1, 3)
    pull = 1e-3 * len(colours) * np.eye(4)  # towards the identity where colours leave a direction open
    left = np.hstack([colours, ones])
    matrix = np.linalg.solve(left.T @ left + pull, left.T @ goals + pull[:, :3])
    return (np.hstack([identity, np.ones((len(identity), 1))]) @ matrix).reshape(nodes, nodes, nodes, 3)


def resampled(lut, nodes):
    """A LUT with more nodes, the same map."""
    return interpolated(lut, luts.identity(nodes).reshape(-1, 3).astype(np.float64)).reshape(nodes, nodes, nodes, 3)


def interpolated(lut, colours):
    """Colours `(count, 3)` through a LUT, not clipped."""
    index, weights = corners(colours, len(lut))
    return np.einsum("nk,nkc->nc", weights, lut.reshape(-1, 3)[index])


def corners(colours, nodes):
    """For each colour the eight nodes about it, and what each counts for: two arrays `(count, 8)`."""
    places = np.clip(colours, 0, 1) * (nodes - 1)
    low = np.minimum(places.astype(int), nodes - 2)
    share = places - low
    index, weights = np.zeros((len(colours), 8), int), np.ones((len(colours), 8))
    for corner in range(8):
        for axis in range(3):
            up = corner >> axis & 1
            index[:, corner] = index[:, corner] * nodes + low[:, axis] + up
            weights[:, corner] *= share[:, axis] if up else 1 - share[:, axis]
    return index, weights


def correction(colours, missing, nodes):
    """What to add to a LUT so that colours come nearer by `missing`, by conjugate gradients on the normal equations."""
    index, weights = corners(colours, nodes)
    # As many cells share the same bend when there are more of them.
    smoothness = SMOOTHNESS * len(colours) / PIXELS * ((nodes - 1) / (COARSEST - 1)) ** 3

    def spread(values):
        channels = [np.bincount(index.ravel(), (weights * v[:, None]).ravel(), nodes**3) for v in values.T]
        return np.stack(channels, axis=-1).reshape(nodes, nodes, nodes, 3)

    def normal(x):
        seen = np.einsum("nk,nkc->nc", weights, x.reshape(-1, 3)[index])
        return spread(seen) + smoothness * bend(x) + SMALLEST * x

    x = np.zeros((nodes, nodes, nodes, 3))
    residual = spread(missing)
    direction, squares = residual, np.square(residual).sum()
    for _ in range(STEPS):
        if squares < 1e-12:
            break
        product = normal(direction)
        length = squares / (direction * product).sum()
        x += length * direction
        residual = residual - length * product
        before, squares = squares, np.square(residual).sum()
        direction = residual + squares / before * direction
    return x


def bend(x):
    """The gradient of half the summed squares of second differences along the three axes of a LUT."""
    result = np.zeros_like(x)
    for axis in range(3):
        moved, out = np.moveaxis(x, axis, 0), np.moveaxis(result, axis, 0)
        second = moved[2:] - 2 * moved[1:-1] + moved[:-2]
        out[2:] += second
        out[1:-1] -= 2 * second
        out[:-2] += second
    return result
