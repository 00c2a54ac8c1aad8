"""What a grade is made of: operations on the colours of pixels, each with parameters that JSON can hold.

Pixels are RGB in [0, 1], `(..., 3)` float32, and so are results, except that an operation may leave that range:
`grades.apply` clips between operations. Light is approximated by a pure power: exposure and white balance become factors.
"""

import numpy as np

from common.grading import lut as luts

# Exponent between light and RGB; sRGB's own curve differs by at most 0.03.
GAMMA = 2.2


def luma(pixels):
    """Weighted mean of the channels, `(..., 1)`."""
    return (pixels @ luts.LUMA)[..., None]


def vector(values):
    """Parameters as a float32 array."""
    return np.asarray(values, np.float32)


# --- the training family -------------------------------------------------------------------------------------------------


def exposure(pixels, stops):
    """Twice the light for every stop."""
    return pixels * np.float32(2 ** (stops / GAMMA))


def white_balance(pixels, gains):
    """The light of every channel times its own factor."""
    return pixels * vector(gains) ** np.float32(1 / GAMMA)


def contrast(pixels, slope, pivot):
    """A straight line through `pivot`."""
    return np.float32(pivot) + np.float32(slope) * (pixels - np.float32(pivot))


def saturation(pixels, factor):
    """Distance from grey times `factor`."""
    grey = luma(pixels)
    return grey + np.float32(factor) * (pixels - grey)


def gamma(pixels, exponent):
    """A power of every channel."""
    return pixels ** np.float32(exponent)


def split_tone(pixels, shadows, highlights):
    """A colour added to the dark, another to the bright."""
    grey = luma(pixels)
    return pixels + (1 - grey) ** 2 * vector(shadows) + grey**2 * vector(highlights)


def curves(pixels, knots):
    """A curve for every channel, linear between equally spaced `knots`, `(3, count)`."""
    positions = np.linspace(0, 1, len(knots[0]))
    channels = [np.interp(pixels[..., index], positions, knots[index]) for index in range(3)]
    return np.stack(channels, axis=-1).astype(np.float32)


def matrix(pixels, rows):
    """A 3x3 matrix on every pixel."""
    return pixels @ vector(rows).T


def waves(pixels, amplitudes, frequencies, phases):
    """A smooth warp of the whole cube: one cosine along a direction of its own for every channel."""
    return pixels + vector(amplitudes) * np.cos(np.float32(np.pi) * (pixels @ vector(frequencies).T + vector(phases)))


# --- the testing family: none of these trains anything -------------------------------------------------------------------


def lift_gamma_gain(pixels, lift, gamma, gain):
    """A colourist's three wheels: blacks raised, midtones bent, whites scaled, by channel."""
    raised = vector(gain) * (pixels + vector(lift) * (1 - pixels))
    return np.maximum(raised, 0) ** (1 / vector(gamma))


def cdl(pixels, slope, offset, power, saturation):
    """ASC Color Decision List 1.2: (slope x + offset) ** power by channel, then saturation about Rec. 709 luma."""
    out = np.clip(vector(slope) * pixels + vector(offset), 0, 1) ** vector(power)
    grey = luma(out)
    return grey + np.float32(saturation) * (out - grey)


def hue_rotation(pixels, degrees):
    """Colours turned about the grey axis (Rodrigues' formula)."""
    angle = np.radians(degrees)
    axis = np.full(3, 3**-0.5)
    across = np.cross(np.eye(3), axis)
    turn = np.cos(angle) * np.eye(3) + np.sin(angle) * across + (1 - np.cos(angle)) * np.outer(axis, axis)
    return pixels @ turn.T.astype(np.float32)


def film_curve(pixels, speed, slope):
    """A negative's S-curve: a logistic function of the logarithm of light, by channel, with 0 kept and 1 near 1.

    light ** slope / (light ** slope + middle ** slope), scaled so that white stays white; `speed` in stops moves the middle.
    """
    light = np.maximum(pixels, 1e-4) ** np.float32(GAMMA)
    powered = light ** vector(slope)
    middle = (vector(0.18) * 2 ** -vector(speed)) ** vector(slope)
    return powered / (powered + middle) * (1 + middle)


def duotone(pixels, dark, light, amount):
    """A part `amount` of the photo replaced by a gradient from one colour to another along its luma."""
    grey = luma(pixels)
    gradient = vector(dark) + grey * (vector(light) - vector(dark))
    return pixels + np.float32(amount) * (gradient - pixels)


def lut(pixels, nodes):
    """A 3D LUT, `(n, n, n, 3)`."""
    return luts.apply(vector(nodes), pixels)


OPERATIONS = {
    operation.__name__: operation
    for operation in (
        *(exposure, white_balance, contrast, saturation, gamma, split_tone, curves, matrix, waves),
        *(lift_gamma_gain, cdl, hue_rotation, film_curve, duotone, lut),
    )
}
