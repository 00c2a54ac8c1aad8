"""Work in a process of its own that is stopped when it takes too much memory or time."""

import contextlib
import multiprocessing
import os
import re
import signal
import threading
import time
from typing import NamedTuple

import psutil

from common.errors import InputError, MemoryShortage
from common.evaluation.methods import peak_memory

# Seconds between two looks at the process.
INTERVAL = 0.02
# What NumPy, OpenCV, ONNX Runtime and TensorFlow say when memory runs out, beside a MemoryError.
OUT_OF_MEMORY = re.compile(r"allocat|bad_alloc|insufficient memory|OOM", re.IGNORECASE)
# How a process ends that the system, or the C++ library, stops for want of memory.
KILLED = (-signal.SIGKILL, -signal.SIGABRT)


class Outcome(NamedTuple):
    """What became of a piece of work.

    Attributes:
        result: what it returned; None where it was stopped.
        seconds: from the start of its process to the end.
        memory: peak resident memory in bytes, as far as it came.
        stopped: "memory" or "time" where it took too much of that, else an empty string.
    """

    result: object
    seconds: float
    memory: int
    stopped: str


def run_limited(work, arguments, memory, seconds):
    """The `Outcome` of `work(*arguments)` in a fresh process, stopped beyond `memory` bytes or `seconds`.

    Raises:
        InputError: the work raised it.
        RuntimeError: the work ended without a result, for another reason than memory or time.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=answer, args=(sender, work, arguments), daemon=True)
    begin = time.perf_counter()
    process.start()
    sender.close()
    peak, stopped = watch(process, receiver, begin, memory, seconds)
    try:
        kind, result, highest = (stopped, None, None) if stopped else receiver.recv()
    except EOFError:
        kind, result, highest = "ended", None, None
    process.join()
    took, peak = time.perf_counter() - begin, max(peak, highest or 0)
    if kind == "error":
        raise InputError(result)
    if kind == "ended" and process.exitcode not in KILLED:
        raise RuntimeError(f"{work.__name__}{arguments} ended with status {process.exitcode}")
    if kind == "time":
        return Outcome(None, took, peak, "time")
    if kind != "done" or peak > memory:
        return Outcome(None, took, peak, "memory")
    return Outcome(result, took, peak, "")


def watch(process, receiver, begin, memory, seconds):
    """Wait until a process answers or ends, and kill it beyond its limits: its peak memory so far, and what it lacked."""
    peak, watched = 0, psutil.Process(process.pid)
    while not receiver.poll(INTERVAL):
        with contextlib.suppress(psutil.Error):  # it has just ended
            peak = max(peak, watched.memory_info().rss)
        if peak > memory or time.perf_counter() - begin > seconds:
            process.kill()
            return peak, "memory" if peak > memory else "time"
    return peak, ""


def answer(sender, work, arguments):
    """In the process: do the work and send back what became of it, and the peak memory in bytes or None."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        reply = "done", work(*arguments)
    except Exception as error:
        if isinstance(error, (MemoryError, MemoryShortage)) or OUT_OF_MEMORY.search(str(error)):
            reply = "memory", None
        elif isinstance(error, InputError):
            reply = "error", str(error)
        else:
            raise
    except KeyboardInterrupt:  # which the process that waits gets, too
        return
    sender.send((*reply, peak_memory()))


def end_with_parent():
    """End this process as soon as the one that waits for it is killed."""
    multiprocessing.parent_process().join()
    os._exit(1)
