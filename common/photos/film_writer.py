"""Writing film files: new pictures with the sound, subtitles, times and tags of the film that they were made from."""

from fractions import Fraction
from pathlib import Path

import numpy as np

from common.errors import InputError
from common.files import require_room, written_whole
from common.photos import films
from common.photos.films import FULL_RANGE, LIMITED_RANGE, UNSPECIFIED

# Containers that are written, by ending, and the codec of pictures that goes with each where no other is asked for.
CODECS = {
    ".mp4": "libx264",
    ".m4v": "libx264",
    ".mov": "libx264",
    ".mkv": "libx264",
    ".ts": "libx264",
    ".webm": "libvpx-vp9",
}
# What is written of a film whose own container is not.
USUAL_ENDING = ".mp4"
# Quality by codec where none is asked for, 0 the best; 51 or 63 the worst.
CRF, CRF_OF = 18, {"libvpx-vp9": 30, "libsvtav1": 30, "libx265": 22}
# A good picture at a speed that does not hold up the rest; of an unknown codec nothing is asked.
SPEED = {
    "libx264": {"preset": "veryfast"},
    "libx265": {"preset": "veryfast", "x265-params": "log-level=none"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "6", "row-mt": "1", "b": "0"},
    "libsvtav1": {"preset": "10"},
}
# Half the colours, as every player has it.
PIXELS = "yuv420p"
# The index of the film begins the file, so that a browser can play it before it is there.
INDEX_FIRST = {"movflags": "+faststart"}
CONTAINER = {".mp4": INDEX_FIRST, ".m4v": INDEX_FIRST, ".mov": INDEX_FIRST}
KEPT = ("audio", "subtitle")


def require_film_writable(path, codec=None):
    """Raise `InputError` where no film can be written to `path`: unknown ending, no room, or no such codec."""
    path = Path(path)
    if path.suffix.lower() not in CODECS:
        raise InputError(f"{path}: cannot write {path.suffix or 'a name without suffix'}, only {', '.join(CODECS)}")
    require_room(path)
    av, name = films.pyav(), codec or CODECS[path.suffix.lower()]
    try:
        found = av.codec.Codec(name, "w")
    except ValueError as error:  # av.codec.codec.UnknownCodecError
        raise InputError(f"the codec {name} is not there: this PyAV cannot encode with it") from error
    if found.type != "video":
        raise InputError(f"the codec {name} encodes {found.type}, not pictures")


def write_film(frames, film, path, codec=None, crf=None):
    """Write `frames` as a film, whole or not at all; sound and subtitles of `film` are copied as they are.

    Args:
        frames: `common.photos.films.Frame`s, at least one.
        film: the `Film` that they were made from.
        path: its ending says the container.
        codec: FFmpeg's name of the encoder; None: `CODECS`.
        crf: quality, 0 the best; None: `CRF`.

    Returns:
        What could not be copied, a list of words such as "sound (vorbis)".

    Raises:
        InputError: the path cannot be written, or the codec cannot take the film.
    """
    path, av = Path(path), films.pyav()
    require_film_writable(path, codec)
    codec = codec or CODECS[path.suffix.lower()]
    with written_whole(path) as temporary:
        frames = iter(frames)
        first = next(frames)
        with films.opened(film.path) as source:
            try:
                with av.open(str(temporary), "w", options=CONTAINER.get(path.suffix.lower())) as target:
                    writer = Writer(target, film, source, first.pixels.shape, codec, crf)
                    writer.add(first)
                    for frame in frames:
                        writer.add(frame)
                    writer.finish()
            except av.FFmpegError as error:
                raise InputError(f"{path} cannot be written with {codec}: {error.strerror}") from error
    return writer.lost


class Writer:
    """A container being written: encoded pictures, and in step with them packets copied from another one.

    Attributes:
        lost: what the container cannot hold of what was to be copied, in words.
    """

    def __init__(self, target, film, source, shape, codec, crf):
        self._target, self._film, self._shape = target, film, shape
        self._matrix = films.matrix_of(film.colour, *shape[:2])
        self._pictures = self._picture_stream(codec, crf)
        self._last, self._durations = None, {}
        self.lost = []
        target.metadata.update(source.metadata)
        target.set_chapters(source.chapters())
        self._copied = copied_packets(source, self._copied_streams(source))
        self._next = next(self._copied, None)

    def _picture_stream(self, codec, crf):
        height, width = self._shape[:2]
        film, colour = self._film, self._film.colour
        options = {"crf": str(CRF_OF.get(codec, CRF) if crf is None else crf), **SPEED.get(codec, {})}
        try:
            stream = self._target.add_stream(codec, rate=film.rate, options=options)
        except ValueError as error:
            raise InputError(f"a {self._target.format.name} file cannot hold pictures of {codec}") from error
        context = stream.codec_context
        context.width, context.height, context.pix_fmt = even(width), even(height), PIXELS
        context.time_base = stream.time_base = film.time_base
        if film.pixel_aspect:
            context.sample_aspect_ratio = film.pixel_aspect
        context.color_range, context.color_primaries, context.color_trc = colour.range, colour.primaries, colour.transfer
        context.colorspace = self._matrix if colour.matrix in films.MATRICES or colour.matrix == films.RGB else UNSPECIFIED
        return stream

    def _copied_streams(self, source):
        """Index of a stream of `source` -> the stream that its packets go to."""
        streams = {}
        for stream in source.streams:
            if stream.type not in KEPT:
                continue
            try:
                copy = self._target.add_stream_from_template(stream)
            except ValueError:  # the container cannot hold it
                self.lost.append(
                    f"{'sound' if stream.type == 'audio' else 'subtitles'} ({stream.name or stream.codec.name})"
                )
                continue
            copy.metadata.update(stream.metadata)
            copy.disposition = stream.disposition.value
            streams[stream.index] = copy
        return streams

    def add(self, frame):
        """Encode a `Frame`, and copy what is heard before it."""
        base = self._pictures.codec_context.time_base
        pts = round(Fraction(frame.seconds) / base)
        if self._last is not None:
            pts = max(pts, self._last + 1)  # damaged films have times that do not rise
        self._last = pts
        if frame.duration:
            self._durations[pts] = round(Fraction(frame.duration) / base)
        picture = self._to_yuv(frame.pixels)
        picture.pts, picture.time_base = pts, base
        self._mux(self._pictures.encode(picture))
        self._copy(frame.seconds)

    def finish(self):
        """Encode what the encoder still holds, copy the rest."""
        self._mux(self._pictures.encode(None))
        self._copy(None)

    def _mux(self, packets):
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts, packet.duration)
            self._target.mux(packet)

    def _copy(self, until):
        """Copy packets up to that second; None: all."""
        while self._next is not None and (until is None or self._next[0] <= until):
            self._target.mux(self._next[1])
            self._next = next(self._copied, None)

    def _to_yuv(self, pixels):
        height, width = self._shape[:2]
        missing = [(0, even(height) - height), (0, even(width) - width), (0, 0)]
        pixels = np.pad(pixels, missing, mode="edge") if missing[0][1] or missing[1][1] else np.ascontiguousarray(pixels)
        frame = films.pyav().VideoFrame.from_ndarray(pixels, format="rgb24")
        tagged = self._film.colour.range or LIMITED_RANGE
        return frame.reformat(
            format=PIXELS,
            dst_colorspace=films.SWSCALE[self._matrix],
            src_color_range=FULL_RANGE,
            dst_color_range=tagged,
            interpolation=films.BEST_TO_YUV,
        )


def copied_packets(source, streams):
    """(seconds, packet) of the streams of a container that are copied, as far as they can be read.

    `streams` says for each index of a stream the one that its packets go to.
    """
    if not streams:
        return
    start = films.container_start(source)
    try:
        for packet in source.demux([source.streams[index] for index in streams]):
            first = packet.pts if packet.dts is None else packet.dts
            if first is None:  # the empty one at the end
                continue
            shift = round(start / packet.time_base)
            packet.dts = first - shift
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.stream = streams[packet.stream.index]
            yield packet.dts * packet.time_base, packet
    except films.pyav().FFmpegError:  # the pictures break off there too
        return


def even(size):
    """`size`, or the next even number: colours are stored for two by two pixels."""
    return size + size % 2


def film_output_ending(path):
    """The ending of the result of a film: its own where that is written, else that of an MP4."""
    return path.suffix if path.suffix.lower() in CODECS else USUAL_ENDING
