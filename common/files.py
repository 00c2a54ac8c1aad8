"""Writing files so that they appear whole or not at all."""

import os
from contextlib import contextmanager
from pathlib import Path


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
