"""Named arrays on disk: `.npz` files, of which nothing is ever unpickled.

The project's own say what they are: besides their arrays they hold `kind` and `version`.
"""

import lzma
import struct
import tokenize
import zipfile
import zlib

import numpy as np

from common.errors import InputError
from common.files import written_whole

# What NumPy and zipfile raise on files that are damaged or no `.npz` at all.
DAMAGE = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,  # NotImplementedError too: a compression that is not supported
    MemoryError,
    SyntaxError,  # of an array's header
    tokenize.TokenError,  # of one written by Python 2
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
)
# In bytes, unpacked: more than any teacher's weights.
LARGEST_FILE = 2_000_000_000


def write(path, kind, version, arrays):
    """Write arrays by name to `path`, whole or not at all, as a file of `kind`, a word, in layout `version`, a number."""
    with written_whole(path) as temporary, temporary.open("wb") as file:  # a path would get .npz appended
        np.savez(file, kind=kind, version=version, **arrays)


def read(path):
    """The arrays of a `.npz` file by name.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as packed:
            if sum(member.file_size for member in packed.infolist()) > LARGEST_FILE:
                raise ValueError(f"it unpacks to more than {LARGEST_FILE:,} bytes")
        with np.load(path) as file:
            arrays = {name: file[name] for name in file.files}
        if not all(isinstance(array, np.ndarray) for array in arrays.values()):  # bytes, where a member is none
            raise ValueError("it holds something other than arrays")
        return arrays
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder, not a file") from error
    except DAMAGE as error:
        raise InputError(f"{path} is not a .npz file of arrays: {' '.join(str(error).split())}") from error


def read_kind(path, kind, version):
    """The arrays of a file that `write` wrote, in layout `version` or an earlier one.

    Raises:
        InputError: there is no such file, or it is damaged, of another kind or of a later version.
    """
    arrays = read(path)
    found = str(arrays.pop("kind", "unknown"))
    if found != kind:
        raise InputError(f"{path} holds no {kind} but is a file of kind {found!r}")
    found = arrays.pop("version", np.array("none"))
    if found.shape or found.dtype.kind not in "iu" or not 1 <= found <= version:
        found = "unknown" if found.shape else found
        raise InputError(f"{path} holds a {kind} of version {found}, but only versions up to {version} can be read")
    return arrays


def require_array(path, arrays, name, shape, dtype):
    """The array called `name`, checked.

    Args:
        shape: of it; None where any number will do.

    Raises:
        InputError: it is missing, of another shape or type, or not finite; the message names it.
    """
    if name not in arrays:
        raise InputError(f"{path}: {name} is missing")
    array = arrays[name]
    if len(array.shape) != len(shape) or any(b not in (None, a) for a, b in zip(array.shape, shape, strict=True)):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise InputError(f"{path}: {name} has shape {array.shape} but must be ({wanted})")
    if array.dtype != dtype:
        raise InputError(f"{path}: {name} is of type {array.dtype} but must be {np.dtype(dtype)}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise InputError(f"{path}: {name} holds NaN or infinity")
    return array
