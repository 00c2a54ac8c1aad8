"""Global eigenbases on disk: a `.npz` file with a basis and a curve a level, and a record of how they came about."""

import json
from typing import NamedTuple

import numpy as np

from common import array_files
from common.errors import InputError
from common.files import written_whole


class Eigenbases(NamedTuple):
    """What a file of eigenbases holds.

    Attributes:
        bases: `(teacher width, student width)` a level, float32.
        curves: `(teacher width,)` a level: share of variance of the photos that the best basis of each width explains.
        record: backbone, weights and their SHA-256, method, number of photos, widths, shares explained, seed.
    """

    bases: list[np.ndarray]
    curves: list[np.ndarray]
    record: dict


def save_eigenbases(path, eigenbases):
    """Write `Eigenbases` to `path`, whole or not at all; equal ones make equal files."""
    arrays = {"record": np.array(json.dumps(eigenbases.record))}
    for level, (basis, curve) in enumerate(zip(eigenbases.bases, eigenbases.curves, strict=True)):
        arrays[f"eigenbases/{level}"] = np.asarray(basis, np.float32)
        arrays[f"explained/{level}"] = np.asarray(curve, np.float64)
    with written_whole(path) as temporary, open(temporary, "wb") as file:  # a path would get .npz appended
        np.savez(file, **arrays)


def load_eigenbases(path, teacher=None):
    """The `Eigenbases` that `save` wrote to `path`.

    Args:
        teacher: `common.network.autoencoder.Autoencoder` that they have to fit, or None.

    Raises:
        InputError: the file is missing, damaged or not for `teacher`; the message names the array.
    """
    arrays = array_files.read(path)
    if "record" not in arrays:
        raise InputError(f"{path}: record is missing")
    try:
        record = json.loads(str(arrays.pop("record")))
    except ValueError as error:
        raise InputError(f"{path}: record is damaged: {error}") from error
    if not isinstance(record, dict):
        raise InputError(f"{path}: record is damaged: it is no object")
    levels = range(max(1, sum(name.startswith("eigenbases/") for name in arrays)))
    for level in levels:
        require_basis(path, arrays, level)
    result = Eigenbases([arrays[f"eigenbases/{n}"] for n in levels], [arrays[f"explained/{n}"] for n in levels], record)
    if teacher is not None:
        require_fit(path, result, teacher)
    return result


def require_basis(path, arrays, level):
    """Raise `InputError` unless `arrays` has a sound basis and curve for `level`."""
    basis_name, curve_name = f"eigenbases/{level}", f"explained/{level}"
    for name in (basis_name, curve_name):
        if name not in arrays:
            raise InputError(f"{path}: {name} is missing")
        if arrays[name].dtype.kind != "f" or not np.isfinite(arrays[name]).all():
            raise InputError(f"{path}: {name} is not finite")
    if not arrays[basis_name].any():
        raise InputError(f"{path}: {basis_name} is zero everywhere")
    basis, curve = arrays[basis_name], arrays[curve_name]
    if basis.ndim != 2 or not 1 <= basis.shape[1] <= basis.shape[0]:
        raise InputError(f"{path}: {basis_name} has shape {basis.shape} but must be (teacher width, student width)")
    if curve.shape != basis.shape[:1]:
        raise InputError(f"{path}: {curve_name} has shape {curve.shape} but must be {basis.shape[:1]}")


def require_fit(path, eigenbases, teacher):
    """Raise `InputError` unless `eigenbases`, read from `path`, are for features of `teacher`'s widths."""
    found, expected = eigenbases.record.get("backbone"), teacher.backbone.name
    if found != expected:
        raise InputError(f"{path} holds eigenbases of the {found} backbone, not of {expected}")
    channels = teacher.widths.features
    if len(eigenbases.bases) > len(channels):
        raise InputError(f"{path} holds {len(eigenbases.bases)} levels but {teacher.name} has {len(channels)}")
    for level, basis in enumerate(eigenbases.bases):
        if len(basis) != channels[level]:
            raise InputError(
                f"{path}: eigenbases/{level} is for {len(basis)} channels but {teacher.name} has {channels[level]}"
            )
