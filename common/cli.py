"""What the entry points share: parsing, quiet start-up of the backend, errors as one line."""

import argparse
import contextlib
import os
import sys

from common.errors import InputError


def parser(doc):
    """An argument parser whose description is the module docstring `doc`, kept as it is laid out."""
    return argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)


@contextlib.contextmanager
def silenced_stderr():
    """Send what native code writes to stderr nowhere: TensorFlow greets every import with lines no setting removes."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def run(work, *arguments):
    """Import the backend quietly, call `work(*arguments)` and give the exit status: what it returns, or 0.

    `InputError` and `OSError` become one line on stderr and status 1, Ctrl-C status 130.
    """
    try:
        with silenced_stderr():
            import keras  # noqa: F401
        return work(*arguments) or 0
    except (InputError, OSError) as error:
        print(f"error: {message(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def message(error):
    """One line that says what went wrong and with which file."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split())
