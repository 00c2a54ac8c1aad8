"""Adobe's .cube files: 3D LUTs as text."""

from pathlib import Path

import numpy as np

from common.errors import InputError
from common.files import written_whole


def read_cube(path):
    """The 3D LUT in a .cube file, `(n, n, n, 3)` float32, by red, green and blue.

    Raises:
        InputError: it is missing, holds no 3D LUT, or one for colours other than [0, 1].
    """
    try:
        lines = Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as a .cube file") from error
    try:
        nodes = _nodes(line.split("#")[0].split() for line in lines)
    except (ValueError, IndexError) as error:
        raise InputError(f"{path} does not hold a 3D LUT for colours from 0 to 1") from error
    return nodes.transpose(2, 1, 0, 3).copy()  # red varies fastest in the file


def _nodes(lines):
    """The nodes in lines of words, in the order of the file, `(n, n, n, 3)`.

    Raises:
        ValueError, IndexError: a word is missing or wrong.
    """
    size, rows = 0, []
    for words in lines:
        if not words or words[0] == "TITLE":
            continue
        if words[0] == "LUT_3D_SIZE":
            size = int(words[1])
        elif words[0] in ("DOMAIN_MIN", "DOMAIN_MAX"):
            if [float(word) for word in words[1:]] != [float(words[0] == "DOMAIN_MAX")] * 3:
                raise ValueError("another domain")
        else:
            rows.append(words)
    nodes = np.array(rows, np.float32)
    if size < 2 or not np.isfinite(nodes).all():
        raise ValueError("no LUT")
    return nodes.reshape(size, size, size, 3)


def write_cube(lut, path, title="grade"):
    """Write a LUT `(n, n, n, 3)` to `path`, whole or not at all.

    Args:
        title: for programs to show; quotes and line breaks are left out.

    Nodes may lie beyond [0, 1]: what applies the file clips between them, as `common.grading.lut.apply` does.
    """
    title = " ".join(title.replace('"', "").split())
    rows = np.asarray(lut).transpose(2, 1, 0, 3).reshape(-1, 3)
    head = [f'TITLE "{title}"', f"LUT_3D_SIZE {len(lut)}", "DOMAIN_MIN 0.0 0.0 0.0", "DOMAIN_MAX 1.0 1.0 1.0"]
    lines = [*head, *(f"{r:.6f} {g:.6f} {b:.6f}" for r, g, b in rows)]
    with written_whole(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n")


def read_cubes(folder, families):
    """The LUTs of all .cube files in `folder`, sorted by name; `families` are what could have been meant instead.

    Raises:
        InputError: there is none.
    """
    paths = sorted(Path(folder).glob("*.cube"))
    if not paths:
        raise InputError(f"{folder} is neither {' nor '.join(families)} nor a folder of .cube files")
    return [read_cube(path) for path in paths]
