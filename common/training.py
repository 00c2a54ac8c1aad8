"""What the training commands share: their options, the course of a run, its record."""

import argparse
import importlib.util
import json
import platform
import shlex
from pathlib import Path

import numpy as np

from common import images
from common.errors import InputError
from common.files import written_whole

# Crops of this many pixels, or a multiple, come back in their own size from every level of either backbone.
DEEPEST_STRIDE = 16


def add_options(parser, writes):
    """Give a parser the options that all training has; `writes` is the name of the file that comes out."""
    option = parser.add_argument
    option("--dataset", type=Path, required=True, metavar="DIR", help="folder of photos to train on")
    option("--save-to", type=Path, required=True, metavar="DIR", help=f"where {writes}, backups, logs and curves go")
    option("--recipe", choices=("default", "paper"), default="default", help="default: %(default)s")
    option("--batch-size", type=positive, metavar="N", help="crops a step (default: the recipe's)")
    option("--crop", type=positive, metavar="SIDE", help="in pixels, a multiple of 16 (default: the recipe's)")
    option("--learning-rate", type=float, metavar="R", help="Adam's, at its peak (default: the recipe's)")
    option("--validation", type=Path, metavar="DIR", help="folder of photos to measure on")
    option("--validation-photos", type=positive, default=40, metavar="N", help="watched as it trains (default: %(default)s)")
    option("--interval", type=positive, default=250, metavar="STEPS", help="between backups (default: %(default)s)")
    option("--tensorboard", action="store_true", help="write logs for TensorBoard too")
    option("--seed", type=int, default=0, metavar="S", help="of crops and initial weights (default: %(default)s)")


def positive(text):
    """A whole number above 0, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def drawn(paths, limit, seed):
    """So many of `paths`, drawn at random and in their order; all where there is no limit."""
    if not limit:
        return paths
    chosen = np.random.default_rng(seed).permutation(len(paths))[:limit]
    return [paths[index] for index in sorted(chosen)]


def require_multiple(number, unit, option):
    """Raise `InputError` unless `number`, given by `option`, is a multiple of `unit`."""
    if number % unit:
        raise InputError(f"{option}: {number} is not a multiple of {unit}")


def photos_of(options):
    """Paths to train on, and to measure on.

    Raises:
        InputError: a folder is missing or holds no photo.
    """
    return images.photo_paths(options.dataset), images.photo_paths(options.validation) if options.validation else []


def course_of(options, photos, validation, batch_size, crop, square):
    """The `common.blockwise.Course` that options ask for; its folder is made, every photo has been read once.

    Raises:
        InputError: a photo cannot be read, or a number does not fit.
    """
    from common.blockwise import Course
    from common.photos import require_readable

    if options.tensorboard and not importlib.util.find_spec("tensorboard"):
        raise InputError("--tensorboard needs the package of that name: pip install tensorboard")
    crop = options.crop or crop
    require_multiple(crop, DEEPEST_STRIDE, "--crop")
    require_readable(photos + validation)
    options.save_to.mkdir(parents=True, exist_ok=True)
    return Course(
        folder=options.save_to,
        photos=photos,
        validation=validation[:: max(1, len(validation) // options.validation_photos)],
        batch_size=options.batch_size or batch_size,
        crop=crop,
        square=square,
        seed=options.seed,
        interval=options.interval,
        tensorboard=options.tensorboard,
    )


def use_all_devices():
    """Spread batches over all devices, where there are several and the backend can."""
    import keras

    if len(keras.distribution.list_devices()) > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel())


def forget(folder, stages):
    """Remove what earlier runs left of `stages`, names, so that they start afresh."""
    for stage in stages:
        for path in folder.glob(f"{stage}.*"):
            path.unlink()


def record_of(command, arguments, options, course):
    """How a training was done: command, data, sizes, seed, versions."""
    import keras

    return {
        "command": f"python -m {command} {shlex.join(map(str, arguments))}",
        "recipe": options.recipe,
        "photos": len(course.photos),
        "batch_size": course.batch_size,
        "crop": course.crop,
        "seed": course.seed,
        "versions": {"keras": keras.__version__, "backend": keras.backend.backend(), "python": platform.python_version()},
    }


def save_record(record, path):
    """Write a record as JSON."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n")
