"""Films: one look a frame, steadied over time, so that frames that follow each other do not flicker.

Two things make frames of their own flicker: the content's statistics, which move all colours at once, and the maps of the
look, which move some of them. Both are averaged over the frames of a shot with a time constant in seconds; at a cut both
start afresh. Nothing here knows of files, nor of how a look is made of a frame.
"""

import math
from dataclasses import dataclass, field, replace

import numpy as np

from common.ahead import ahead
from common.photos.cuts import Cuts
from common.photos.films import Frame
from common.transfer.look import Look
from common.transfer.transforms import Statistics

# Chosen by the table in docs/films.md: the time constant in seconds; longer side, in pixels, of the copy that the network
# sees; cells on the longer side of the looks, fewer than a photo's because fewer are steadier.
SMOOTHING, FILM_SIZE, FILM_CELLS = 0.4, 512, 28
# Frames that each stage may be ahead of the next.
DEPTH = 2


@dataclass
class Shot:
    """What is known of a shot so far.

    Attributes:
        number: of `common.photos.cuts.Cuts`.
        seconds: when its newest look was taken.
        look: steadied; None before the first.
        statistics: level -> steadied `Statistics` of the content.
        share: of the newest frame in the averages.
    """

    number: int
    seconds: float = 0.0
    look: Look | None = None
    statistics: dict = field(default_factory=dict)
    share: float = 1.0

    def begin(self, seconds, smoothing):
        """Set the share of a frame at that time."""
        if self.look is not None:
            self.share = share_of_newest(float(seconds - self.seconds), smoothing)
        self.seconds = seconds

    def steadied(self, level, measured):
        """The average of the content's `Statistics` at a level, `measured` among them."""
        known = self.statistics.get(level, measured)
        result = Statistics(*(old + self.share * (new - old) for old, new in zip(known, measured, strict=True)))
        self.statistics[level] = result
        return result

    def add(self, look):
        """Take the look of the frame into the average."""
        self.look = look if self.look is None else mixed(self.look, look, self.share)


def share_of_newest(passed, smoothing):
    """The share of a new value in an average that forgets with time constant `smoothing`, both in seconds."""
    return 1.0 if smoothing <= 0 else 1 - math.exp(-max(passed, 0) / smoothing)


def mixed(first, second, share):
    """The look that lies that share of the way from the first to the second, in the grade of the first."""
    if first.grid is None:
        return first
    return replace(first, grid=first.grid + np.float32(share) * (second.grid - first.grid))


def steady_looks(frames, look_of, smoothing=SMOOTHING, every=1):
    """(frame, look) of each `Frame`.

    Args:
        look_of: `(pixels, steadied) -> Look`, with `steadied` a function `(level, Statistics) -> Statistics` to be used in
            place of the frame's own.
        smoothing: time constant, in seconds; 0 takes each frame as it comes.
        every: a look is made of every so many frames of a shot; between, looks are interpolated.
    """
    cuts, shots, shot, waiting = Cuts(), {}, None, []
    for frame in frames:
        number = cuts.shot(frame.pixels, frame.seconds)
        if shot is not None and number != shot.number:
            yield from ((earlier, shot.look) for earlier in waiting)
            waiting = []
        if shot is None or number != shot.number:
            before, shot = shot, shots.get(number) or Shot(number)
            # A flash leads back to the shot before: no older one is needed.
            shots = {known.number: known for known in (before, shot) if known is not None}
        elif len(waiting) + 1 < every:
            waiting.append(frame)
            continue
        last = shot.look
        shot.begin(frame.seconds, smoothing)
        shot.add(look_of(frame.pixels, shot.steadied))
        for index, earlier in enumerate(waiting, 1):
            yield earlier, mixed(last, shot.look, index / (len(waiting) + 1))
        waiting = []
        yield frame, shot.look
    yield from ((earlier, shot.look) for earlier in waiting)


def recoloured(looked):
    """Each `Frame` of `looked`, (frame, look), in its look."""
    for frame, look in looked:
        yield frame._replace(pixels=look.recolour(frame.pixels))


def stylized_frames(frames, look_of, smoothing, every, rate):
    """Each of `frames` in its steadied look; reading, looking and recolouring overlap.

    Args:
        frames: `Frame`s, or arrays that follow each other at `rate` a second; the same kind comes out.
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
