"""Photos here or in storage that fsspec knows: s3://, gs://, sftp:// and others, each with a package of its own.

fsspec is imported when a folder is named.
"""

import contextlib
import tempfile
import uuid
from pathlib import Path, PurePosixPath

from common.commands import cli
from common.errors import InputError, optional_package
from common.files import TEMPORARY


def fsspec_package():
    """The package `fsspec`.

    Raises:
        InputError: it is not installed.
    """
    return optional_package("fsspec", 'URLs and --ray need fsspec, which is not installed: pip install "fsspec>=2024.2"')


class Folder:
    """A folder of files. It can be pickled, and means the same to a process elsewhere that sees the same storage.

    Args:
        place: a `Path`, or a URL as text.

    Raises:
        InputError: fsspec does not know such URLs, or lacks a package for them; other methods where storage fails.
    """

    def __init__(self, place: Path | str):
        self.place = str(place)
        self.is_local = isinstance(place, Path)
        fsspec = fsspec_package()
        with storage_errors(self):
            if self.is_local:
                self._files, self._path = fsspec.filesystem("file"), str(place.absolute())
            else:
                self._files, self._path = fsspec.core.url_to_fs(self.place)

    def __str__(self):
        return self.place

    def named(self, name):
        """What the file of that name is called in messages."""
        return f"{self.place.rstrip('/')}/{name}"

    def exists(self):
        """Whether there is such a folder."""
        with storage_errors(self):
            return self._files.isdir(self._path)

    def make(self):
        """Make the folder where it is missing, and those that it lies in."""
        with storage_errors(self):
            self._files.makedirs(self._path, exist_ok=True)

    def sizes(self) -> dict[str, int]:
        """Bytes of the files in the folder by name; empty where there is no such folder."""
        if not self.exists():
            return {}
        with storage_errors(self):
            listed = self._files.ls(self._path, detail=True)
        return {PurePosixPath(file["name"]).name: file["size"] or 0 for file in listed if file["type"] != "directory"}

    @contextlib.contextmanager
    def reading(self, name):
        """A path on this machine to read the file of that name from; errors in the block tell of the file itself."""
        with self._local(name) as path, named_as(path, self.named(name)):
            if not self.is_local:
                with storage_errors(self.named(name)):
                    self._files.get_file(self._below(name), str(path))
            yield path

    @contextlib.contextmanager
    def writing(self, name):
        """A path on this machine; what is written there is the file of that name when the block ends without an error.

        In storage it appears whole or not at all. Who writes to a local folder sees to that (`common.files`).
        """
        with self._local(name) as path, named_as(path, self.named(name)):
            yield path
            if not self.is_local:
                temporary = self._below(f"{TEMPORARY}{uuid.uuid4().hex}{path.suffix}")
                with storage_errors(self.named(name)):
                    self._files.put_file(str(path), temporary)
                    self._files.mv(temporary, self._below(name))

    def _below(self, name):
        return f"{self._path.rstrip('/')}/{name}"

    @contextlib.contextmanager
    def _local(self, name):
        """The path of a file in a local folder, else one in a temporary folder."""
        if self.is_local:
            yield Path(self._below(name))
        else:
            with tempfile.TemporaryDirectory(prefix=TEMPORARY) as folder:
                yield Path(folder) / name


@contextlib.contextmanager
def local_copy(place: Path | str):
    """A path on this machine to read the file at `place` from, a `Path` or a URL; errors in the block tell of `place`."""
    if isinstance(place, Path):
        yield place
    else:
        folder, _, name = place.rpartition("/")
        with Folder(folder).reading(name) as path:
            yield path


@contextlib.contextmanager
def named_as(path, name):
    """Errors in the block that tell of a path tell of `name` instead."""
    try:
        yield
    except (InputError, OSError) as error:
        raise InputError(cli.message(error).replace(str(path), name)) from error


@contextlib.contextmanager
def storage_errors(place):
    """Whatever goes wrong with storage in the block is an `InputError` that names `place`."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{place}: no such file or folder") from error
    except OSError as error:
        raise InputError(f"{place}: {error.strerror or cli.message(error)}") from error
    except Exception as error:  # each kind of storage has errors of its own
        raise InputError(f"{place}: {cli.message(error)}") from error
