"""Compare what the page made with what the Python package makes, in the checkout. Prints signal to noise ratios in dB.

python web/tests/browser/compare.py transfer BACKBONE TRANSFORM CONTENT STYLE PNG LOOK
    The page's PNG and the command's; the page's PNG and the page's look, applied by Python.
python web/tests/browser/compare.py look CONTENT PNG LOOK
    The page's PNG and the page's look, applied by Python.
python web/tests/browser/compare.py grade CONTENT STYLE PNG CUBE
    The page's PNG at the natural end and Python's grade; the page's PNG and the page's LUT, applied by Python.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, ".")
from common.grading import lut as luts
from common.grading.cube import read_cube
from common.grading.runtime import GradePredictor
from common.transfer import Look


def transfer(backbone, transform, content, style, page_png, page_look):
    with tempfile.TemporaryDirectory() as folder:
        expected = Path(folder, "expected.png")
        command = [sys.executable, "-m", f"{backbone}_backbone.stylize", content, style, "-o", expected]
        subprocess.run([*command, "--transform", transform], check=True, stdout=subprocess.DEVNULL)
        page = pixels(page_png)
        print(psnr(page, pixels(expected)), psnr(page, Look.load(page_look).apply(pixels(content))))


def look(content, page_png, page_look):
    print(psnr(pixels(page_png), Look.load(page_look).apply(pixels(content))))


def grade(content, style, page_png, page_cube):
    predictor = GradePredictor.load()
    content, style, page = (pixels(path) for path in (content, style, page_png))
    lut = predictor.lut(predictor.describe(content), predictor.describe(style))
    print(psnr(page, luts.apply(lut, content)), psnr(page, luts.apply(read_cube(page_cube), content)))


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def psnr(first, second):
    error = np.mean(np.square(first.astype(float) - second))
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


if __name__ == "__main__":
    {"transfer": transfer, "look": look, "grade": grade}[sys.argv[1]](*sys.argv[2:])
