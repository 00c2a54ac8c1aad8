"""Films: a look for each frame, steadied over time, so that frames that follow each other do not flicker.

A look of one frame alone differs from the next one's by noise and by what comes into the picture. So a frame is shown in the
mean of the looks around it, before and after, within its shot: a mean to both sides does not lag behind what changes.
Nothing here knows of files, nor of how a look is made of a frame.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from common.ahead import ahead
from common.photos.cuts import Cuts
from common.photos.films import Frame
from common.transfer.look import Look

# Chosen by the tables in docs/films.md: seconds to each side that looks are averaged over; longer side, in pixels, of the
# copy that the network sees; cells on the longer side of the looks, fewer than a photo's because fewer are steadier.
SMOOTHING, FILM_SIZE, FILM_CELLS = 0.6, 512, 22
# Frames that each stage may be ahead of the next.
DEPTH = 2


@dataclass
class Looks:
    """Looks of single frames, by time and shot.

    Attributes:
        smoothing: seconds to each side that they are averaged over.
        known: a list of (seconds, shot, look).
    """

    smoothing: float
    known: list = field(default_factory=list)

    def at(self, seconds, shot):
        """The look of a moment of a shot: the mean of those around, weighted by nearness, straight down to 0 at `smoothing`.

        Where they lie further apart than that, the look is interpolated linearly between the one before and the one after.
        """
        steps = [(float(time - seconds), look) for time, number, look in self.known if number == shot]
        before = max((step for step, _ in steps if step <= 0), default=None)
        after = min((step for step, _ in steps if step >= 0), default=None)
        gap = 0 if before is None or after is None else after - before
        width = max(self.smoothing, gap)
        weights = [max(0, 1 - abs(step) / width) if width else 0 for step, _ in steps]
        if not sum(weights):
            return min(steps, key=lambda of_step: abs(of_step[0]))[1]
        grids = np.stack([look.grid for _, look in steps])
        return Look(np.tensordot(np.float32(weights) / np.float32(sum(weights)), grids, 1))

    def forget(self, seconds):
        """Drop what no moment from `seconds` on has a use for."""
        newest = {number: time for time, number, _ in self.known if time <= seconds}
        self.known = [
            (time, number, look)
            for time, number, look in self.known
            if time >= seconds - self.smoothing or time == newest[number] == max(newest.values())
        ]


def steady_looks(frames, look_of, smoothing=SMOOTHING, every=1):
    """(frame, look) of each `Frame`; frames of `smoothing` seconds are kept until those after them have come.

    Args:
        look_of: `pixels -> Look`.
        smoothing: seconds to each side that looks are averaged over; 0 takes each frame as it comes.
        every: a look is made of every so many frames of a shot, the first among them.
    """
    cuts, looks, waiting = Cuts(), Looks(smoothing), deque()
    last_shot, unseen = None, 0
    for frame in frames:
        shot = cuts.shot(frame.pixels, frame.seconds)
        unseen += 1
        if shot != last_shot or unseen == every:
            looks.known.append((frame.seconds, shot, look_of(frame.pixels)))
            unseen = 0
        last_shot = shot
        waiting.append((frame, shot))
        while len(waiting) > every and frame.seconds - waiting[0][0].seconds > smoothing:
            yield with_look(*waiting.popleft(), looks)
    while waiting:
        yield with_look(*waiting.popleft(), looks)


def with_look(frame, shot, looks):
    """(frame, look); what later frames do not need is dropped from `looks`."""
    looks.forget(frame.seconds)
    return frame, looks.at(frame.seconds, shot)


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

    looked = ahead(steady_looks(ahead(timed(), DEPTH), look_of, smoothing, every), DEPTH)
    for frame in ahead(recoloured(looked), DEPTH):
        yield frame.pixels if bare else frame
