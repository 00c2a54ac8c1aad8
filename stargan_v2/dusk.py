"""Photos recoloured as if at dusk, by five numbers that are known: a domain whose right answers are known too."""

import cv2
import numpy as np

from common.grading.operations import saturation

# The parameters of a dusk, and from where to where they are drawn.
RANGES = {"exposure": (0.35, 0.7), "warmth": (0.3, 1.0), "saturation": (0.6, 1.3), "glow": (0.0, 0.25)}
# Share by which red and blue change at a warmth of 1 (orange) or -1 (blue).
LARGEST_GAIN = 0.25
# Of a low sun: added at the lower edge, times `glow`.
GLOW = np.float32([1.0, 0.5, 0.1])


def random_dusk(random):
    """Parameters by name, drawn at random: half of all dusks are blue, half orange."""
    dusk = {name: float(random.uniform(*limits)) for name, limits in RANGES.items()}
    dusk["warmth"] *= random.choice((-1, 1))
    return dusk


def at_dusk(pixels, dusk):
    """`pixels` `(height, width, 3)`, float32 in [0, 1], recoloured.

    Darker by a factor, orange or blue by gains of red and blue, more or less saturated, and with a glow that rises from
    nothing at the upper edge.
    """
    gains = 1 + LARGEST_GAIN * dusk["warmth"] * np.float32([1, 0, -1])
    pixels = saturation(pixels * gains * np.float32(dusk["exposure"]), dusk["saturation"])
    height = np.linspace(0, 1, len(pixels), dtype=np.float32)[:, None, None]
    return np.clip(pixels + dusk["glow"] * height * GLOW, 0, 1).astype(np.float32)


def small(photo, size):
    """The middle of a uint8 photo, float32 `(size, size, 3)` in [0, 1], which shows the whole of its shorter side."""
    height, width = photo.shape[:2]
    scale = size / min(height, width)
    width, height = max(size, round(scale * width)), max(size, round(scale * height))
    left, top = (width - size) // 2, (height - size) // 2
    photo = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)
    return photo[top : top + size, left : left + size].astype(np.float32) / 255
