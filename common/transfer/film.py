"""Films: a look for each frame, steadied over time, so that frames that follow each other do not flicker.

A look of one frame alone differs from the next one's by noise and by what comes into the picture. So a frame is shown in the
mean of the looks around it, before and after, within its shot: a mean to both sides does not lag behind what changes. Of a
grade a shot has one, that of its first look.
Nothing here knows of files, nor of how a look is made of a frame.
"""

from collections import deque
from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from common.photos import as_floats
from common.photos.cuts import THUMBNAIL, Cuts
from common.photos.films import Frame
from common.prefetch import prefetched
from common.transfer.look import LUMA

# Chosen by the tables in docs/films.md: seconds to each side that looks are averaged over; longer side, in pixels, of the
# copy that the network sees; cells on the longer side of the looks, fewer than a photo's because fewer are steadier.
SMOOTHING, FILM_SIZE, FILM_CELLS = 0.8, 512, 20
# The network sees every so many frames: in the mean of 0.8 seconds the others make no difference, but half the time.
EVERY = 3
# In a fade to black the network would bring back the light that goes. So no look is made of a frame whose luma has less than
# this share of the mean and of the spread that its shot had, which is forgotten over so many seconds. Such a frame is shown
# in the look before, dimmed. Nor is a look made of a flat frame; standard deviation of luma in [0, 1].
FADED, FORGOTTEN, FLAT = 0.7, 5.0, 0.02
# Frames that each stage may be ahead of the next.
DEPTH = 2


@dataclass
class Looks:
    """Looks of single frames, by time and shot.

    Attributes:
        smoothing: seconds to each side that they are averaged over.
        known: a list of (seconds, shot, look, weight).
    """

    smoothing: float
    known: list = field(default_factory=list)

    def add(self, seconds, shot, look, weight):
        """Take in the look of a frame; its grade is that of the shot."""
        before = next((known for _, number, known, _ in reversed(self.known) if number == shot), look)
        self.known.append((seconds, shot, replace(look, lut=before.lut), weight))

    def at(self, seconds, shot):
        """The look of a moment of a shot: the mean of those around, by weight and nearness, which is 0 at `smoothing`.

        Where they lie further apart than that, the look is interpolated linearly between the one before and the one after.
        """
        steps = [(float(time - seconds), look, weight) for time, number, look, weight in self.known if number == shot]
        before = max((step for step, *_ in steps if step <= 0), default=None)
        after = min((step for step, *_ in steps if step >= 0), default=None)
        gap = 0 if before is None or after is None else after - before
        width = max(self.smoothing, gap)
        weights = [weight * max(0, 1 - abs(step) / width) if width else 0 for step, _, weight in steps]
        if not sum(weights):
            return min(steps, key=lambda of_step: abs(of_step[0]))[1]
        _, look, _ = steps[0]
        if look.grid is None:
            return look
        grids = np.stack([look.grid for _, look, _ in steps])
        return replace(look, grid=np.tensordot(np.float32(weights) / np.float32(sum(weights)), grids, 1))

    def forget(self, seconds):
        """Drop what no moment from `seconds` on has a use for."""
        newest = max((time for time, *_ in self.known if time <= seconds), default=seconds)
        oldest = min(newest, seconds - self.smoothing)
        self.known = [entry for entry in self.known if entry[0] >= oldest]


class Light:
    """Tells frames that fade to black from others."""

    def __init__(self):
        self._shot, self._seconds, self._usual = None, 0, np.zeros(2)

    def measure(self, frame, shot):
        """Spread of a `Frame`'s luma, and how much of its light is left: 1, or less where the frame fades."""
        luma = as_floats(cv2.resize(frame.pixels, THUMBNAIL, interpolation=cv2.INTER_AREA)) @ LUMA
        measured = np.array([luma.std(), luma.mean()], np.float64)
        passed = float(frame.seconds - self._seconds)
        usual = self._usual * np.exp(-passed / FORGOTTEN) if shot == self._shot else measured
        self._shot, self._seconds, self._usual = shot, frame.seconds, np.maximum(usual, measured)
        share = (measured / np.maximum(self._usual, FLAT)).max()  # what hides a view changes its mean, or its spread
        return measured[0], min(1.0, share / FADED)


def steady_looks(frames, look_of, smoothing=SMOOTHING, every=1):
    """(frame, look) of each `Frame`; frames of `smoothing` seconds are kept until those after them have come.

    Args:
        look_of: `pixels -> Look`.
        smoothing: seconds to each side that looks are averaged over; 0 takes each frame as it comes.
        every: a look is made of every so many frames of a shot, the first among them; of those that fade, of none.
    """
    cuts, looks, waiting, light = Cuts(), Looks(smoothing), deque(), Light()
    last_shot, unseen = None, 0
    for frame in frames:
        shot = cuts.shot(frame.pixels, frame.seconds)
        unseen += 1
        spread, left = light.measure(frame, shot)
        if shot != last_shot or (unseen >= every and left == 1 and spread >= FLAT):
            looks.add(frame.seconds, shot, look_of(frame.pixels), max(spread, FLAT))
            unseen = 0
        last_shot = shot
        waiting.append((frame, shot, left))
        while len(waiting) > every and frame.seconds - waiting[0][0].seconds > smoothing:
            yield with_look(*waiting.popleft(), looks)
    while waiting:
        yield with_look(*waiting.popleft(), looks)


def with_look(frame, shot, left, looks):
    """(frame, look), the look dimmed where less than all light is left; what later frames do not need is dropped."""
    looks.forget(frame.seconds)
    look = looks.at(frame.seconds, shot)
    return frame, look if left == 1 else dimmed(look, left)


def dimmed(look, left):
    """The look that makes of a frame with that share of its light the same share of what `look` makes of the whole.

    left * look(colour / left): at each luma the map of a luma as much higher, with its constant part as much lower. A grade
    brings no light back, and stays.
    """
    if look.grid is None:
        return look
    bins = look.grid.shape[2]
    places = np.minimum(np.arange(bins) / max(left, 1e-6), bins - 1)
    below = np.minimum(places.astype(int), bins - 2)
    share = (places - below).astype(np.float32)[:, None, None]
    grid = (1 - share) * look.grid[:, :, below] + share * look.grid[:, :, below + 1]
    grid[..., 3, :] *= np.float32(left)
    return replace(look, grid=grid)


def recoloured(looked):
    """Each `Frame` of `looked`, (frame, look), in its look."""
    for frame, look in looked:
        yield frame._replace(pixels=look.recolour(frame.pixels))


def stylized_frames(frames, look_of, smoothing, every, rate):
    """Each of `frames` in its steadied look; reading, looking and recolouring overlap.

    Args:
        frames: `Frame`s, or arrays `(height, width, 3)` that follow each other at `rate` a second; the same kind comes out.
        look_of, smoothing, every: as of `steady_looks`.
    """
    bare = False

    def timed():
        nonlocal bare
        for index, frame in enumerate(frames):
            bare = not isinstance(frame, Frame)
            yield Frame(frame, index / rate) if bare else frame

    looked = prefetched(steady_looks(prefetched(timed(), DEPTH), look_of, smoothing, every), DEPTH)
    for frame in prefetched(recoloured(looked), DEPTH):
        yield frame.pixels if bare else frame
