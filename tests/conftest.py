import os
from pathlib import Path

import numpy as np
import pytest

SHARED = Path(os.environ.get("PST_SHARED") or Path(__file__).resolve().parents[2] / "shared")


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
