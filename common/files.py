"""Writing files so that they appear whole or not at all, and where they may be written."""

import os
import platform
import uuid
import zlib
from contextlib import contextmanager
from pathlib import Path

import psutil

from common.errors import InputError

# Temporary files are called so, with the machine and the number of the process that writes them and the suffixes of what
# they become.
TEMPORARY, LONGEST_SUFFIX = ".pcakd-", 40


@contextmanager
def written_whole(path):
    """A temporary path beside `path`, with its suffixes, that becomes `path` when the block ends without an error.

    Raises:
        OSError: the folder is missing or cannot be written.
    """
    path = Path(path)
    suffixes = "".join(path.suffixes)[-LONGEST_SUFFIX:]
    temporary = path.with_name(f"{TEMPORARY}{machine()}-{os.getpid()}-{uuid.uuid4().hex}{suffixes}")
    remove_abandoned(path.parent)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def machine():
    """A short name of this machine, of letters and digits: several may write to one folder that they share."""
    return f"{zlib.crc32(platform.node().encode()):08x}"


def remove_abandoned(folder):
    """Remove temporary files in `folder` of this machine's processes that are no more: killed, they could not do it."""
    own = f"{TEMPORARY}{machine()}-"
    for left in folder.glob(f"{own}*"):
        process = left.name.removeprefix(own).partition("-")[0]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            left.unlink(missing_ok=True)


def require_room(path):
    """Raise `InputError` where no file can be written to `path`: a folder, or no folder to lie in."""
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a file to write")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent}: no such folder to write {path.name} to")


def require_absent(path, overwrite):
    """Raise `InputError` where something is at `path` that may not be replaced."""
    if os.path.lexists(path) and not overwrite:  # a link to nothing is something too
        raise InputError(f"{path} exists; --overwrite replaces it")


def require_new_folder(path):
    """Raise `InputError` unless `path` is an empty folder, or nothing is there."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{path} exists: give a new folder")
