"""The table of speed: seconds and peak memory by model and size, each measured in a process of its own, within limits."""

import csv
import os
import tempfile
from pathlib import Path

import numpy as np
import psutil

from common.commands.model_options import CLASSICAL, label, pretrained
from common.commands.table_files import markdown, table_paths, write_files
from common.errors import InputError
from common.evaluation.limits import run_limited
from common.evaluation.methods import load_network
from common.evaluation.speed import later_calls, whole_command, write_photos

# Of the memory that is free, what a model may take unless --memory says otherwise.
SHARE_OF_FREE = 0.9
# What is said of a cell that was stopped for want of memory.
TOO_LARGE = "does not fit"
# How the columns of `speed` are headed, and what a unit of them is in the CSV's.
TIMES = {
    "whole_seconds": ("Whole command / s", 1),
    "memory_bytes": ("Its peak memory / GB", 1e9),
    "later_seconds": ("Later call / s", 1),
    "apply_seconds": ("Look applied / s", 1),
}


def speed(options):
    """Seconds and peak memory of every model at every size; what does not fit in memory or time is said to.

    The table is written anew after every row, so that one that was cut off can be gone on with.
    """
    from tqdm import tqdm

    paths = table_paths(options, options.overwrite or options.resume)
    limits = {"memory_limit": memory_limit(options.memory), "seconds_limit": options.timeout}
    models = list(dict.fromkeys(options.models))
    lines = resumed(paths[0], limits, options.memory) if options.resume else []
    if lines:
        limits["memory_limit"] = float(lines[0]["memory_limit"])
    done = {(line["model"], line["size"]) for line in lines}
    cells = [(name, sides) for sides in options.sizes for name in models if (label(name), size_name(sides)) not in done]
    for name in dict.fromkeys(name for name, _ in cells if name not in CLASSICAL):
        pretrained(load_network, name)
    for name, sides in tqdm(cells, unit="cell", disable=None):
        lines.append({"model": label(name), "size": size_name(sides)} | speed_of(name, sides, **limits) | limits)
        write_speed(paths, lines)
    write_speed(paths, lines)
    print(paths[1].read_text(), end="")


def size_name(sides):
    """'3840x2160'."""
    return "{}x{}".format(*sides)


def memory_limit(gigabytes):
    """Bytes that a model may take.

    Raises:
        InputError: fewer are free.
    """
    free = psutil.virtual_memory().available
    if gigabytes is None:
        return round(SHARE_OF_FREE * free)
    if gigabytes * 1e9 > free:
        raise InputError(f"--memory {gigabytes:g}: {free / 1e9:.1f} GB are free")
    return round(gigabytes * 1e9)


def resumed(path, limits, asked):
    """The rows of a table that is to be gone on with; none where there is none.

    Raises:
        InputError: it is no such table, or was measured within other limits.
    """
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    for line in lines:
        if not {"model", "size", "stopped", *TIMES, *limits} <= line.keys():
            raise InputError(f"{path} is not a table of speed to go on with; --overwrite replaces it")
        same_memory = asked is None or float(line["memory_limit"]) == limits["memory_limit"]
        if not same_memory or float(line["seconds_limit"]) != limits["seconds_limit"]:
            memory, seconds = float(line["memory_limit"]) / 1e9, line["seconds_limit"]
            raise InputError(f"{path}: measured with --memory {memory:g} --timeout {seconds}; --resume takes the same")
    return lines


def speed_of(name, sides, memory_limit, seconds_limit):
    """A line of the table without names and limits; what was not measured is an empty string."""
    busy = psutil.cpu_percent(0.3) / 100 * psutil.cpu_count()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_photos(*sides, folder)
        whole = run_limited(whole_command, (name, folder), memory_limit, seconds_limit)
        later = None if whole.stopped else run_limited(later_calls, (name, folder), memory_limit, seconds_limit)
    calls, apply = (later and later.result) or (None, None)
    found = whole.stopped or later.stopped, whole.seconds, whole.memory, calls, apply
    if whole.stopped:
        found = whole.stopped, None, None, None, None
    columns = ("stopped", *TIMES)
    return dict(zip(columns, ("" if value is None else value for value in found), strict=True)) | {
        "busy_cores": round(busy, 2)
    }


def write_speed(paths, lines):
    """Write the table of speed: a table each for the time and memory of a whole command, later calls, looks."""
    sizes = sorted({line["size"] for line in lines}, key=lambda name: np.prod([*map(int, name.split("x"))]))
    by_cell = {(line["model"], line["size"]): line for line in lines}
    models = dict.fromkeys(line["model"] for line in lines)
    tables = []
    for column, (title, unit) in TIMES.items():
        rows = [[model, *(speed_cell(by_cell.get((model, name)), column, unit) for name in sizes)] for model in models]
        told = [row for row in rows if set(row[1:]) - {"-", ""}]
        tables += [(title, ["model", *sizes], told)] if told else []
    busiest = max(float(line["busy_cores"]) for line in lines)
    conditions = (
        f"On {len(os.sched_getaffinity(0))} of {psutil.cpu_count()} cores; before a measurement others kept up to "
        f"{busiest:.1f} of them busy. Content and style of the same size. Whole command: from the start of its process to "
        "the file, JPEG in and out. Later call: in a process with all loaded. Look applied: the look alone. "
        "A process may take "
        f"{float(lines[0]['memory_limit']) / 1e9:g} GB and {lines[0]['seconds_limit']} s."
    )
    write_files(paths, lines, markdown(conditions, tables))


def speed_cell(line, column, unit):
    """What a cell of the table says."""
    if line is None:
        return ""
    if line[column] != "":
        return f"{float(line[column]) / unit:.2f}"
    if column == "apply_seconds" or not line["stopped"]:
        return "-"
    return TOO_LARGE if line["stopped"] == "memory" else f"> {line['seconds_limit']} s"
