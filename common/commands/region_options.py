"""The options of `stylize` that tell parts of a photo apart: masks and label pictures."""

import argparse
import sys
from pathlib import Path

from common.errors import InputError
from common.photos import require_photo
from common.photos.masks import labelled, read_labels, read_mask
from common.transfer.regions import FEATHER


def add_options(parser):
    """Give a parser the options."""
    option = parser.add_argument
    option("--mask", type=Path, metavar="MASK", help="a picture: white is stylised, black keeps the content")
    option(
        "--content-regions",
        type=Path,
        metavar="LABELS",
        help="a picture with a colour for each region of the content; each takes the style of the region of that colour",
    )
    option("--style-regions", type=Path, metavar="LABELS", help="the same of the style photo")
    option(
        "--feather",
        type=percent,
        metavar="PERCENT",
        help="softness of borders, in percent of the longer side: between regions (default: 4), and inwards of a mask "
        "(default: 0)",
    )


def percent(text):
    """A share from 0 to 1, of a number from 0 to 100, for argparse."""
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 100")
    return value / 100


def require_regions(options, settings, is_folder):
    """Raise `InputError` where masks or label pictures are asked for that cannot be used."""
    names = ("mask", "content_regions", "style_regions")
    given = {f"--{name.replace('_', '-')}": getattr(options, name) for name in names if getattr(options, name)}
    for name in given:
        if is_folder:
            raise InputError(f"{name} is of one photo, not of a folder")
        if settings["fit"] != "pad":
            raise InputError(f"{name} goes with --fit pad")
    if bool(options.content_regions) != bool(options.style_regions):
        raise InputError("--content-regions and --style-regions go together: colours are matched between them")
    if options.content_regions and settings["finish"] != "look":
        raise InputError(f"--content-regions goes with --finish look, not with {settings['finish']}")
    if options.content_regions and (options.save_look or options.lut):
        raise InputError("--save-look and --lut are of a whole photo: they do not go with --content-regions")
    if options.content_regions and (options.mix or options.style.suffix == ".npz"):
        raise InputError("--style-regions are of one style photo: they do not go with --mix or a saved style")
    if options.feather is not None and not given:
        raise InputError("--feather softens the borders of --mask or of --content-regions")
    for path in given.values():
        require_photo(path)


def masks_of(options):
    """The mask that `options` name, and the regions of content and style by name; None where there are none.

    A colour that only one of the label pictures has is told on stderr.
    """
    mask = read_mask(options.mask) if options.mask else None
    if not options.content_regions:
        return mask, None, None
    content, style, alone = labelled(read_labels(options.content_regions), read_labels(options.style_regions))
    if alone:
        print(
            f"warning: {', '.join(alone)}: only one of the label pictures has it, so the whole style is taken there",
            file=sys.stderr,
        )
    return mask, content, style


def feather_of(options):
    """Softness of the borders between regions, as a share of the longer side."""
    return FEATHER if options.feather is None else options.feather
