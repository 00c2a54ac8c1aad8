"""A network on images of any size: tile by tile, each read with more around it than any convolution sees."""

import numpy as np


def in_tiles(function, x, tile, halo, scale_in=1, scale_out=1):
    """What `function` makes of `x` as a whole, put together from tiles.

    Args:
        function: a network, `(1, scale_in n, scale_in m, channels)` to `(1, scale_out n, scale_out m, other channels)`.
        x: `(scale_in height, scale_in width, channels)`.
        tile, halo: sides of a tile, and of what is read around it, in units: pixels of x over `scale_in`.

    Returns:
        `(scale_out height, scale_out width, other channels)`, float32.
    """
    height, width = (side // scale_in for side in x.shape[:2])
    result = None
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            rows, upper = around(top, tile, halo, height)
            columns, before = around(left, tile, halo, width)
            piece = np.asarray(function(x[None, scaled(rows, scale_in), scaled(columns, scale_in)]))[0]
            if result is None:
                result = np.empty((scale_out * height, scale_out * width, piece.shape[-1]), np.float32)
            bottom, right = min(top + tile, height), min(left + tile, width)
            inner = piece[scaled(slice(upper, upper + bottom - top), scale_out)]
            inner = inner[:, scaled(slice(before, before + right - left), scale_out)]
            result[scaled(slice(top, bottom), scale_out), scaled(slice(left, right), scale_out)] = inner
    return result


def around(start, tile, halo, end):
    """The slice of a tile with its halo, within 0 and `end`, and where in it the tile itself begins."""
    first = max(0, start - halo)
    return slice(first, min(end, start + tile + halo)), start - first


def scaled(part, scale):
    """A slice of units in pixels."""
    return slice(part.start * scale, part.stop * scale)
