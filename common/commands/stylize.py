"""The command `stylize`: photos and films in, photos and films in the light and colour of a photo out."""

import argparse
import functools
from pathlib import Path

import numpy as np

from common.commands import cli, region_options, stylize_films
from common.commands.results import (
    add_folder_options,
    contents_of,
    for_each,
    output_path,
    require_folder_options,
    require_free,
)
from common.errors import InputError
from common.files import require_absent, require_room
from common.grading import lut as luts
from common.grading.cube import write_cube
from common.photos import flatten, read_photo, recoloured, require_photo, write_photo
from common.photos.films import is_film
from common.transfer.film import FILM_SIZE
from common.transfer.network_pass import SIZE, SMALLEST_SIZE
from common.transfer.regions import feathered, masked
from common.transfer.style import Style
from common.transfer.stylizer import DEFAULT_PRESET, FINISHES, FITS, PRESETS, Stylizer
from common.transfer.transforms import TRANSFORMS

# A style that was measured and saved has a name that ends so, and so has a LUT.
SAVED, CUBE = ".npz", ".cube"


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


def stylize_photos(options, backbone):
    """Stylise what `options` names with the network of a backbone. What can be checked is checked before it is loaded.

    Returns:
        1 where a photo or film of a folder failed, else `stylize_films.BROKEN_OFF` where a film broke off, else 0.
    """
    if options.ray is not None:
        from common.commands.stylize_on_ray import stylize_on_ray  # it imports this module

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


def required_settings(options, is_folder, several):
    """`stylizer_settings`, where all that `options` ask for can be done.

    Args:
        is_folder: whether the content is one.
        several: whether it has more than one picture, as a film has too.

    Raises:
        InputError: options contradict each other, or the style is no photo.
    """
    settings = stylizer_settings(options)
    require_folder_options(options, is_folder)
    if options.model == "teacher" and not options.checkpoint:
        raise InputError("--model teacher needs --checkpoint: its pretrained weights, a .npz file or imagenet")
    for path in (options.style, *(path for path, _ in options.mix)):
        if path.suffix != SAVED:
            require_photo(path)
    require_extras(options, settings["finish"], several)
    region_options.require_regions(options, settings, several)
    return settings


def asked_style(stylizer, options, regions=None):
    """The style that `options` name, of regions where there are some, mixed, and saved where asked for."""
    style = style_of(stylizer, options.style, regions)
    if options.mix:
        others = [style_of(stylizer, path) for path, _ in options.mix]
        style = Style.mix([style, *others], [1.0, *(weight for _, weight in options.mix)])
    if options.save_style:
        style.save(options.save_style)
    return style


def stylize_file(network, settings, style, options, content, output, mask=None, regions=None):
    """Stylise a photo or a film; the exit status."""
    if is_film(content):
        of_films = Stylizer(network, **settings | {"size": settings["size"] if options.size else FILM_SIZE})
        return stylize_films.stylize_film(of_films, content, style, output, options)
    stylize_photo(Stylizer(network, **settings), style, options, content, output, mask, regions)
    return 0


def require_content(content, output, options, settings):
    """Raise `InputError` where `content` is no photo or film, or its result cannot be written to `output`."""
    if is_film(content):
        stylize_films.require_film_settings(settings)
        stylize_films.require_film(content, output, options.codec)
        require_absent(output, options.overwrite)
    else:
        require_photo(content)
        require_free(output, options.overwrite)


def style_of(stylizer, path, regions=None):
    """The style in a photo, of regions where there are some, or in a file of one that was saved."""
    return Style.load(path) if path.suffix == SAVED else stylizer.analyze(path, regions)


def require_extras(options, finish, several):
    """Raise `InputError` where what is to be saved beside the result cannot be: styles, looks, LUTs."""
    of_one_photo = {"--save-look": options.save_look, "--lut": options.lut}
    for name, path in of_one_photo.items():
        if path and several:
            raise InputError(f"{name} takes one photo, not a folder or a film: each picture has a look of its own")
        if path and finish != "look":
            raise InputError(f"{name} goes with --finish look, not with {finish}")
    if options.save_style and options.save_style == options.save_look:
        raise InputError(f"--save-style and --save-look both name {options.save_look}")
    for path, suffix in ((options.save_style, SAVED), (options.save_look, SAVED), (options.lut, CUBE)):
        if path:
            if path.suffix != suffix:
                raise InputError(f"{path}: the name has to end in {suffix}")
            require_room(path)
            require_absent(path, options.overwrite)


def stylize_photo(stylizer, style, options, photo, output, mask, regions):
    """Write the result of one photo, and what else is asked for of it."""
    content, look = read_photo(photo), None
    if options.save_look or options.lut or regions:
        look = stylizer.look(content, style, options.strength, regions, region_options.feather_of(options))
    if look is not None and stylizer.fit == "pad":
        recolour = look.recolour
    else:

        def recolour(pixels):
            return stylizer.apply(pixels, style, options.strength)

    write_photo(recoloured(content, masked_by(mask, options, recolour)), output)
    if options.save_look:
        look.save(options.save_look)
    if options.lut:
        write_lut(look, content, options.lut, f"{photo.stem} in the colours of {options.style.stem}")


def masked_by(mask, options, recolour):
    """`recolour`, a function of pixels, where a mask is white; where it is None, everywhere."""
    if mask is None:
        return recolour
    mask = feathered(mask, options.feather or 0)
    return lambda pixels: masked(pixels, recolour(pixels), mask)


def write_lut(look, content, path, title):
    """Write a look as a .cube file, and say how near the LUT alone comes to it on the photo."""
    lut = look.as_lut(content)
    write_cube(lut, path, title)
    content = np.asarray(flatten(content))
    result = look.recolour(content)
    difference = np.abs(luts.apply(lut, content).astype(np.float32) - result)
    decibels = 20 * np.log10(255 / max(np.sqrt(np.square(difference).mean()), 0.01))
    print(
        f"{path}: {decibels:.1f} dB from the look on this photo; half of the values differ by less than "
        f"{np.median(difference) + 1:.0f} of 255, 99 % by less than {np.percentile(difference, 99) + 1:.0f}"
    )


def stylizer_settings(options):
    """Keyword arguments of the `Stylizer` that `options` ask for.

    Raises:
        InputError: --paper contradicts another option.
    """
    defaults = {"finish": "look", "size": SIZE, "fit": "pad"}
    if options.paper:
        defaults = {"finish": "guided", "size": "full", "fit": "resize"}
        for name, value in defaults.items():
            if getattr(options, name) not in (None, value):
                raise InputError(f"--paper stands for --{name} {value}, not {getattr(options, name)}")
        if options.grade or PRESETS.get(options.preset):
            raise InputError("--paper stands for --grade 0, the network alone")
    settings = {name: getattr(options, name) or value for name, value in defaults.items()}
    grade = PRESETS[options.preset or DEFAULT_PRESET] if options.grade is None else options.grade
    return settings | {
        "transform": options.transform,
        "size": None if settings["size"] == "full" else settings["size"],
        "grade": 0.0 if options.paper else grade,
    }
