"""The command `stylize`: photos and films in, photos and films in the light and colour of a photo out."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from common.commands import cli, stylize_films
from common.errors import InputError
from common.files import require_absent, require_room
from common.photos import photo_paths, require_photo, require_writable, write_photo
from common.photos.films import FILMS, is_film
from common.transfer.film import FILM_SIZE
from common.transfer.style import Style
from common.transfer.stylizer import FINISHES, FITS, SIZE, SMALLEST_SIZE, Stylizer
from common.transfer.transforms import TRANSFORMS

# What a result's name has before its suffix where no other name is asked for.
RESULT_MARK = ".stylized"
# A style that was measured and saved has a name that ends so.
SAVED = ".npz"


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
    option("content", type=Path, metavar="CONTENT", help="a photo or a film, or a folder of them")
    option("style", type=Path, metavar="STYLE", help="the photo whose light and colour to take, or a saved style (.npz)")
    option(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="where to write: for a folder of contents a folder (default: NAME.stylized.EXT beside the content)",
    )
    option("--model", choices=("student", "teacher"), default="student", help="default: %(default)s")
    option(
        "--checkpoint",
        metavar="PATH",
        help="its weights, by default those in ckpts/: one of the project's checkpoints (.onnx.zip, .weights.h5) or a "
        "folder with the paper's sencoder and sdecoder; for the teacher its pretrained weights. All but .onnx.zip need "
        "TensorFlow",
    )
    option("--transform", choices=TRANSFORMS, default="zca", help="default: %(default)s")
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
        help=f"longer side, in pixels, of the copies of both photos that the network sees; full: all (default: {SIZE}, "
        f"for films {FILM_SIZE})",
    )
    option(
        "--fit",
        choices=FITS,
        help="pad (default) keeps the content's size; resize shrinks both photos to a multiple of the network's stride",
    )
    option("--paper", action="store_true", help="as the paper's notebooks do: --finish guided --size full --fit resize")
    option("--save-style", type=Path, metavar="FILE", help="write the measured style too, a .npz file")
    option("--save-look", type=Path, metavar="FILE", help="write the look of the photo too, a .npz file")
    option("--overwrite", action="store_true", help="replace results that are there")
    stylize_films.add_options(parser)


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
    is_folder = options.content.is_dir()
    settings = stylizer_settings(options)
    if options.model == "teacher" and not options.checkpoint:
        raise InputError("--model teacher needs --checkpoint: its pretrained weights, a .npz file or imagenet")
    if options.save_look and (is_folder or is_film(options.content)):
        raise InputError("--save-look takes one photo, not a folder or a film: each picture has a look of its own")
    if options.save_look and settings["finish"] != "look":
        raise InputError(f"--save-look goes with --finish look, not with {settings['finish']}")
    if options.style.suffix != SAVED:
        require_photo(options.style)
    contents = contents_of(options.content) if is_folder else [options.content]
    if is_folder and options.output:
        options.output.mkdir(parents=True, exist_ok=True)
    outputs = [output_path(content, options.output, is_folder) for content in contents]
    if not is_folder:
        require_content(options.content, outputs[0], options, settings)
    if options.save_style and options.save_style == options.save_look:
        raise InputError(f"--save-style and --save-look both name {options.save_look}")
    for path in filter(None, (options.save_style, options.save_look)):
        if path.suffix != SAVED:
            raise InputError(f"{path}: the name has to end in {SAVED}")
        require_room(path)
        require_absent(path, options.overwrite)

    from common.network.registry import load_network

    network = load_network(backbone, options.model, options.checkpoint)
    if not is_folder and is_film(options.content):
        settings["size"] = film_size(options, settings)
    stylizer = Stylizer(network, **settings)
    saved = options.style.suffix == SAVED
    style = Style.load(options.style) if saved else stylizer.analyze(options.style)
    status = 0
    if not is_folder:
        status = stylize_content(stylizer, options.content, style, outputs[0], options)
        if options.save_look:
            stylizer.look(options.content, style, options.strength).save(options.save_look)
    if options.save_style:
        style.save(options.save_style)
    if not is_folder:
        return status
    film_stylizer = Stylizer(network, **settings | {"size": film_size(options, settings)})
    return stylize_folder(stylizer, film_stylizer, style, list(zip(contents, outputs, strict=True)), options, settings)


def stylize_folder(stylizer, film_stylizer, style, pairs, options, settings):
    """Stylise each (content, output) of `pairs`; what is no good is named and passed over. Gives the exit status."""
    statuses = set()
    for content, output in tqdm(pairs, unit="file"):
        try:
            require_content(content, output, options, settings)
            statuses.add(stylize_content(film_stylizer if is_film(content) else stylizer, content, style, output, options))
        except InputError as error:
            tqdm.write(f"error: {cli.message(error)}", file=sys.stderr)
            statuses.add(1)
    return 1 if 1 in statuses else max(statuses, default=0)


def require_content(content, output, options, settings):
    """Raise `InputError` where `content` is no photo or film, or its result cannot be written to `output`."""
    if is_film(content):
        stylize_films.require_film_settings(settings)
        stylize_films.require_film(content, output, options.codec)
        require_absent(output, options.overwrite)
    else:
        require_photo(content)
        require_free(output, options.overwrite)


def stylize_content(stylizer, content, style, output, options):
    """Stylise one photo or film, and give the exit status."""
    if is_film(content):
        return stylize_films.stylize_film(stylizer, content, style, output, options)
    write_photo(stylizer.apply(content, style, options.strength), output)
    return 0


def film_size(options, settings):
    """The size that a `Stylizer` of films is to have."""
    return settings["size"] if options.size else FILM_SIZE


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
    settings = {name: getattr(options, name) or value for name, value in defaults.items()}
    return settings | {"transform": options.transform, "size": None if settings["size"] == "full" else settings["size"]}


def contents_of(folder):
    """Photos and films in `folder` without the results of earlier runs."""
    return [path for path in photo_paths(folder, also=FILMS) if not path.stem.endswith(RESULT_MARK)]


def output_path(content, output, is_folder):
    """Where the result of `content` goes; `output` is the option of that name."""
    name = content.name
    if is_film(content):
        name = content.stem + stylize_films.film_output_ending(content)
    if output is None:
        stem, ending = name.rpartition(".")[::2]
        return content.with_name(f"{stem}{RESULT_MARK}.{ending}")
    return output / name if is_folder else output


def require_free(path, overwrite):
    """Raise `InputError` where a result cannot be written to `path`, or something is there that may not be replaced."""
    require_writable(path)
    require_absent(path, overwrite)
