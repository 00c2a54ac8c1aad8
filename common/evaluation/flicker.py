"""How steady a film is: what changes from frame to frame beyond what moves, and how mean luma jumps.

Both are measured on the styled film and on the original, whose own are the yardstick: noise, and motion that the flow does
not find, are in both.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from common.errors import InputError
from common.photos import as_floats, shrink_to_side
from common.photos.cuts import Cuts
from common.transfer.look import LUMA

# Longer side, in pixels, that films are measured at.
MEASURED_SIDE = 640
# The flow explains a pixel of the original where it is so near to where it came from; of colours in [0, 1].
EXPLAINED = 0.06
# What flow brings in from beyond a frame's border; no pixel has it.
OUTSIDE = -1.0


@dataclass
class Steadiness:
    """What was measured of one film in one shot, a number for each frame or pair of neighbours.

    Attributes:
        warp_errors: mean absolute difference between a frame and the one before, moved along the original's flow, where
            that explains the original; of colours in [0, 1].
        lumas: mean luma, in grey levels from 0 to 255.
        contrasts: standard deviation of luma, in grey levels.
    """

    warp_errors: list = field(default_factory=list)
    lumas: list = field(default_factory=list)
    contrasts: list = field(default_factory=list)

    def add(self, frame):
        """Take in luma of a frame, `(height, width, 3)` floats."""
        luma = 255 * (frame @ LUMA)
        self.lumas.append(float(luma.mean()))
        self.contrasts.append(float(luma.std()))

    def summary(self):
        """`Summary` of it, or None for a shot without neighbours."""
        return summary([self])


@dataclass(frozen=True)
class Summary:
    """Mean warp error, times 1000; standard deviation of the jumps of mean luma, and mean contrast, in grey levels."""

    warp_error: float
    luma_jumps: float
    contrast: float


def summary(shots):
    """`Summary` of several shots of a film, each frame counting alike; None where there are no neighbours."""
    errors = [error for shot in shots for error in shot.warp_errors]
    jumps = np.concatenate([np.diff(shot.lumas) for shot in shots]) if shots else []
    if not errors:
        return None
    contrasts = [contrast for shot in shots for contrast in shot.contrasts]
    return Summary(1000 * float(np.mean(errors)), float(np.std(jumps)), float(np.mean(contrasts)))


def flicker(originals, styled, progress=iter):
    """`Steadiness` of two films frame by frame, shot by shot.

    Args:
        originals, styled: `common.photos.films.Frame`s, as many of each.
        progress: a function of an iterable, such as `tqdm.tqdm`.

    Returns:
        A list of pairs, (of the original, of the styled film), one for each shot in the order in which they begin.

    Raises:
        InputError: one film has more frames than the other.
    """
    cuts, shots, last_shot, before = Cuts(), {}, None, None
    for original, other in progress(paired(originals, styled)):
        shot = cuts.shot(original.pixels, original.seconds)
        small = as_floats(shrink_to_side(original.pixels, MEASURED_SIDE))
        now = small, as_floats(cv2.resize(other.pixels, small.shape[1::-1], interpolation=cv2.INTER_AREA))
        measured = shots.setdefault(shot, (Steadiness(), Steadiness()))
        for steadiness, frame in zip(measured, now, strict=True):
            steadiness.add(frame)
        if shot == last_shot:
            for steadiness, error in zip(measured, warp_errors(before, now), strict=True):
                if np.isfinite(error):
                    steadiness.warp_errors.append(error)
        last_shot, before = shot, now
    return [shots[number] for number in sorted(shots)]


def paired(originals, styled):
    """Frames of two films side by side; `InputError` where one ends before the other."""
    originals, styled = iter(originals), iter(styled)
    count = 0
    for original in originals:
        other = next(styled, None)
        if other is None:
            raise InputError(f"the styled film ends after {count} frames, before the original")
        count += 1
        yield original, other
    if next(styled, None) is not None:
        raise InputError(f"the original ends after {count} frames, before the styled film")


def warp_errors(before, now):
    """Mean absolute difference of two neighbouring frames along the original's flow.

    Args:
        before, now: pairs (original, styled) of `(height, width, 3)` floats in [0, 1].

    Returns:
        Of the original and of the styled film; NaN where the flow explains nothing.
    """
    flow = flow_back(before[0], now[0])
    gaps = [np.abs(moved(old, flow) - new).mean(axis=2) for old, new in zip(before, now, strict=True)]
    inside = moved(np.zeros_like(before[0][..., 0]), flow) > OUTSIDE / 2
    explained = inside & (gaps[0] < EXPLAINED)
    return [float(gap[explained].mean()) if explained.any() else float("nan") for gap in gaps]


def flow_back(before, now):
    """Where each pixel of `now` lay in `before`: `(height, width, 2)`, steps in x and y (DIS: Kroeger et al., ECCV 2016)."""
    greys = [np.round(255 * (frame @ LUMA)).astype(np.uint8) for frame in (now, before)]
    return cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM).calc(*greys, None)


def moved(frame, flow):
    """`frame` sampled where `flow` says; `OUTSIDE` where that lies beyond its border."""
    height, width = flow.shape[:2]
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=2).astype(np.float32)
    border = [OUTSIDE] * 3
    return cv2.remap(frame, grid + flow, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=border)
