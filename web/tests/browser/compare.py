"""Compare what the page made with what the Python package makes.

python web/tests/browser/compare.py BACKBONE TRANSFORM CONTENT STYLE PNG LOOK, in the checkout.
Prints, in dB, how near the page's PNG is to the command's, and its look, applied by Python, to the PNG.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, ".")
from common.look import Look


def main(backbone, transform, content, style, page_png, page_look):
    with tempfile.TemporaryDirectory() as folder:
        expected = Path(folder, "expected.png")
        command = [sys.executable, "-m", f"{backbone}_backbone.stylize", content, style, "-o", expected]
        subprocess.run([*command, "--transform", transform], check=True, stdout=subprocess.DEVNULL)
        page = pixels(page_png)
        print(psnr(page, pixels(expected)), psnr(page, Look.load(page_look).apply(pixels(content))))


def pixels(path):
    return np.asarray(Image.open(path).convert("RGB"))


def psnr(first, second):
    error = np.mean(np.square(first.astype(float) - second))
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


if __name__ == "__main__":
    main(*sys.argv[1:])
