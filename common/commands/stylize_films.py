"""What the command `stylize` does with a film: its options, its progress, its warnings."""

import argparse
import contextlib
import sys

from tqdm import tqdm

from common.commands import cli
from common.errors import InputError
from common.photos.film_writer import require_film_writable, write_film
from common.photos.films import Film
from common.transfer.film import EVERY, SMOOTHING

# The exit status where a film was not sound, and what could be read of it was written.
BROKEN_OFF = 3
# Worst quality that an encoder knows.
LARGEST_CRF = 63


def add_options(parser):
    """Give a parser the options that are for films alone."""
    option = parser.add_argument_group("films").add_argument
    option("--crf", type=whole_number(0, LARGEST_CRF), metavar="N", help="quality, 0 the best (default: 18 for H.264)")
    option("--codec", metavar="NAME", help="FFmpeg's name of the encoder (default: libx264, for .webm libvpx-vp9)")
    option(
        "--smoothing",
        type=seconds,
        default=SMOOTHING,
        metavar="SECONDS",
        help="looks are averaged over so long before and after; 0: each frame by itself (default: %(default)s)",
    )
    option(
        "--every",
        type=whole_number(1),
        default=EVERY,
        metavar="N",
        help="show the network every N-th frame alone, and interpolate looks between (default: %(default)s)",
    )


def whole_number(least, most=None):
    """A function that reads a whole number from `least` to `most`, for argparse."""

    def number(text):
        if not text.isdecimal() or int(text) < least or (most is not None and int(text) > most):
            limits = f"from {least} on" if most is None else f"from {least} to {most}"
            raise argparse.ArgumentTypeError(f"{text} is not a whole number {limits}")
        return int(text)

    return number


def seconds(text):
    """A length of time, for argparse."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no length of time in seconds")
    return value


def require_film_settings(settings):
    """Raise `InputError` where settings of a `Stylizer` do not go with films."""
    for name, value in (("finish", "look"), ("fit", "pad")):
        if settings[name] != value:
            raise InputError(f"films take --{name} {value}, not {settings[name]}")


def require_film(path, output, codec):
    """Raise `InputError` where `path` is no film, or none can be written to `output`."""
    Film(path)
    require_film_writable(output, codec)


def stylize_film(stylizer, path, style, output, options):
    """Stylise the film at `path`; `options` are those of the command.

    Returns:
        `BROKEN_OFF` where the film was not sound, else 0.
    """
    film = Film(path)
    require_film_writable(output, options.codec)
    frames = stylizer.film(film.frames(), style, options.strength, options.smoothing, options.every)
    with contextlib.closing(frames), progress(film) as bar:
        lost = write_film(counted(frames, bar), film, output, options.codec, options.crf)
    for kind in lost:
        warn(f"{output} has no {kind}: a {output.suffix} file cannot hold it")
    if film.damage:
        warn(f"{path} {film.damage}; {output} holds what could be read")
        return BROKEN_OFF
    return 0


def counted(frames, bar):
    """`frames`, each counted by a progress bar."""
    for frame in frames:
        yield frame
        bar.update()


def progress(film):
    """A bar with frames a second and the time left; none where nobody looks at it."""
    total = None if film.seconds is None else round(film.seconds * film.rate)
    return tqdm(total=total, unit="frame", desc=film.path.name, disable=None, leave=False)


def warn(text):
    """A line on stderr that leaves progress bars whole."""
    tqdm.write(f"warning: {cli.message(text)}", file=sys.stderr)
