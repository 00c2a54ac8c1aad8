"""Keras and its backend, imported quietly and only when asked for."""

import contextlib
import functools
import os
import sys

from common.errors import InputError


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


@functools.cache
def import_backend():
    """Import Keras and let its backend find its devices and number formats, without what both print on the way.

    Raises:
        InputError: they are not installed.
    """
    try:
        with silenced_stderr():
            import keras

            keras.ops.zeros(1)
    except ImportError as error:
        raise InputError(f"this needs the package {error.name}: pip install 'pcakd[training]'") from error
