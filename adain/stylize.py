"""Paint a photo in the style of another image, with a compact AdaIN network.

python -m adain.stylize content.jpg style.jpg -o result.jpg
python -m adain.stylize holiday/ style.jpg -o painted/ --strength 0.6

This is artistic transfer: the style's texture is taken over as well as its colours, and edges are redrawn. What keeps the
photo a photo is `pcakd stylize`. The network sees all pixels, tile by tile, so textures are as large as in the style image.
"""

import sys
from pathlib import Path

import numpy as np

from adain import BASELINE
from common.commands import cli
from common.commands.results import (
    RESULT_MARK,
    add_folder_options,
    for_each,
    output_path,
    require_folder_options,
    require_free,
)
from common.commands.training_options import positive
from common.network.keras_backend import import_backend
from common.photos import photo_paths, pixels_of, read_photo, recoloured, require_photo, shrink_to_side, write_photo

# Of memory, for the feature and what it becomes.
BYTES_PER_PIXEL = 300


def main(arguments=None):
    """Run the command and give its exit status."""
    parser = cli.parser(__doc__)
    option = parser.add_argument
    option("content", type=Path, metavar="CONTENT", help="a photo, or a folder of photos")
    option("style", type=Path, metavar="STYLE", help="the image whose texture and colours to take")
    option(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help=f"where to write: for a folder of contents a folder (default: NAME{RESULT_MARK}.EXT beside the content)",
    )
    option("--checkpoint", type=Path, default=BASELINE, metavar="FILE.npz", help="the network (default: the project's own)")
    option(
        "--strength",
        type=cli.fraction,
        default=1.0,
        metavar="0..1",
        help="0 gives the content as the network reconstructs it, 1 (default) the full style",
    )
    option(
        "--style-size",
        type=positive,
        default=512,
        metavar="SIDE",
        help="longer side that the style is shrunk to, in pixels: it sets how coarse its texture is (default: %(default)s)",
    )
    option("--overwrite", action="store_true", help="replace results that are there")
    add_folder_options(parser)
    return cli.report_errors(stylize, parser.parse_args(arguments))


def stylize(options):
    """Do what `options` ask for; 1 where a photo of a folder failed, else 0."""
    is_folder = options.content.is_dir()
    require_folder_options(options, is_folder)
    require_photo(options.style)
    contents = photos_in(options.content) if is_folder else [options.content]
    if is_folder and options.output:
        options.output.mkdir(parents=True, exist_ok=True)
    outputs = [output_path(content, options.output, is_folder) for content in contents]

    def require(content, output):
        require_photo(content)
        require_free(output, options.overwrite)

    if not is_folder:
        require(contents[0], outputs[0])
    style = shrink_to_side(pixels_of(options.style), options.style_size)
    import_backend()
    from adain import weights

    network = weights.load(options.checkpoint)

    def paint(pixels):
        return np.round(255 * network.stylize(pixels, style, options.strength)).astype(np.uint8)

    def work(content, output):
        write_photo(recoloured(read_photo(content), paint), output)
        return 0

    return (
        for_each(work, contents, outputs, require, options, BYTES_PER_PIXEL) if is_folder else work(contents[0], outputs[0])
    )


def photos_in(folder):
    """Photos in `folder` without the results of earlier runs."""
    return [path for path in photo_paths(folder) if not path.stem.endswith(RESULT_MARK)]


if __name__ == "__main__":
    sys.exit(main())
