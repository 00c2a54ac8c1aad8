"""Time and memory of stylising, against the paper's way.

python -m tests.benchmarks.stylize [--sizes 640x427 3840x2160 7680x4320] [--backbones vgg mobilenet]

The paper's way ("plain") runs Keras on all pixels, layer by layer, and smooths with the guided filter; ours is the default
of `stylize`. Content and style are JPEG files of the same size. Every row is a process of its own, or two: one from its
start to the file it writes, with its peak memory; and one that, models loaded and photos read, is called several times.
"apply" is the look alone, applied to all pixels. Takes some ten minutes.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from common.commands import cli
from common.network.registry import BACKBONES
from common.photos import as_floats, pad_to_multiple, read_rgb, write_photo

SIZES = ("640x427", "3840x2160", "7680x4320")
# The plain VGG pass does not fit in 23 GB.
TOO_LARGE = {("vgg", "7680x4320", "plain")}
LATER_CALLS = 2
COLUMNS = ("whole command / s", "its memory / GB", "later call / s", "apply / s")


def write_photos(width, height, folder):
    """A content and a style photo of random smooth colours with some grain, as JPEG files."""
    random = np.random.default_rng(0)
    for name in ("content", "style"):
        small = Image.fromarray(random.integers(0, 256, (9, 16, 3), np.uint8))
        smooth = np.array(small.resize((width, height), Image.Resampling.BICUBIC), np.int16)
        smooth += random.integers(-8, 9, smooth.shape, np.int8)
        write_photo(Image.fromarray(np.clip(smooth, 0, 255).astype(np.uint8)), folder / f"{name}.jpg")


def plain(backbone, checkpoint):
    """The paper's pipeline on whole photos, all of it in Keras, as a function of content and style."""
    import cv2
    from keras import ops

    from common.network.coarse_to_fine import coarse_to_fine
    from common.network.registry import student
    from common.transfer.guided_filter import EPSILON, RADIUS
    from common.transfer.transforms import Statistics, affine_map

    model = student(backbone).load(checkpoint)

    def statistics(feature):
        pixels = ops.reshape(feature, (-1, feature.shape[-1]))
        mean = ops.mean(pixels, axis=0)
        centred = pixels - mean
        squares = ops.einsum("nc,nd->cd", centred, centred) / len(pixels)
        return Statistics(*(ops.convert_to_numpy(array).astype(np.float64) for array in (mean, squares)))

    def mapped(feature, mapping):
        matrix, offset = (ops.convert_to_tensor(array, "float32") for array in (mapping.matrix.T, mapping.offset))
        return ops.matmul(feature, matrix) + offset

    def encoded(photo):
        return model.encode(pad_to_multiple(as_floats(photo), model.strides[-1])[None])

    def stylize(content, style):
        taken = [statistics(feature[0]) for feature in encoded(style)[0]]

        def before(level, feature):
            return mapped(feature, affine_map(statistics(feature[0]), taken[level]))

        image = coarse_to_fine(model, *encoded(content), before)
        height, width = content.shape[:2]
        result = (np.clip(image[0, :height, :width], 0, 1) * 255).astype(np.uint8)
        return cv2.ximgproc.guidedFilter(content, result, RADIUS, EPSILON)

    return stylize, None


def ours(backbone, checkpoint):
    """This project's pipeline, and its last step, the application of a look."""
    from common.network.registry import load_network
    from common.transfer.stylizer import Stylizer

    stylizer = Stylizer(load_network(backbone, checkpoint=checkpoint))

    def apply_alone(content, style):
        look = stylizer.look(content, stylizer.analyze(style))
        return lambda: look.recolour(content)

    return lambda content, style: stylizer.apply(content, stylizer.analyze(style)), apply_alone


def run_whole(way, backbone, checkpoint, folder):
    """From JPEG files to a JPEG file."""
    stylize, _ = way(backbone, checkpoint)
    content, style = (read_rgb(folder / f"{name}.jpg") for name in ("content", "style"))
    write_photo(Image.fromarray(stylize(content, style)), folder / "result.jpg")


def run_later(way, backbone, checkpoint, folder):
    """The best of several calls after a first one, and of several applications of a look, in seconds."""
    stylize, apply_alone = way(backbone, checkpoint)
    photos = [read_rgb(folder / f"{name}.jpg") for name in ("content", "style")]
    figures = {"later": best_time(lambda: stylize(*photos))}
    return figures | ({"apply": best_time(apply_alone(*photos))} if apply_alone else {})


def best_time(work):
    """The least of the seconds that calls after the first take."""
    seconds = []
    for _ in range(1 + LATER_CALLS):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds[1:])


def measure(way, backbone, checkpoint, folder, kind):
    """In this process: run, and print figures as JSON."""
    figures = {"whole": run_whole, "later": run_later}[kind](
        {"plain": plain, "ours": ours}[way], backbone, checkpoint, folder
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(json.dumps({"peak": peak} | (figures or {})))


def measured(way, backbone, checkpoint, folder):
    """Figures by column, or None where a process did not come to an end."""
    figures = []
    for kind in ("whole", "later"):
        command = [sys.executable, "-m", "tests.benchmarks.stylize", "--one", way, backbone, checkpoint, folder, kind]
        begin = time.perf_counter()
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        seconds = time.perf_counter() - begin
        if done.returncode:
            return None
        figures.append({"seconds": seconds} | json.loads(done.stdout.splitlines()[-1]))
    whole, later = figures
    return [whole["seconds"], whole["peak"], later["later"], later.get("apply")]


def row(name, figures, baseline=None):
    """A line of the table; ratios are of the baseline's figure to this one's."""
    if figures is None:
        return f"{name:32} does not fit in memory"
    cells = []
    for value, other in zip(figures, baseline or [None] * len(figures), strict=True):
        ratio = f" ({other / value:4.1f}x)" if value and other else ""
        cells.append(f"{'-' if value is None else f'{value:.2f}'}{ratio}".ljust(len(COLUMNS[0])))
    return f"{name:32}" + "  ".join(cells).rstrip()


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="WxH", help="default: %(default)s")
    parser.add_argument("--backbones", nargs="+", choices=BACKBONES, default=BACKBONES, help="default: %(default)s")
    parser.add_argument("--checkpoint", nargs="+", default=[], metavar="BACKBONE=PATH", help="default: those in ckpts/")
    parser.add_argument("--one", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        way, backbone, checkpoint, folder, kind = options.one
        return measure(way, backbone, checkpoint or None, Path(folder), kind)
    checkpoints = dict(pair.split("=", 1) for pair in options.checkpoint)
    print(" " * 32 + "  ".join(column.ljust(len(COLUMNS[0])) for column in COLUMNS).rstrip())
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            write_photos(*map(int, size.split("x")), Path(folder))
            for backbone in options.backbones:
                baseline = None
                for way in ("plain", "ours"):
                    fits = (backbone, size, way) not in TOO_LARGE
                    figures = measured(way, backbone, checkpoints.get(backbone, ""), folder) if fits else None
                    print(row(f"{backbone} {size} {way}", figures, baseline), flush=True)
                    baseline = figures if way == "plain" else baseline
    return 0


if __name__ == "__main__":
    sys.exit(main())
