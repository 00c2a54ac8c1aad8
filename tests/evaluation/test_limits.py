"""Work that takes too much is stopped, and what stopped it is told; work that fails otherwise is no matter of limits."""

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from common.errors import InputError
from common.evaluation.limits import run_limited
from common.photos import read_rgb
from common.transfer.network_pass import require_memory

ROOT = Path(__file__).resolve().parents[2]
ROOM, SECONDS = 700e6, 60


def test_work_within_its_limits_gives_its_result_time_and_memory():
    begin = time.perf_counter()
    outcome = run_limited(np.ones, ((20_000_000,), np.uint8), ROOM, SECONDS)
    assert len(outcome.result) == 20_000_000
    assert outcome.stopped == ""
    assert 0.05 < outcome.seconds <= time.perf_counter() - begin
    assert 40e6 < outcome.memory < ROOM


def test_work_that_takes_too_much_memory_is_stopped():
    outcome = run_limited(np.ones, ((2_000_000_000,), np.uint8), ROOM, SECONDS)
    assert (outcome.result, outcome.stopped) == (None, "memory")
    assert outcome.memory > ROOM


def test_work_that_takes_too_long_is_stopped():
    begin = time.perf_counter()
    outcome = run_limited(time.sleep, (SECONDS,), ROOM, 0.5)
    assert (outcome.result, outcome.stopped) == (None, "time")
    assert time.perf_counter() - begin < 20


def test_memory_that_cannot_be_had_does_not_fit():
    assert run_limited(np.ones, ((10**15,),), ROOM, SECONDS).stopped == "memory"
    assert run_limited(os.abort, (), ROOM, SECONDS).stopped == "memory"  # as C++ does


def test_a_photo_that_is_refused_for_its_size_does_not_fit():
    network = SimpleNamespace(bytes_per_pixel=1e12)
    assert run_limited(require_memory, (network, 32, 24), ROOM, SECONDS).stopped == "memory"


def test_an_error_of_the_users_is_raised_as_it_is(tmp_path):
    with pytest.raises(InputError, match=r"none\.jpg"):
        run_limited(read_rgb, (tmp_path / "none.jpg",), ROOM, SECONDS)


def test_work_that_crashes_is_not_said_to_lack_memory():
    with pytest.raises(RuntimeError, match="ended with status 3"):
        run_limited(os._exit, (3,), ROOM, SECONDS)


def test_work_ends_with_the_process_that_waits_for_it(tmp_path):
    work = f"import time; open({str(tmp_path / 'begun')!r}, 'w').close(); time.sleep(60)"
    code = f"from common.evaluation.limits import run_limited; run_limited(exec, ({work!r},), 1e9, 60)"
    waiting = psutil.Popen([sys.executable, "-c", code], cwd=ROOT)
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    working = waiting.children()
    waiting.kill()
    waiting.wait()
    assert working
    assert not psutil.wait_procs(working, timeout=20)[1]
