"""CIELAB and LUTs in Keras, with gradients: what the predictor and its loss are made of.

Colours are `(..., 3)`, RGB in [0, 1], sRGB, D65.
"""

import numpy as np
from keras import ops

# Linear sRGB to XYZ relative to the white of D65 (IEC 61966-2-1): rows add up to 1.
TO_XYZ = np.array([[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]])
TO_XYZ = (TO_XYZ / TO_XYZ.sum(axis=1, keepdims=True)).astype(np.float32)
FROM_XYZ = np.linalg.inv(TO_XYZ).astype(np.float32)
# From the cube root of XYZ to L, a, b (CIE 15): L = 116 fy - 16, a = 500 (fx - fy), b = 200 (fy - fz).
TO_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], np.float32)
FROM_LAB = np.array([[1 / 116, 1 / 500, 0], [1 / 116, 0, 0], [1 / 116, 0, -1 / 200]], np.float32)
# Below this, CIELAB is linear: (6/29)^3.
LINEAR_BELOW = 216 / 24389
SLOPE = 841 / 108


def rgb_to_lab(rgb):
    """CIELAB of RGB in [0, 1]."""
    light = ops.where(rgb > 0.04045, ((ops.maximum(rgb, 0.04045) + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    xyz = ops.matmul(light, TO_XYZ.T)
    roots = ops.where(xyz > LINEAR_BELOW, ops.maximum(xyz, LINEAR_BELOW) ** (1 / 3), SLOPE * xyz + 4 / 29)
    return ops.matmul(roots, TO_LAB.T) - np.array([16, 0, 0], np.float32)


def lab_to_rgb(lab):
    """RGB of CIELAB, not clipped; beyond [0, 1] where the colour is out of gamut."""
    roots = ops.matmul(lab + np.array([16, 0, 0], np.float32), FROM_LAB.T)
    xyz = ops.where(roots > 6 / 29, roots**3, (roots - 4 / 29) / SLOPE)
    light = ops.matmul(xyz, FROM_XYZ.T)
    return ops.where(light > 0.0031308, 1.055 * ops.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055, 12.92 * light)


def cie94(lab, other):
    """CIE94 difference (graphic arts) of colours in Lab, `(...)`; chroma weighs by the geometric mean of both.

    Differentiable everywhere, and near CIEDE2000.
    """
    delta = lab - other
    chroma, other_chroma = (ops.sqrt(ops.square(x[..., 1]) + ops.square(x[..., 2]) + 1e-4) for x in (lab, other))
    mean = ops.sqrt(chroma * other_chroma)
    chroma_square = ops.square(chroma - other_chroma)
    hue_square = ops.maximum(ops.square(delta[..., 1]) + ops.square(delta[..., 2]) - chroma_square, 0)
    weighted = chroma_square / ops.square(1 + 0.045 * mean) + hue_square / ops.square(1 + 0.015 * mean)
    return ops.sqrt(ops.square(delta[..., 0]) + weighted + 1e-4)


def apply_luts(luts, colours):
    """Each set of colours through its own LUT, trilinear.

    Args:
        luts: `(batch, n, n, n, 3)`.
        colours: `(batch, count, 3)` in [0, 1].

    Returns:
        `(batch, count, 3)`, not clipped.
    """
    size = luts.shape[1]
    nodes = ops.reshape(luts, (-1, size**3, 3))
    scaled = colours * (size - 1)
    corner = ops.stop_gradient(ops.clip(ops.floor(scaled), 0, size - 2))
    share = scaled - corner
    corner = ops.cast(corner, "int32")
    result = 0.0
    for offset in np.ndindex(2, 2, 2):
        index = corner + np.array(offset, np.int32)
        index = (index[..., 0] * size + index[..., 1]) * size + index[..., 2]
        weight = ops.prod(ops.where(np.array(offset, bool), share, 1 - share), axis=-1, keepdims=True)
        result += weight * ops.take_along_axis(nodes, index[..., None], axis=1)
    return result
