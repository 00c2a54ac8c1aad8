"""Apply a look that `stylize --save-look` wrote to other photos: a series from a tripod gets one look.

pcakd apply look.npz photo.jpg -o result.jpg
pcakd apply look.npz series/ -o results/ --grade 0.8
"""

import dataclasses
from pathlib import Path

from common.commands import cli
from common.commands.results import (
    add_folder_options,
    contents_of,
    for_each,
    output_path,
    require_folder_options,
    require_free,
)
from common.errors import InputError
from common.photos import require_photo, write_photo
from common.photos.films import is_film
from common.transfer import Look


def add_options(parser):
    """Give a parser the command's options."""
    option = parser.add_argument
    option("look", type=Path, metavar="LOOK", help="a saved look (.npz)")
    option("photo", type=Path, metavar="PHOTO", help="a photo, or a folder of photos, of any size")
    option("-o", "--output", type=Path, metavar="OUT", help="where to write, as for stylize")
    option("--grade", type=cli.fraction, metavar="0..1", help="another share of the grade than the look was saved with")
    option("--overwrite", action="store_true", help="replace results that are there")
    add_folder_options(parser)


def apply_look(options):
    """Apply the look that `options` name; 1 where a photo of a folder failed, else 0."""
    require_folder_options(options, options.photo.is_dir())
    look = Look.load(options.look)
    if options.grade is not None:
        look = turned(look, options.grade, options.look)
    if options.photo.is_dir():
        photos = [path for path in contents_of(options.photo) if not is_film(path)]
        if options.output:
            options.output.mkdir(parents=True, exist_ok=True)
        outputs = [output_path(photo, options.output, True) for photo in photos]

        def apply(photo, output):
            write_photo(look.apply(photo), output)
            return 0

        return for_each(apply, photos, outputs, lambda _, output: require_free(output, options.overwrite), options)
    require_photo(options.photo)
    output = output_path(options.photo, options.output, False)
    require_free(output, options.overwrite)
    write_photo(look.apply(options.photo), output)
    return 0


def turned(look, grade, path):
    """A look with another share of the grade.

    Raises:
        InputError: the look in the file at `path` was saved without what that takes.
    """
    if grade < 1 and look.grid is None:
        raise InputError(f"{path} holds the grade alone: it was saved with --grade 1")
    if grade > 0 and look.lut is None:
        raise InputError(f"{path} holds no grade: it was saved with --grade 0")
    return dataclasses.replace(look, grade=grade)
