"""Writing files so that they appear whole or not at all, and where they may be written."""

import os
from contextlib import contextmanager
from pathlib import Path

from common.errors import InputError


@contextmanager
def written_whole(path):
    """A temporary path beside `path`, with its suffixes, that becomes `path` when the block ends without an error.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def require_room(path):
    """Raise `InputError` where no file can be written to `path`: a folder, or no folder to lie in."""
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a file to write")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder to write {path.name} to")


def require_absent(path, overwrite):
    """Raise `InputError` where something is at `path` that may not be replaced."""
    if path.exists() and not overwrite:
        raise InputError(f"{path} exists; --overwrite replaces it")
