"""Our own students give the pictures that they gave before, with either engine.

tests/references/ holds a content and a style (`city_content.jpg` and `city_style.jpg` of notebooks/photos, 144 pixels
wide) and the results. Where results are meant to change, this rewrites them:

    python -m pytest tests/transfer/test_references.py --rewrite-references
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.network import registry
from common.network.registry import BACKBONES
from common.photos import read_rgb
from common.transfer.stylizer import Stylizer
from common.transfer.transforms import TRANSFORMS

REFERENCES = Path(__file__).resolve().parents[1] / "references"
# What --paper stands for, and what is done without it.
WAYS = {"paper": {"finish": "guided", "size": None, "fit": "resize"}, "look": {}}
# In dB, of bytes: engines and versions may differ by the rounding of some pixels, and by no more.
SAME = 50


def psnr(first, second):
    error = np.mean((first.astype(float) - second.astype(float)) ** 2)
    return np.inf if error == 0 else 10 * np.log10(255**2 / error)


@pytest.fixture(scope="module", params=BACKBONES)
def engines(request):
    """The name of a shipped student, and what runs it."""
    keras_network = registry.student(request.param).load()
    return request.param, {"onnx": registry.load_network(request.param), "keras": keras_network}


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("way", WAYS)
def test_results_are_those_of_before(engines, way, transform, request):
    name, networks = engines
    path = REFERENCES / f"{name}_{way}_{transform}.png"
    content, style = (read_rgb(REFERENCES / f"{part}.png") for part in ("content", "style"))
    results = {}
    for engine, network in networks.items():
        stylizer = Stylizer(network, transform, **WAYS[way])
        results[engine] = stylizer.apply(content, stylizer.analyze(style))
    if request.config.getoption("--rewrite-references"):
        Image.fromarray(results["onnx"]).save(path, optimize=True)
    for engine, result in results.items():
        assert psnr(result, read_rgb(path)) >= SAME, engine


def test_references_tell_results_apart():
    """Any two of them differ by far more than one may differ from itself."""
    pictures = {path.stem: read_rgb(path) for path in REFERENCES.glob("*_*.png")}
    assert len(pictures) == len(BACKBONES) * len(WAYS) * len(TRANSFORMS)
    for name, picture in pictures.items():
        for other, another in pictures.items():
            if name != other and picture.shape == another.shape:
                assert psnr(picture, another) < SAME - 10, (name, other)


def test_references_are_small():
    assert sum(path.stat().st_size for path in REFERENCES.iterdir()) < 400_000
