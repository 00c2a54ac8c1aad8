"""Write the numbers that the page's mathematics is tested against: python web/tests/unit/write_numbers.py, in the checkout.

They are what the Python package makes of small random inputs. numbers.json is committed, so that the tests need no Python.
"""

import json
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

from common.grading import descriptor  # noqa: E402
from common.grading import lut as luts  # noqa: E402
from common.network.onnx_network import high_frequencies  # noqa: E402
from common.photos import pad_to_multiple, shrink_to_side  # noqa: E402
from common.transfer import Look  # noqa: E402
from common.transfer.transforms import TRANSFORMS, Statistics, affine_map, statistics  # noqa: E402


def main():
    random = np.random.default_rng(23)
    numbers = {
        "highFrequencies": of_high_frequencies(random),
        "pad": of_padding(random),
        "shrink": of_shrinking(random),
        "statistics": of_statistics(random),
        "affineMaps": of_affine_maps(random),
        "look": of_looks(random),
        "descriptor": of_descriptors(random),
        "rising": of_luts(random),
    }
    (HERE / "numbers.json").write_text(json.dumps(numbers, separators=(",", ":")) + "\n")


def of_high_frequencies(random):
    x = random.random((1, 4, 5, 2), np.float32).round(3)
    return {"feature": array(x[0]), "result": array(high_frequencies(x)[0])}


def of_padding(random):
    x = random.random((3, 5, 2), np.float32).round(3)
    return {"feature": array(x), "stride": 8, "result": array(pad_to_multiple(x, 8))}


def of_shrinking(random):
    pixels = random.integers(0, 256, (23, 37, 3), np.uint8)
    return {"pixels": array(pixels), "side": 16, "result": array(shrink_to_side(pixels, 16))}


def of_statistics(random):
    feature = (50 + random.standard_normal((5, 7, 4))).astype(np.float32).round(3)
    mean, covariance = statistics(feature)
    return {"feature": array(feature), "mean": array(mean), "covariance": array(covariance)}


def of_affine_maps(random):
    content, style = (gaussian(random, 6) for _ in range(2))
    maps = {name: affine_map(content, style, name) for name in TRANSFORMS}
    return {
        "content": {name: array(value) for name, value in content._asdict().items()},
        "style": {name: array(value) for name, value in style._asdict().items()},
        "maps": {name: {"matrix": array(m.matrix), "offset": array(m.offset)} for name, m in maps.items()},
    }


def gaussian(random, channels):
    mean, samples = random.standard_normal(channels), 3 * random.standard_normal((channels, 2 * channels))
    return Statistics(mean.round(3), np.cov(samples).round(3))


def of_looks(random):
    content = smooth(random, (24, 37))
    result = np.clip(content[..., ::-1] ** 1.5 + 0.1, 0, 1).astype(np.float32).round(3)
    look = Look.fit(content, result, cells=6)
    return {"content": array(content), "result": array(result), "cells": 6, "grid": array(look.grid)}


def of_descriptors(random):
    content, style = smooth(random, (16, 16)), smooth(random, (16, 16)) ** 2
    first, second = (descriptor.moments(x[None]) for x in (content, style))
    return {
        "content": array(content),
        "style": array(style),
        "statistics": array(descriptor.statistics(content[None])[0]),
        "moments": array(first[0]),
        "transport": array(descriptor.transport(first, second)[0]),
    }


def of_luts(random):
    lut = luts.identity(4) + (0.5 * random.standard_normal((4, 4, 4, 3))).astype(np.float32).round(3)
    return {"lut": array(lut), "result": array(luts.rising(lut))}


def smooth(random, size):
    """A picture of low frequencies, as photos are."""
    y, x = np.meshgrid(*(np.linspace(0, 3, side) for side in size), indexing="ij")
    waves = [np.sin(a * y + b * x + c) for a, b, c in random.uniform(0, 3, (3, 3))]
    return (0.5 + 0.5 * np.stack(waves, axis=-1)).astype(np.float32).round(3)


def array(values):
    """An array as JSON: its shape and its numbers."""
    return {"shape": values.shape, "values": [float(f"{value:.7g}") for value in values.ravel()]}


if __name__ == "__main__":
    main()
