"""Time and memory of stylising, against a plain pass over the whole photo.

python -m tests.benchmarks.stylize [--sizes 1024x576 3840x2160] [--checkpoint vgg=PATH] [--pruned vgg=PATH]

Every row is measured in a process of its own, content and style at the same size, models loaded: the first call, the best of
the later ones, and the peak resident memory. The plain pass runs the network on whole photos, layer by layer, as the paper's
code does. Takes some ten minutes.
"""

import argparse
import importlib
import json
import resource
import subprocess
import sys
import time

import numpy as np
from PIL import Image

from common import cli

SIZES = ("1024x576", "1920x1080", "3840x2160", "7680x4320")
# The plain VGG pass does not fit in 23 GB.
TOO_LARGE = {("vgg", "7680x4320", "plain")}
LATER_CALLS = 3
PEAK = 255


def photos(width, height):
    """A content and a style photo of random smooth colours with some grain, uint8."""
    random = np.random.default_rng(0)
    for _ in range(2):
        small = Image.fromarray(random.integers(0, 256, (9, 16, 3), np.uint8))
        smooth = np.array(small.resize((width, height), Image.Resampling.BICUBIC), np.int16)
        smooth += random.integers(-8, 9, smooth.shape, np.int8)  # in place, in bytes: the peak memory counts
        yield np.clip(smooth, 0, PEAK, out=smooth).astype(np.uint8)


def plain(model):
    """The paper's pipeline on whole photos, as a function of content and style."""
    import cv2
    from keras import ops

    from common.autoencoder import from_pixels
    from common.images import PaddedPixels
    from common.smoothing import EPSILON, RADIUS
    from common.transforms import Statistics, affine_map

    def statistics(feature):
        pixels = ops.reshape(feature, (-1, feature.shape[-1]))
        mean = ops.mean(pixels, axis=0)
        centred = pixels - mean
        squares = ops.einsum("nc,nd->cd", centred, centred) / len(pixels)
        return Statistics(*(ops.convert_to_numpy(array).astype(np.float64) for array in (mean, squares)))

    def stylize(content, style):
        images = (from_pixels(PaddedPixels(photo, model.backbone.strides[-1]).whole) for photo in (style, content))
        taken = [statistics(feature[0]) for feature in model.encode(next(images))[0]]
        features, skips = model.encode(next(images))
        x = features[-1]
        for level in reversed(range(len(features))):
            x = model.decode(level, affine_map(statistics(x[0]), taken[level])(x), skips[level])
        height, width = content.shape[:2]
        result = (np.clip(x[0, :height, :width], 0, 1) * PEAK).astype(np.uint8)
        return cv2.ximgproc.guidedFilter(content, result, RADIUS, EPSILON)

    return stylize


def ours(model):
    """This project's pipeline, as a function of content and style."""
    from common.stylize import Stylizer

    stylizer = Stylizer(model)
    return lambda content, style: stylizer.apply(content, stylizer.analyze(style))


def measure(backbone, size, way, checkpoint):
    """Measure in this process and print the figures as JSON."""
    cli.import_backend()
    model = importlib.import_module(f"{backbone}_backbone.student").load(checkpoint)
    stylize = {"plain": plain, "ours": ours}[way](model)
    content, style = photos(*map(int, size.split("x")))
    seconds = []
    for _ in range(1 + LATER_CALLS):
        begin = time.perf_counter()
        stylize(content, style)
        seconds.append(time.perf_counter() - begin)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    print(json.dumps({"first": seconds[0], "later": min(seconds[1:]), "peak": peak}))


def measured(*arguments):
    """`measure` in a process of its own, or None where it did not come to an end."""
    command = [sys.executable, "-m", "tests.benchmarks.stylize", "--one", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def row(name, figures, baseline=None):
    """A line of the table; ratios are of the baseline's figure to this one's."""
    if figures is None:
        return f"{name:32} does not fit in memory"
    ratio = baseline and {key: baseline[key] / figures[key] for key in figures}
    cells = (f"{figures[key]:7.2f}" + (f" ({ratio[key]:4.1f}x)" if ratio else " " * 8) for key in figures)
    return f"{name:32}" + "  ".join(cells)


def main():
    parser = cli.parser(__doc__)
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="WxH", help="default: %(default)s")
    parser.add_argument("--checkpoint", nargs="+", default=[], metavar="BACKBONE=PATH", help="default: those in ckpts/")
    parser.add_argument(
        "--pruned", nargs="+", default=[], metavar="BACKBONE=PATH", help="what common.pruning made of it: a row of its own"
    )
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        *what, checkpoint = options.one
        return measure(*what, checkpoint or None)
    checkpoints, pruned = (dict(pair.split("=", 1) for pair in pairs) for pairs in (options.checkpoint, options.pruned))
    print(f"{'':32}first call / s   later call / s   peak memory / GB")
    for backbone in ("vgg", "mobilenet"):
        for size in options.sizes:
            given = checkpoints.get(backbone, "")
            rows = [("plain", given), ("ours", given)]
            if backbone in pruned:
                rows.append(("ours", pruned[backbone]))
            baseline = None
            for way, checkpoint in rows:
                fits = (backbone, size, way) not in TOO_LARGE
                figures = measured(backbone, size, way, checkpoint) if fits else None
                name = f"{way} pruned" if checkpoint != given else way
                print(row(f"{backbone} {size} {name}", figures, baseline), flush=True)
                baseline = figures if way == "plain" else baseline
    return 0


if __name__ == "__main__":
    sys.exit(main())
