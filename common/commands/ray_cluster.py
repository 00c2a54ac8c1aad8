"""Work spread over the workers of a Ray cluster (https://docs.ray.io): one on this machine, or one that is there.

Ray is imported when a cluster is joined. Workers elsewhere need the same versions of this project, of Ray and of Python.
"""

import contextlib
import os
import socket
import subprocess
import sys
import warnings
from pathlib import Path

from common.commands import cli
from common.errors import InputError, optional_package

LOCAL, RUNNING = "local", "auto"
# Times that a task is tried again whose worker was lost.
RETRIES = 3
# Tasks handed to a cluster for each of its cores: no worker waits for the next one.
TASKS_PER_CORE = 2
# Of memory in bytes, for what workers hand to each other: here next to nothing. Ray takes no less than 79 MB.
OBJECT_STORE = 100_000_000
# To wait for an answer: of a machine, and of a cluster on it.
SECONDS, CLUSTER_SECONDS = 5, 20
LARGEST_PORT = 65535


def ray_package():
    """The package `ray`, without usage statistics, and without messages on lost workers: their tasks are tried again.

    Raises:
        InputError: it is not installed.
    """
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS_SKIP_REGEX": "."}
    return optional_package("ray", '--ray needs Ray, which is not installed: pip install "ray>=2.52"')


def require_cluster(address):
    """Raise `InputError` unless `address` is of a form that `joined` takes, and something answers there."""
    if address in (LOCAL, RUNNING):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdecimal() and int(port) <= LARGEST_PORT):
        raise InputError(f"--ray {address}: give {LOCAL}, {RUNNING}, HOST:PORT or ray://HOST:PORT")
    try:
        socket.create_connection((host, int(port)), SECONDS).close()
    except OSError as error:
        raise InputError(f"no Ray cluster answers at {address}: {cli.message(error)}") from error
    if not address.startswith("ray://"):
        require_healthy(address)


def require_healthy(address):
    """Raise `InputError` where what answers at HOST:PORT is no Ray cluster; Ray itself would try for minutes."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=CLUSTER_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise InputError(f"what answers at {address} is no Ray cluster, or wants another version or token") from error


@contextlib.contextmanager
def joined(address, workers):
    """Ray in a cluster, for `with`.

    Args:
        address: `LOCAL` to start one on this machine, with so many `workers`; `RUNNING` for one that this machine belongs
            to; HOST:PORT or ray://HOST:PORT for one elsewhere.

    Raises:
        InputError: there is none.
    """
    ray = ray_package()
    options = {"log_to_driver": False, "logging_level": "ERROR"}
    if address == LOCAL:
        options |= {"num_cpus": workers, "include_dashboard": False, "object_store_memory": OBJECT_STORE}
    try:
        with code_for_workers(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what goes wrong is raised too
            ray.init(address, **options)
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(f"no Ray cluster can be joined at {address}: {cli.message(error)}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


@contextlib.contextmanager
def code_for_workers():
    """Workers that are started in the block import this project from where this process does, installed or not."""
    before, root = os.environ.get("PYTHONPATH"), str(Path(__file__).resolve().parents[2])
    os.environ["PYTHONPATH"] = root if before is None else os.pathsep.join((root, before))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def require_code(ray, work):
    """Raise `InputError` where a worker cannot import the module of the function `work`."""
    module = work.__module__

    def complaint():  # sent as code: it needs nothing of this project
        import importlib

        try:
            importlib.import_module(module)
        except ImportError as error:
            return str(error)

    if missing := ray.get(ray.remote(complaint).remote()):
        raise InputError(f"this project has to be installed where the Ray cluster's workers run too: {missing} there")


def results(ray, work, job, pairs, at_a_time=None):
    """Call `work(job, *pair)` on workers for all `pairs`, in their order.

    A worker that is lost costs nothing: its task is tried again. So `work` has to stand being called twice for a pair.

    Args:
        work: a function of a module, which workers import.
        job: what all calls share; sent to each worker once.
        at_a_time: calls; None: as the cluster has cores.

    Raises:
        InputError: workers cannot import `work`.

    Yields:
        A pair and what `work` gave, as they come; None instead where each try lost its worker.
    """
    require_code(ray, work)
    task, job = ray.remote(max_retries=RETRIES)(work), ray.put(job)
    waiting, under_way = iter(pairs), {}
    while True:
        most = at_a_time or TASKS_PER_CORE * max(1, int(ray.cluster_resources().get("CPU", 1)))
        while len(under_way) < most and (pair := next(waiting, None)):
            under_way[task.remote(job, *pair)] = pair
        if not under_way:
            return
        (done,), _ = ray.wait(list(under_way))
        pair = under_way.pop(done)
        try:
            yield pair, ray.get(done)
        except ray.exceptions.RayTaskError:  # an error in this project, not of a worker
            raise
        except ray.exceptions.RayError:
            yield pair, None
