"""`.npz` files: what is in them is arrays, and nothing else is taken for one."""

import zipfile

import numpy as np
import pytest

from common import array_files
from common.errors import InputError


def npz(path, **members):
    """A zip archive of members as they are, bytes."""
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return path


def npy(header):
    """A `.npy` file of no values with that header, whatever it says."""
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header


@pytest.mark.parametrize(
    "members",
    [
        {"grid": b"no array"},
        {"grid.npy": npy(b"{'descr': '<f4', 'shape': (2, ")},  # NumPy tries such headers as Python 2's, with a tokenizer
        {"grid.npy": npy(b"{'descr': '<f4'\n, 'shape': (2, 3L\0)}")},
    ],
)
def test_a_member_that_is_no_array_is_refused_in_one_line(tmp_path, members):
    with pytest.raises(InputError, match=r"a\.npz is not a \.npz file of arrays") as caught:
        array_files.read(npz(tmp_path / "a.npz", **members))
    assert "\n" not in str(caught.value)


def test_a_version_that_is_no_number_is_not_shown_whole(tmp_path):
    array_files.write(tmp_path / "a.npz", "look", np.zeros((30, 30)), {})
    with pytest.raises(InputError, match="holds a look of version unknown, but only versions up to 1 can be read"):
        array_files.read_kind(tmp_path / "a.npz", "look", 1)
