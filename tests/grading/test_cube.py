""".cube files: what is written is read, red varies fastest, and what is no LUT is refused in a sentence."""

import numpy as np
import pytest

from common.errors import InputError
from common.grading.cube import read_cube, write_cube


def test_a_lut_comes_back_as_it_was(tmp_path, rng):
    nodes = rng.random((4, 4, 4, 3), np.float32)
    write_cube(nodes, tmp_path / "look.cube")
    np.testing.assert_allclose(read_cube(tmp_path / "look.cube"), nodes, atol=1e-6)


def test_red_varies_fastest(tmp_path):
    rows = "\n".join(f"{r} {g} {b}" for b in (0, 1) for g in (0, 1) for r in (0, 1))
    (tmp_path / "a.cube").write_text(f'# made by hand\nTITLE "one two"\nLUT_3D_SIZE 2\nDOMAIN_MIN 0 0 0\n\n{rows}\n')
    np.testing.assert_array_equal(read_cube(tmp_path / "a.cube")[1, 0, 0], [1, 0, 0])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "LUT_3D_SIZE\n",
        "LUT_3D_SIZE many\n",
        "LUT_3D_SIZE 2\n0 0 0\n",
        "LUT_3D_SIZE 2\nDOMAIN_MAX 2 2 2\n",
        "LUT_3D_SIZE 2\n" + 8 * "0 0 nan\n",
        "LUT_3D_SIZE 2\n" + 8 * "0 0\n",
        "LUT_1D_SIZE 2\n0 0 0\n1 1 1\n",
    ],
)
def test_what_is_no_lut_is_refused(tmp_path, text):
    (tmp_path / "bad.cube").write_text(text)
    with pytest.raises(InputError, match=r"bad\.cube does not hold a 3D LUT for colours from 0 to 1"):
        read_cube(tmp_path / "bad.cube")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.cube cannot be read"):
        read_cube(tmp_path / "none.cube")


def test_nodes_beyond_the_range_are_kept(tmp_path, rng):
    nodes = rng.uniform(-0.2, 1.2, (3, 3, 3, 3)).astype(np.float32)
    write_cube(nodes, tmp_path / "strong.cube", "strong")
    assert (tmp_path / "strong.cube").read_text().startswith('TITLE "strong"\nLUT_3D_SIZE 3\n')
    np.testing.assert_allclose(read_cube(tmp_path / "strong.cube"), nodes, atol=1e-6)
