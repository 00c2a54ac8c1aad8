"""What the command `stylize` does with each file, here or on a worker: what has to be so before, the style, the result."""

import numpy as np

from common.commands import region_options, stylize_films
from common.commands.results import require_folder_options, require_free
from common.errors import InputError
from common.files import require_absent, require_room
from common.grading import lut as luts
from common.grading.cube import write_cube
from common.photos import flatten, read_photo, recoloured, require_photo, write_photo
from common.photos.films import is_film
from common.transfer.film import FILM_SIZE
from common.transfer.network_pass import SIZE
from common.transfer.regions import feathered, masked
from common.transfer.style import Style
from common.transfer.stylizer import DEFAULT_PRESET, PRESETS, Stylizer

# A style that was measured and saved has a name that ends so, and so has a LUT.
SAVED, CUBE = ".npz", ".cube"


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
