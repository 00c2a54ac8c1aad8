"""3D LUTs: one map from colour to colour, tabulated on a regular grid of the RGB cube.

A LUT is a float32 array `(n, n, n, 3)`: the colour that the colour (r, g, b) / (n - 1) becomes at `[r, g, b]`. Between nodes
it is trilinear.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageFilter

# Luminance of RGB (Rec. 709).
LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
# Pixels graded at a time: what they need, some 150 bytes each, stays within a processor's cache.
STRIP = 1 << 14
# Nodes a side, at most.
LARGEST_SIZE = 65
# Rows of bytes that a thread grades at a time.
ROWS = 128
# Steps that a grey ramp is looked at in; those of 8 bits.
RAMP_STEPS = 256


def identity(size):
    """The LUT `(size, size, size, 3)` that changes nothing."""
    axis = np.linspace(0, 1, size, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)


def mix(lut, strength):
    """A part `strength` of `lut`, the rest identity."""
    return identity(len(lut)) + np.float32(strength) * (lut - identity(len(lut)))


def apply(lut, pixels):
    """`pixels` through a LUT, strip by strip.

    Args:
        lut: `(n, n, n, 3)`, n from 2 to 65.
        pixels: RGB `(..., 3)`, uint8 or floats in [0, 1].

    Returns:
        The same shape; uint8 where the pixels are, within 1 of what floats round to, else float32 in [0, 1].
    """
    lut = np.asarray(lut, np.float32)
    if pixels.dtype == np.uint8:
        return apply_to_bytes(lut, pixels)
    coefficients = polynomials(lut)
    flat = pixels.reshape(-1, 3)
    result = np.empty(flat.shape, np.float32)
    for start in range(0, len(flat), STRIP):
        colours = flat[start : start + STRIP].astype(np.float32, copy=False)
        result[start : start + STRIP] = np.clip(interpolate(coefficients, len(lut) - 1, colours), 0, 1)
    return result.reshape(pixels.shape)


def apply_to_bytes(lut, pixels):
    """The same for uint8 `(..., 3)`, by Pillow and on all cores: 4K in a tenth of a second."""
    table = ImageFilter.Color3DLUT(len(lut), lut.transpose(2, 1, 0, 3).ravel().tolist())  # red varies fastest
    rows = pixels.reshape(-1, *pixels.shape[-2:]) if pixels.ndim > 2 else pixels.reshape(1, -1, 3)
    result = np.empty_like(rows)

    def grade(start):
        strip = np.ascontiguousarray(rows[start : start + ROWS])
        result[start : start + ROWS] = Image.fromarray(strip).filter(table)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(grade, range(0, len(rows), ROWS)))
    return result.reshape(pixels.shape)


def polynomials(lut):
    """Every cell's trilinear polynomial, `(cells, 8, 3)`: the factors of 1, z, y, yz, x, xz, xy, xyz.

    x, y and z are the place within the cell, from 0 to 1, along red, green and blue.
    """
    corners = lut[None, None, None]
    for axis in (3, 4, 5):  # a difference along each axis, kept on an axis of its own
        low, high = np.take(corners, range(len(lut) - 1), axis), np.take(corners, range(1, len(lut)), axis)
        corners = np.concatenate([low, high - low], axis=axis - 3)
    return np.moveaxis(corners.reshape(8, -1, 3), 0, 1).copy()


def interpolate(coefficients, cells, colours):
    """Colours `(count, 3)` in [0, 1] through the polynomials of a LUT with so many `cells` a side."""
    scaled = np.clip(colours, 0, 1) * np.float32(cells)
    corner = np.minimum(scaled.astype(np.int32), cells - 1)
    x, y, z = (scaled - corner).T
    index = (corner[:, 0] * cells + corner[:, 1]) * cells + corner[:, 2]
    terms = np.stack([np.ones_like(x), z, y, y * z, x, x * z, x * y, x * y * z], axis=1)
    return np.einsum("nk,nkc->nc", terms, coefficients.take(index, axis=0))


def roughness(lut):
    """Root of the mean squared second difference between neighbours: 0 for a matrix, large where a photo may band."""
    squares = [np.square(np.diff(lut, 2, axis)).mean() for axis in range(3)]
    return float(np.sqrt(np.mean(squares)))


def ramp(lut, steps=RAMP_STEPS):
    """Luma of a grey ramp from black to white after `lut`, `(steps,)`."""
    greys = np.repeat(np.linspace(0, 1, steps, dtype=np.float32)[:, None], 3, axis=1)
    return apply(lut, greys) @ LUMA


def falls(lut, steps=RAMP_STEPS):
    """Share of the steps of a grey ramp that fall, beyond rounding of float32."""
    return float((np.diff(ramp(lut, steps)) < -1e-6).mean())


def rising(lut, tries=16):
    """`lut` with as much of the identity mixed in as makes a grey ramp rise: none, where it does already."""
    if not falls(lut):
        return lut
    good, bad = 0.0, 1.0
    for _ in range(tries):
        middle = (good + bad) / 2
        good, bad = (good, middle) if falls(mix(lut, middle)) else (middle, bad)
    return mix(lut, good)
