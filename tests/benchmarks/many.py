"""Photos a second of a folder, by one and two workers, with Ray and without; and where the time of a photo goes.

python -m tests.benchmarks.many photos/ style.jpg [--count 40] [--side 3000] [--backbone mobilenet]

The first photos of the folder are enlarged. Every row is a process of its own. "Photos a second" is counted from the first
result to the last; the whole command takes the start of its workers too. Takes some four minutes.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from common.commands import cli
from common.network.registry import BACKBONES, load_network
from common.photos import photo_paths, read_photo, write_photo
from common.transfer.stylizer import DEFAULT_PRESET, PRESETS, Stylizer

RUNS = {
    "`--jobs 1`": ("--jobs", "1"),
    "`--jobs 2`": ("--jobs", "2"),
    "`--ray local --jobs 1`": ("--ray", "local", "--jobs", "1"),
    "`--ray local --jobs 2`": ("--ray", "local", "--jobs", "2"),
}


def enlarged(folder, count, side, target):
    """Write the first `count` photos of a folder with a longer side of `side` pixels; their paths."""
    paths = []
    for path in photo_paths(folder)[:count]:
        photo = read_photo(path)
        scale = side / max(photo.size)
        photo = photo.resize([round(scale * length) for length in photo.size])
        paths.append(target / f"{path.stem}.jpg")
        write_photo(photo, paths[-1])
    return paths


def timed(arguments, results):
    """Seconds of the command, and photos a second from the first result to the last."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "common.commands.pcakd", "stylize", *arguments, "-o", results],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    seconds = time.perf_counter() - start
    times = sorted(path.stat().st_mtime for path in Path(results).iterdir())
    return seconds, (len(times) - 1) / (times[-1] - times[0])


@threadpool_limits.wrap(limits=1, user_api="blas")  # as the command's
def steps(paths, style, backbone):
    """What a photo takes by steps, one after the other in this process: mean seconds by the clock, and of all cores."""
    stylizer = Stylizer(load_network(backbone), grade=PRESETS[DEFAULT_PRESET])
    style, seconds = stylizer.analyze(style), {}
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:

            def step(name, work):
                start = np.array((time.perf_counter(), time.process_time()))
                result = work()
                spent = np.array((time.perf_counter(), time.process_time())) - start
                seconds[name] = seconds.get(name, 0) + spent / len(paths)
                return result

            photo = step("read", lambda path=path: read_photo(path))
            look = step("network and look", lambda photo=photo: stylizer.look(photo, style))
            result = step("apply", lambda photo=photo, look=look: look.apply(photo))
            step("write", lambda result=result: write_photo(result, Path(folder) / "result.jpg"))
    return seconds


def main(arguments=None):
    parser = cli.parser(__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("style", type=Path)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--side", type=int, default=3000)
    parser.add_argument("--backbone", choices=BACKBONES, default="mobilenet")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "photos"
        target.mkdir()
        paths = enlarged(options.photos, options.count, options.side, target)
        print(f"{len(paths)} photos of {options.side} pixels, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        print("\n| | photos a second | whole command / s |\n|---|---|---|", flush=True)
        for name, words in RUNS.items():
            results = Path(folder) / name.strip("`").replace(" ", "")
            command = [str(target), str(options.style), "--backbone", options.backbone, *words]
            seconds, rate = timed(command, results)
            print(f"| {name} | {rate:.2f} | {seconds:.1f} |", flush=True)
        print("\n| step | clock / s | cores / s |\n|---|---|---|")
        for name, (clock, cores) in steps(paths[:10], options.style, options.backbone).items():
            print(f"| {name} | {clock:.3f} | {cores:.3f} |")


if __name__ == "__main__":
    main()
