"""The command `stylize` of both backbones: photos in, photos in the light and colour of another out."""

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from common import cli, images
from common.errors import InputError
from common.files import require_absent

# What a result's name has before its suffix where no other name is asked for.
RESULT_MARK = ".stylized"
BYTE_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
# Seconds that a photo takes before its progress is shown.
PATIENCE = 2


def main(doc, load, arguments=None):
    """Run the command and give its exit status.

    Args:
        doc: docstring of the entry point.
        load: `(model, checkpoint) -> Autoencoder`; model is "student" or "teacher", checkpoint a path or None.
        arguments: the command line, by default that of the process.
    """
    return cli.report_errors(stylize_photos, command_parser(doc).parse_args(arguments), load)


def command_parser(doc):
    """The command's options."""
    result = cli.parser(doc)
    option = result.add_argument
    option("content", type=Path, metavar="CONTENT", help="a photo, or a folder of photos")
    option("style", type=Path, metavar="STYLE", help="the photo whose light and colour to take")
    option(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        help="where to write: a photo, for a folder of contents a folder (default: NAME.stylized.EXT beside the content)",
    )
    option("--model", choices=("student", "teacher"), default="student", help="default: %(default)s")
    option(
        "--checkpoint",
        metavar="PATH",
        help="its weights, by default those in ckpts/: one of the project's "
        "checkpoints or a folder with the paper's sencoder and sdecoder; for the teacher its pretrained weights",
    )
    option("--transform", choices=("zca", "ot", "adain"), default="zca", help="default: %(default)s")
    option(
        "--strength",
        type=cli.fraction,
        default=1.0,
        metavar="0..1",
        help="0 keeps the content's look, 1 (default) takes the style's",
    )
    option("--no-smoothing", action="store_true", help="leave out the guided filter")
    option(
        "--fit",
        choices=("pad", "resize"),
        default="pad",
        help="pad (default) keeps the content's size; resize shrinks both "
        "photos to a multiple of the network's stride, as the paper's notebooks do",
    )
    option("--preview", action="store_true", help="approximate, several times faster for large photos")
    option(
        "--memory",
        type=byte_count,
        default="600M",
        metavar="BYTES",
        help="what intermediate features of a large photo may take; beyond that they go to temporary files (default: 600M)",
    )
    option(
        "--precision",
        choices=("half", "full"),
        default="half",
        help="of those features: half (default) takes half the memory; the difference is invisible",
    )
    option("--overwrite", action="store_true", help="replace results that are there")
    return result


def byte_count(text):
    """A number of bytes such as 600M or 1.5G, for argparse."""
    number, unit = (text[:-1], text[-1].upper()) if text[-1:].isalpha() else (text, "")
    if unit not in BYTE_UNITS or float(number) <= 0:
        raise argparse.ArgumentTypeError(f"{text} is no number of bytes such as 600M or 1.5G")
    return round(float(number) * BYTE_UNITS[unit])


def stylize_photos(options, load):
    """Stylise what `options` names. What can be checked is checked before the backend's slow import.

    Returns:
        1 where a photo of a folder failed, else 0.
    """
    is_folder = options.content.is_dir()
    if options.model == "teacher" and not options.checkpoint:
        raise InputError("--model teacher needs --checkpoint: its pretrained weights, a .npz file or imagenet")
    images.require_photo(options.style)
    contents = contents_of(options.content) if is_folder else [options.content]
    if is_folder and options.output:
        options.output.mkdir(parents=True, exist_ok=True)
    outputs = [output_path(content, options.output, is_folder) for content in contents]
    if not is_folder:
        images.require_photo(options.content)
        require_free(outputs[0], options.overwrite)

    cli.import_backend()
    from common.stylize import Stylizer

    model = load(options.model, options.checkpoint)
    # The style is one half of the bar, and the content the other.
    layout = "{percentage:3.0f}% |{bar}| {elapsed}"
    with tqdm(total=2, delay=PATIENCE, leave=False, bar_format=layout, disable=is_folder) as bar:
        stylizer = Stylizer(
            model,
            options.transform,
            not options.no_smoothing,
            options.fit,
            options.memory,
            options.precision,
            preview=options.preview,
            progress=bar.update,
        )
        style = stylizer.analyze(options.style)
        bar.update(1 - bar.n)
        failed = False
        for content, output in tqdm(list(zip(contents, outputs, strict=True)), unit="photo", disable=not is_folder):
            try:
                require_free(output, options.overwrite)
                images.write(stylizer.apply(content, style, options.strength), output)
            except InputError as error:
                if not is_folder:
                    raise
                tqdm.write(f"error: {cli.message(error)}", file=sys.stderr)
                failed = True
    return int(failed)


def contents_of(folder):
    """Photos in `folder` without the results of earlier runs."""
    return [path for path in images.photo_paths(folder) if not path.stem.endswith(RESULT_MARK)]


def output_path(content, output, is_folder):
    """Where the result of `content` goes; `output` is the option of that name."""
    if output is None:
        return content.with_name(f"{content.stem}{RESULT_MARK}{content.suffix}")
    return output / content.name if is_folder else output


def require_free(path, overwrite):
    """Raise `InputError` where a result cannot be written to `path`, or something is there that may not be replaced."""
    images.require_writable(path)
    require_absent(path, overwrite)
