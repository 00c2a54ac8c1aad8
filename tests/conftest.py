import os
from pathlib import Path

import numpy as np
import pytest

from tests import toys

SHARED = Path(os.environ.get("PST_SHARED") or Path(__file__).resolve().parents[2] / "shared")


def pytest_addoption(parser):
    parser.addoption("--rewrite-references", action="store_true", help="write tests/references/ anew instead of comparing")


@pytest.fixture(scope="session")
def shared():
    """`shared("photos/val")`: a path below the reference files ($PST_SHARED), or a skip that names what is missing."""

    def path(below):
        found = SHARED / below
        if not found.exists():
            pytest.skip(f"{found} is not there (set PST_SHARED to the folder that holds it)")
        return found

    return path


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def without_xla():
    """See `toys.without_xla`."""
    with toys.without_xla():
        yield


@pytest.fixture
def photos(tmp_path):
    """A folder with three photos, smooth enough to be learnt from."""
    return toys.write_photos(tmp_path / "photos")
