"""Training and distillation, compiled, on either backend, in a process of its own; and that both give the same."""

import csv
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.toys import write_photos

ROOT = Path(__file__).resolve().parents[2]
BACKENDS = ("tensorflow", "jax")
# What the process does, in the folder that it is given.
SCRIPT = """
import sys
from stargan_v2 import distill, train

folder = sys.argv[1]
common = f"--photos {folder}/photos --batch-size 2 --steps 2 --interval 1"
widths = "--size 16 --width 4 --cap 8 --hidden 5 --style-dim 6"
assert train.main(f"{common} --save-to {folder}/teacher {widths}".split()) == 0
objectives = "pixel adversarial cycle perceptual triplet gka adapters wavelet feature-wavelet"
assert distill.main(f"{common} --save-to {folder}/student --teacher {folder}/teacher --objectives {objectives}".split()) == 0
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    """Losses of both iterations by backend and run."""
    result = {}
    for backend in BACKENDS:
        pytest.importorskip(backend)
        folder = tmp_path_factory.mktemp(backend)
        for seed, name in enumerate(("day", "dusk")):
            write_photos(folder / "photos" / name, 3, seed)
        environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", SCRIPT, folder], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        result[backend] = {run: rows(folder / run / "log.csv") for run in ("teacher", "student")}
    return result


def rows(path):
    with path.open() as file:
        return [{name: float(value) for name, value in row.items() if value != "NA"} for row in csv.DictReader(file)]


@pytest.mark.parametrize("run", ["teacher", "student"])
def test_both_show_the_same_losses_and_all_are_finite(logs, run):
    """Not equal ones: each backend draws initial weights by random numbers of its own."""
    tensorflow, jax = (logs[backend][run] for backend in BACKENDS)
    assert len(tensorflow) == len(jax) == 2
    assert tensorflow[0].keys() == jax[0].keys()
    assert all(math.isfinite(value) for row in tensorflow + jax for value in row.values())


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_move(logs, backend):
    for run in ("teacher", "student"):
        first, second = logs[backend][run]
        assert first["loss"] != second["loss"]
