"""The command `stylize`: photos and films in, photos and films in the light and colour of a photo out."""

import argparse
import functools
from pathlib import Path

from threadpoolctl import threadpool_limits

from common.commands import cli, region_options, stylize_films
from common.commands.results import add_folder_options, contents_of, for_each, output_path
from common.commands.stylize_files import asked_style, require_content, required_settings, stylize_file
from common.commands.stylize_on_ray import stylize_on_ray
from common.errors import InputError
from common.photos.films import is_film
from common.transfer.network_pass import SIZE, SMALLEST_SIZE
from common.transfer.stylizer import DEFAULT_PRESET, FINISHES, FITS, PRESETS, Stylizer
from common.transfer.transforms import TRANSFORMS


def main(backbone, doc, arguments=None):
    """Run the command and give its exit status.

    Args:
        backbone: name of the network's.
        doc: docstring of the entry point.
        arguments: the command line, by default that of the process.
    """
    parser = cli.parser(doc)
    add_options(parser)
    return cli.report_errors(stylize_photos, parser.parse_args(arguments), backbone)


def add_options(parser):
    """Give a parser the command's options."""
    option = parser.add_argument
    option("content", type=cli.path_or_url, metavar="CONTENT", help="a photo, or a folder of photos")
    option(
        "style",
        type=cli.path_or_url,
        metavar="STYLE",
        help="the photo whose light and colour to take, or a saved style (.npz)",
    )
    option(
        "-o",
        "--output",
        type=cli.path_or_url,
        metavar="OUT",
        help="where to write: for a folder of contents a folder (default: NAME.stylized.EXT beside the content)",
    )
    option(
        "--mix",
        type=weighted_path,
        nargs="+",
        default=[],
        metavar="PHOTO=WEIGHT",
        help="mix the style with those of other photos or saved styles; STYLE itself weighs 1",
    )
    option("--model", choices=("student", "teacher"), default="student", help="default: %(default)s")
    option(
        "--checkpoint",
        metavar="PATH",
        help="its weights, by default those in ckpts/: one of the project's checkpoints (.onnx.zip, .weights.h5) or a "
        "folder with the paper's sencoder and sdecoder; for the teacher its pretrained weights. All but .onnx.zip need "
        "TensorFlow",
    )
    option("--transform", choices=TRANSFORMS, help="default: shrinkage, or zca, the paper's, with --grade 0")
    option(
        "--strength",
        type=cli.fraction,
        default=1.0,
        metavar="0..1",
        help="0 keeps the content's look, 1 (default) takes the style's",
    )
    option(
        "--finish",
        choices=FINISHES,
        help="look (default): the result of a copy as a grid of colour maps, applied to all pixels; guided: the paper's "
        "guided filter; none: the network's result as it is. The last two enlarge the result of a copy",
    )
    option(
        "--size",
        type=size,
        metavar="SIDE",
        help=f"longer side, in pixels, of the copies of both photos that the network sees; full: all (default: {SIZE})",
    )
    option(
        "--fit",
        choices=FITS,
        help="pad (default) keeps the content's size; resize shrinks both photos to a multiple of the network's stride",
    )
    region_options.add_options(parser)
    dial = parser.add_mutually_exclusive_group()
    dial.add_argument(
        "--grade",
        type=cli.fraction,
        metavar="0..1",
        help="how much of the result is a predicted grade, one colour map for the whole photo, which takes over less of the "
        "style and none of its scene: 0 is the network alone, 1 the grade alone",
    )
    dial.add_argument(
        "--preset",
        choices=PRESETS,
        help="a grade by name: "
        + ", ".join(f"{name} {share:g}" for name, share in PRESETS.items())
        + f" (default: {DEFAULT_PRESET})",
    )
    option(
        "--paper",
        action="store_true",
        help="as the paper's notebooks do: --grade 0 --finish guided --size full --fit resize",
    )
    option("--save-style", type=Path, metavar="FILE", help="write the measured style too, a .npz file")
    option("--save-look", type=Path, metavar="FILE", help="write the look of the photo too, a .npz file")
    option(
        "--lut",
        type=Path,
        metavar="FILE.cube",
        help="write the look as a 3D LUT for other programs too, and say how near it comes; with --grade 1 it is exact",
    )
    option("--overwrite", action="store_true", help="replace results that are there")
    add_folder_options(parser)
    option(
        "--ray",
        metavar="ADDRESS",
        help="stylise a folder on a Ray cluster: local starts one on this machine, auto or HOST:PORT joins one. CONTENT, "
        "STYLE and OUT may be URLs that fsspec knows then, such as s3://bucket/holiday",
    )
    stylize_films.add_options(parser)


def weighted_path(text):
    """A path or a URL and a weight, of PATH=WEIGHT, for argparse."""
    path, equals, weight = text.rpartition("=")
    try:
        weight = float(weight)
    except ValueError:
        weight = -1.0
    if not equals or not 0 <= weight < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not PHOTO=WEIGHT, a weight being a number from 0 on")
    return cli.path_or_url(path), weight


def size(text):
    """A number of pixels, or "full", for argparse."""
    if text == "full":
        return text
    if not text.isdecimal() or int(text) < SMALLEST_SIZE:
        raise argparse.ArgumentTypeError(f"{text} is neither full nor a number of pixels from {SMALLEST_SIZE} on")
    return int(text)


@threadpool_limits.wrap(limits=1, user_api="blas")
def stylize_photos(options, backbone):
    """Stylise what `options` names with the network of a backbone. What can be checked is checked before it is loaded.

    BLAS gets one thread: waiting for work, its others take the cores from ONNX Runtime's.

    Returns:
        1 where a photo or film of a folder failed, else `stylize_films.BROKEN_OFF` where a film broke off, else 0.
    """
    if options.ray is not None:
        return stylize_on_ray(options, backbone)
    require_local(options)
    is_folder, film = options.content.is_dir(), is_film(options.content)
    settings = required_settings(options, is_folder, is_folder or film)
    contents = contents_of(options.content) if is_folder else [options.content]
    if is_folder and options.output:
        options.output.mkdir(parents=True, exist_ok=True)
    outputs = [output_path(content, options.output, is_folder) for content in contents]
    if not is_folder:
        require_content(options.content, outputs[0], options, settings)

    from common.network.registry import load_network

    network = load_network(backbone, options.model, options.checkpoint)
    mask, content_regions, style_regions = region_options.masks_of(options)
    style = asked_style(Stylizer(network, **settings), options, style_regions)

    def stylize(content, output):
        return stylize_file(network, settings, style, options, content, output, mask, content_regions)

    if not is_folder:
        return stylize(options.content, outputs[0])
    require = functools.partial(require_content, options=options, settings=settings)
    if settings["size"] is None:
        return for_each(stylize, contents, outputs, require, options, network.bytes_per_pixel)
    return for_each(stylize, contents, outputs, require, options)


def require_local(options):
    """Raise `InputError` where a photo is named by a URL, which goes with --ray alone."""
    for place in (options.content, options.style, options.output, *(place for place, _ in options.mix)):
        if isinstance(place, str):
            raise InputError(f"{place}: URLs go with --ray")
