"""Make style images for training from photos: procedural textures, and photos that are graded or posterised.

python -m adain.make_styles photos/ -o styles/ --count 400

They take the place of paintings, which they are not. A third of each kind, JPEG files of 256x256 pixels; the same seed makes
the same ones.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from common.commands import cli
from common.commands.training_options import positive
from common.files import require_new_folder
from common.photos import photo_paths, read_rgb, write_photo

SIDE = 256
# Colours of a palette.
COLOURS = 6


def waves(random):
    """Stripes of two or three directions and wavelengths, bent by noise."""
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    bend = noise(random, random.integers(2, 5))
    total = np.zeros((SIDE, SIDE))
    for _ in range(random.integers(1, 4)):
        angle, count = random.uniform(0, np.pi), random.uniform(4, 30)
        total += np.sin(2 * np.pi * count * (x * np.cos(angle) + y * np.sin(angle)) + random.uniform(0, 6) * bend)
    return total


def noise(random, octaves=6):
    """Noise of several octaves, each twice as fine as the one before and about half as strong."""
    total = np.zeros((SIDE, SIDE))
    for octave in range(octaves):
        grid = random.normal(size=(2 ** (octave + 1) + 1,) * 2)
        total += cv2.resize(grid, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) * 0.6**octave
    return total


def strokes(random):
    """Noise smeared along a field of directions, like hair or brushwork."""
    angle = np.pi * noise(random, 2)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    grain = random.normal(size=(SIDE, SIDE)).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), random.uniform(0.5, 2.5))
    total = np.zeros_like(grain)
    for step in np.linspace(-1, 1, 17) * random.uniform(5, 20):
        columns, rows = (x + step * np.cos(angle)).astype(np.float32), (y + step * np.sin(angle)).astype(np.float32)
        total += cv2.remap(grain, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return total


def cells(random):
    """Distance to the nearest of some points: stones, scales, mosaics."""
    points = random.integers(0, SIDE, (random.integers(20, 200), 2))
    image = np.full((SIDE, SIDE), 255, np.uint8)
    image[points[:, 0], points[:, 1]] = 0
    if random.random() < 0.5:  # flat ones instead
        _, labels = cv2.distanceTransformWithLabels(image, cv2.DIST_L2, 5)
        return random.normal(size=labels.max() + 1)[labels]
    return np.sqrt(cv2.distanceTransform(image, cv2.DIST_L2, 5))


TEXTURES = (waves, noise, strokes, cells)


def texture(random, photo):
    """One of `TEXTURES` in colours of a photo, uint8 `(SIDE, SIDE, 3)`."""
    values = TEXTURES[random.integers(len(TEXTURES))](random)
    pixels = photo.reshape(-1, 3)
    palette = pixels[random.integers(len(pixels), size=COLOURS)].astype(np.float32)
    palette = palette[np.argsort(palette.sum(1))] if random.random() < 0.5 else palette
    ranks = np.argsort(np.argsort(values, axis=None)).reshape(values.shape) / values.size * (COLOURS - 1)
    return (
        np.stack([np.interp(ranks, np.arange(COLOURS), channel) for channel in palette.T], axis=-1).round().astype(np.uint8)
    )


def graded(random, photo):
    """A photo with a strong curve, gain and saturation."""
    x = photo.astype(np.float32) / 255
    x = np.clip(x * random.uniform(0.5, 1.6, 3), 0, 1) ** random.uniform(0.5, 2)
    grey = x.mean(-1, keepdims=True)
    return (255 * np.clip(grey + (x - grey) * random.uniform(0, 2), 0, 1)).astype(np.uint8)


def posterised(random, photo):
    """A graded photo of few colours, its details smoothed away."""
    smooth = cv2.bilateralFilter(graded(random, photo), 9, 60, 9)
    image = Image.fromarray(smooth).quantize(int(random.integers(4, 13)), dither=Image.Dither.NONE)
    return np.asarray(image.convert("RGB"))


KINDS = {"texture": texture, "graded": graded, "posterised": posterised}


def style(random, photo):
    """A kind of style and its image, from a photo, uint8 `(height, width, 3)` of `SIDE` pixels at least."""
    scale = SIDE / min(photo.shape[:2])
    height, width = (max(SIDE, round(scale * side)) for side in photo.shape[:2])
    photo = cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)[:SIDE, :SIDE]
    kind = list(KINDS)[random.integers(len(KINDS))]
    return kind, KINDS[kind](random, photo)


def make_styles(options):
    """Do what `options` ask for."""
    paths = photo_paths(options.photos)
    require_new_folder(options.output)
    options.output.mkdir(parents=True, exist_ok=True)
    from tqdm import tqdm

    for index in tqdm(range(options.count), unit="style", disable=None):
        random = np.random.default_rng([options.seed, index])
        kind, image = style(random, read_rgb(paths[random.integers(len(paths))]))
        write_photo(Image.fromarray(image), options.output / f"{index:04}_{kind}.jpg")


def main(arguments=None):
    """Run the command and give its exit status."""
    parser = cli.parser(__doc__)
    option = parser.add_argument
    option("photos", type=Path, metavar="PHOTOS", help="folder of photos to take colours and scenes from")
    option("-o", "--output", type=Path, required=True, metavar="STYLES", help="a new folder for the styles")
    option("--count", type=positive, default=400, metavar="N", help="default: %(default)s")
    option("--seed", type=int, default=0, metavar="S", help="default: %(default)s")
    return cli.report_errors(make_styles, parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
