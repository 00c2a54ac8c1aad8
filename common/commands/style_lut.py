"""A style as a 3D LUT without a content: the one that comes nearest to its looks on reference photos.

pcakd lut style.jpg -o style.cube --reference photos/
"""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from common.commands.stylize_files import CUBE, style_of
from common.commands.training_options import positive, random_subset
from common.errors import InputError
from common.files import require_absent, require_room
from common.grading import lut as luts
from common.grading import lut_fit
from common.grading.cube import write_cube
from common.photos import as_floats, photo_paths, read_rgb, shrink_to_side
from common.transfer.stylizer import DEFAULT_PRESET, PRESETS, Stylizer

# Longer side, in pixels, of the copies of reference photos.
SIDE = 256


def add_options(parser):
    """Give a parser the command's options."""
    option = parser.add_argument
    option("style", type=Path, metavar="STYLE", help="a photo, or a saved style (.npz)")
    option("-o", "--output", type=Path, required=True, metavar="FILE.cube", help="where to write")
    option("--reference", type=Path, required=True, metavar="DIR", help="photos like those that the LUT is meant for")
    option("--limit", type=positive, default=50, metavar="N", help="use this many, drawn at random (default: %(default)s)")
    option("--preset", choices=PRESETS, default=DEFAULT_PRESET, help="default: %(default)s")
    option("--size", type=positive, default=33, metavar="NODES", help="a side, one more than a multiple of 4 (%(default)s)")
    option("--overwrite", action="store_true", help="replace what is there")


def write_style_lut(options):
    """Fit and write the LUT that `options` ask for."""
    if options.output.suffix != CUBE:
        raise InputError(f"{options.output}: the name has to end in {CUBE}")
    if not 5 <= options.size <= luts.LARGEST_SIZE or options.size % 4 != 1:
        raise InputError(f"--size: {options.size} is not one more than a multiple of 4, from 5 to {luts.LARGEST_SIZE}")
    require_room(options.output)
    require_absent(options.output, options.overwrite)
    paths = random_subset(photo_paths(options.reference), options.limit, seed=0)

    from common.network.registry import load_network

    stylizer = Stylizer(load_network(options.backbone), grade=PRESETS[options.preset])
    style = style_of(stylizer, options.style)
    contents, results = [], []
    for path in tqdm(paths, unit="photo", disable=None):
        photo = read_rgb(path)
        look = stylizer.look(photo, style)
        copy = as_floats(shrink_to_side(photo, SIDE))
        contents.append(copy.reshape(-1, 3))
        results.append(look.recolour(copy).reshape(-1, 3))
    lut = lut_fit.fit(np.concatenate(contents), np.concatenate(results), options.size)
    write_cube(lut, options.output, f"{options.style.stem}, {options.preset}")
    errors = [error_of(lut, *pair) for pair in zip(contents, results, strict=True)]
    print(
        f"{options.output}: {np.mean(errors):.1f} dB from the looks of {len(paths)} photos on average, {min(errors):.1f} dB "
        "on the worst; what a look does to one place alone no LUT can hold"
    )


def error_of(lut, content, result):
    """PSNR in dB of a LUT against a result, `(pixels, 3)` each."""
    return -10 * np.log10(max(np.square(luts.apply(lut, content) - result).mean(), 1e-10))
