"""Film files: frames out of them, frame after frame, in little memory; what can be said of one before it is read.

PyAV, which brings FFmpeg's libraries along, is imported when a film is opened. `film_writer` writes.
"""

import re
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.errors import InputError, optional_package

# Endings of files that are taken for films.
FILMS = (
    ".mp4",
    ".m4v",
    ".mov",
    ".mkv",
    ".webm",
    ".avi",
    ".ts",
    ".m2ts",
    ".mts",
    ".mpg",
    ".mpeg",
    ".wmv",
    ".flv",
    ".3gp",
    ".ogv",
)
# Of a film that does not say it: frames a second.
USUAL_RATE = Fraction(25)
# A film breaks off where it ends so much before the time that it states: seconds.
TOLERANCE = 0.25
# What is said of a film that comes to its end, but not every frame of it.
PLACES = "is damaged in places"
# FFmpeg's numbers (libavutil/pixfmt.h) of matrices between RGB and YUV that are understood here: BT.709, FCC, BT.470BG,
# SMPTE 170M, SMPTE 240M, BT.2020; of the range 16 to 235, and of the full one.
MATRICES = (1, 4, 5, 6, 7, 9)
RGB, BT709, UNSPECIFIED, BT601 = 0, 1, 2, 6
LIMITED_RANGE, FULL_RANGE = 1, 2
# swscale's flags: bicubic, rounded to the nearest, colours for each pixel; without them a film loses a grey level or two.
BEST_TO_YUV = 0x4 | 0x40000
BEST_TO_RGB = BEST_TO_YUV | 0x2000
# A film that does not say its matrix has BT.709 from this size on, BT.601 below, as players have it.
WIDTH_OF_BT709, HEIGHT_OF_BT709 = 1280, 577


class Frame(NamedTuple):
    """A frame of a film: pixels `(height, width, 3)` uint8, when it is shown and for how long, in seconds.

    `duration` is None where the file does not say it.
    """

    pixels: np.ndarray
    seconds: Fraction | float
    duration: Fraction | float | None = None


class Colour(NamedTuple):
    """How colours are stored: FFmpeg's numbers of matrix, range, primaries and transfer curve, as the file tags them."""

    matrix: int
    range: int
    primaries: int
    transfer: int


def is_film(path):
    """Whether the name of a file ends as a film's."""
    return Path(path).suffix.lower() in FILMS


def pyav():
    """The package `av`.

    Raises:
        InputError: it is not installed.
    """
    return optional_package("av", 'films need PyAV, which is not installed: pip install "av>=17"')


def opened(path):
    """A film's container, open for reading, for `with`.

    Raises:
        InputError: there is no such file, or it is no film.
    """
    av, path = pyav(), Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a film")
    if not path.exists():
        raise InputError(f"{path}: no such file")
    try:
        return av.open(str(path), metadata_errors="ignore")
    except PermissionError as error:
        raise InputError(f"{path}: permission denied") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise InputError(f"{path} is not a film that can be read") from error


def picture_stream(path, container):
    """The stream of a container that holds the film's pictures.

    Raises:
        InputError: there is none, or no decoder for it.
    """
    stream = container.streams.best("video")
    if stream is None:
        raise InputError(f"{path} is a film without pictures")
    if stream.codec_context is None:
        raise InputError(f"{path}: there is no decoder for its pictures")
    return stream


class Film:
    """A film file.

    Attributes:
        path: of the file.
        seconds: how long it is, as far as the file says; else None.
        rate: frames a second, on average.
        time_base: the unit, in seconds, of the times of its frames.
        colour: `Colour` and `pixel_aspect` (width over height of a pixel, or None), known when the first frame has come.
        damage: None, or what was wrong, known when the last frame has come.

    Raises:
        InputError: the file is missing, no film, or has no pictures.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.colour = self.pixel_aspect = self.damage = None
        with opened(path) as container:
            stream = picture_stream(path, container)
            self.rate = stream.average_rate or stream.guessed_rate or USUAL_RATE
            self.time_base = stream.time_base
            self.seconds = stated_seconds(container, stream)

    def frames(self):
        """Each `Frame`, upright and of the first one's size; times are counted from the container's start.

        A film that breaks off gives what can be read, and says so in `damage`.
        """
        with opened(self.path) as container:
            stream = picture_stream(self.path, container)
            stream.thread_type = "AUTO"
            start = container_start(container)
            size, seconds, duration = None, -1 / self.rate, None
            for frame in self._decoded(container, stream):
                if size is None:
                    size = frame.width, frame.height
                    self.colour, self.pixel_aspect = colour_of(frame), aspect_of(stream, frame)
                known = frame.pts is not None
                seconds = frame.pts * stream.time_base - start if known else seconds + 1 / self.rate
                duration = frame.duration * stream.time_base if frame.duration else None
                yield Frame(upright(to_rgb(frame, size, self.colour), frame.rotation), seconds, duration)
            self._note_end(size, seconds + (duration or 1 / self.rate))

    def _decoded(self, container, stream):
        """PyAV's frames, as far as they can be decoded."""
        av = pyav()
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError:
                self.damage = "breaks off"
                packet = None
            try:
                for frame in stream.decode(packet) if packet is None else packet.decode():
                    if frame.is_corrupt:
                        self.damage = self.damage or PLACES
                    yield frame
                if packet is not None and packet.is_corrupt:
                    self.damage = self.damage or PLACES
            except av.EOFError:  # there is nothing left in a decoder that was emptied before
                pass
            except av.FFmpegError:
                self.damage = self.damage or PLACES
            if packet is None:
                return

    def _note_end(self, size, end):
        if size is None:
            raise InputError(f"{self.path}: no frame of it can be decoded")
        if self.seconds is not None and end < self.seconds - TOLERANCE:
            self.damage = f"breaks off after {float(end):.1f} of {float(self.seconds):.1f} seconds"


def container_start(container):
    """When a container's first stream begins, in seconds."""
    return Fraction(container.start_time or 0, 1_000_000)  # FFmpeg's AV_TIME_BASE


def stated_seconds(container, stream):
    """When the last frame ends, as the file states it, counted from its start; None where it does not."""
    if stream.duration:
        begins = (stream.start_time or 0) * stream.time_base - container_start(container)
        return begins + stream.duration * stream.time_base
    tagged = re.fullmatch(r"(\d+):(\d+):(\d+)(\.\d{1,6})?\d*", stream.metadata.get("DURATION", ""))  # Matroska
    if tagged:
        hours, minutes, whole, part = tagged.groups()
        return 3600 * int(hours) + 60 * int(minutes) + Fraction(whole + (part or ""))
    others = any(other is not stream for other in container.streams)  # whose length may be that of the container
    return None if others or not container.duration else Fraction(container.duration, 1_000_000)


def colour_of(frame):
    """`Colour` of a PyAV frame."""
    full = frame.format.name.startswith("yuvj") or frame.color_range == FULL_RANGE
    known = frame.color_range == LIMITED_RANGE
    tagged_range = FULL_RANGE if full else LIMITED_RANGE if known else 0
    return Colour(int(frame.colorspace), tagged_range, int(frame.color_primaries), int(frame.color_trc))


def aspect_of(stream, frame):
    """Width over height of a pixel, or None; upright."""
    aspect = stream.sample_aspect_ratio
    if not aspect or aspect == 1:
        return None
    return 1 / aspect if frame.rotation % 180 else aspect


def matrix_of(colour, height, width):
    """The number of the matrix to use for frames of that size: the one they are tagged with, or what players take."""
    if colour.matrix in MATRICES:
        return colour.matrix
    return BT709 if width >= WIDTH_OF_BT709 or height >= HEIGHT_OF_BT709 else BT601


def to_rgb(frame, size, colour):
    """A PyAV frame as an array `(height, width, 3)` uint8 of `size`, (width, height)."""
    options = {}
    if not frame.format.is_rgb:
        options = {
            "src_colorspace": SWSCALE[matrix_of(colour, *size[::-1])],
            "src_color_range": colour.range or LIMITED_RANGE,
        }
    rgb = frame.reformat(*size, format="rgb24", dst_color_range=FULL_RANGE, interpolation=BEST_TO_RGB, **options)
    return rgb.to_ndarray()


# swscale's numbers of the same matrices.
SWSCALE = {number: number for number in MATRICES} | {BT601: 5}


def upright(pixels, rotation):
    """Pixels turned as the file asks for: `rotation` degrees counterclockwise, of which quarter turns are made."""
    turns = round(rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels
