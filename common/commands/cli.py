"""What all commands share: parsing, quiet start-up of the backend, errors as one line."""

import argparse
import contextlib
import sys
from pathlib import Path

from common.errors import InputError

# Help on the option of that name, of commands that learn from a teacher or measure by one.
WEIGHTS = (
    "the teacher: its pretrained weights, a .npz file or imagenet; or a student's checkpoint, its features lifted by its "
    "eigenbases; a second W takes over at the levels that the first does not reach"
)


def parser(doc, name=None):
    """An argument parser whose description is the module docstring `doc`, kept as it is laid out."""
    return argparse.ArgumentParser(name, description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


def fraction(text):
    """A number from 0 to 1, for argparse."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return value


def above_zero(text):
    """A finite number above 0, for argparse."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def path_or_url(text):
    """A `Path`, or text where it is a URL, which a `Path` would spoil; for argparse."""
    return text if "://" in text else Path(text)


def report_errors(work, *arguments):
    """Call `work(*arguments)` and give the exit status: what it returns, or 0.

    `InputError` and `OSError` become one line on stderr and status 1, Ctrl-C status 130. Where nobody reads stderr any more,
    the work goes on all the same.
    """
    with contextlib.redirect_stderr(Unread(sys.stderr)):
        try:
            return work(*arguments) or 0
        except (InputError, OSError) as error:
            print(f"error: {message(error)}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130


class Unread:
    """A text stream that can be written to when the pipe behind it is closed: what is written is lost."""

    def __init__(self, stream):
        self._stream = stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        with contextlib.suppress(BrokenPipeError):
            self._stream.write(text)

    def flush(self):
        with contextlib.suppress(BrokenPipeError):
            self._stream.flush()


def message(error):
    """One line that says what went wrong and with which file."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())
