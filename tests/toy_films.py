"""Films put together in tests: frames of any kind, written by PyAV as cameras and editors write them."""

from fractions import Fraction

import av
import cv2
import numpy as np

from common.network.backbone import CKPTS

PHOTOS = CKPTS.parent / "notebooks" / "photos"


def view(name, width=96, height=64):
    """A demo photo, shrunk: `(height, width, 3)` uint8."""
    return cv2.resize(cv2.imread(str(PHOTOS / f"{name}.jpg"))[..., ::-1], (width, height), interpolation=cv2.INTER_AREA)


def pan(name, count, width=96, height=64, step=1):
    """`count` frames of a window that moves over a photo, `step` pixels a frame."""
    wide = view(name, width + step * count, height)
    return [wide[:, step * index : step * index + width] for index in range(count)]


def write(
    path, frames, rate=25, times=None, codec="libx264", pixels="yuv420p", sound=False, turned=0, options=None, tags=None
):
    """Write a film.

    Args:
        times: of the frames, in thousandths of a second; None: evenly, `rate` a second.
        sound: a hum as long as the film, AAC or what the container has.
        turned: degrees counterclockwise that a player is to turn it by.
        tags: attributes of the encoder's context, such as `color_range`.
    """
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        height, width = frames[0].shape[:2]
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        for name, value in (tags or {}).items():
            setattr(stream.codec_context, name, value)
        base = Fraction(1, rate) if times is None else Fraction(1, 1000)
        stream.codec_context.time_base = base
        if turned:
            stream.set_display_rotation(turned)
        hum = container.add_stream(container.default_audio_codec, rate=48000) if sound else None
        for index, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24").reformat(format=pixels)
            picture.pts, picture.time_base = index if times is None else times[index], base
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
        if sound:
            add_hum(container, hum, len(frames) / rate)
    return path


def add_hum(container, stream, seconds):
    """Encode a tone of 440 Hz."""
    samples = np.sin(np.arange(round(48000 * seconds)) * 2 * np.pi * 440 / 48000).astype(np.float32) / 4
    frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = 48000, 0, Fraction(1, 48000)
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def with_subtitles(source, path):
    """A copy of a film with German subtitles, a title and a chapter."""
    lines = path.with_suffix(".srt")
    lines.write_text("1\n00:00:00,200 --> 00:00:00,800\nHello\n\n2\n00:00:01,000 --> 00:00:01,500\nBye\n")
    with av.open(str(source)) as pictures, av.open(str(lines)) as words, av.open(str(path), "w") as container:
        container.metadata["title"] = "A lake"
        base = Fraction(1, 1000)
        container.set_chapters([{"id": 1, "start": 0, "end": 1000, "time_base": base, "metadata": {"title": "One"}}])
        streams = [container.add_stream_from_template(source.streams[0]) for source in (pictures, words)]
        streams[1].metadata["language"] = "deu"
        for stream, packets in zip(streams, (pictures.demux(), words.demux()), strict=True):
            for packet in packets:
                if packet.size:  # the last is empty
                    packet.stream = stream
                    container.mux(packet)
    return path


def packets(path, kind):
    """Bytes of the packets of a film's first stream of that kind, "audio" or "subtitle"."""
    with av.open(str(path)) as container:
        stream = next(stream for stream in container.streams if stream.type == kind)
        return [bytes(packet) for packet in container.demux(stream) if packet.size]
