"""What the training commands share: their options, the course of a run, what it was made from, its record."""

import argparse
import importlib.util
import json
import platform
import shlex
from pathlib import Path

import numpy as np

from common.commands import cli
from common.errors import InputError
from common.files import written_whole
from common.origin import require_same_origin, sha256_of
from common.photos import photo_paths

# What a run was made from, in its folder.
RUN = "run.json"


def add_options(parser, writes):
    """Give a parser the options that all training has; `writes` is the name of the file that comes out."""
    option = parser.add_argument
    option("--dataset", type=Path, required=True, metavar="DIR", help="folder of photos to train on")
    option("--save-to", type=Path, required=True, metavar="DIR", help=f"where {writes}, backups, logs and curves go")
    option("--recipe", choices=("default", "paper"), default="default", help="default: %(default)s")
    option("--batch-size", type=positive, metavar="N", help="crops a step (default: the recipe's)")
    option("--crop", type=positive, metavar="SIDE", help="in pixels, a multiple of 16 (default: the recipe's)")
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


def rate(text):
    """A learning rate, for argparse."""
    return cli.above_zero(text)


def random_subset(paths, limit, seed):
    """So many of `paths`, drawn at random and in their order; all where there is no limit."""
    if not limit:
        return paths
    chosen = np.random.default_rng(seed).permutation(len(paths))[:limit]
    return [paths[index] for index in sorted(chosen)]


def evenly_spaced(paths, limit):
    """No more than `limit` of `paths`, evenly from the first to the last."""
    if len(paths) <= limit:
        return paths
    return [paths[index] for index in np.linspace(0, len(paths) - 1, limit).round().astype(int)]


def require_multiple(number, unit, option):
    """Raise `InputError` unless `number`, given by `option`, is a multiple of `unit`."""
    if number % unit:
        raise InputError(f"{option}: {number} is not a multiple of {unit}")


def require_unused(options, names, why):
    """Raise `InputError` where one of the options called `names` was given; their default has to be None."""
    for name in names:
        if getattr(options, name) is not None:
            raise InputError(f"--{name.replace('_', '-')} {why}")


def photos_of(options):
    """Paths to train on, and to measure on.

    Raises:
        InputError: a folder is missing or holds no photo.
    """
    return photo_paths(options.dataset), photo_paths(options.validation) if options.validation else []


def course_of(options, stride, batch_size, crop, square):
    """The `common.distillation.stages.Course` that options ask for; its folder is made, every photo has been read once.

    Args:
        stride: that a crop has to be a multiple of.
        batch_size, crop, square: the recipe's.

    Raises:
        InputError: a photo cannot be read, or a number does not fit.
    """
    from common.distillation.stages import Course
    from common.photos.crops import require_readable

    if options.tensorboard and not importlib.util.find_spec("tensorboard"):
        raise InputError("--tensorboard needs the package of that name: pip install tensorboard")
    crop = options.crop or crop
    require_multiple(crop, stride, "--crop")
    photos, validation = photos_of(options)
    require_readable(photos + validation)
    options.save_to.mkdir(parents=True, exist_ok=True)
    return Course(
        folder=options.save_to,
        photos=photos,
        validation=evenly_spaced(validation, options.validation_photos),
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


def origin_of(backbone, recipe, seed, photos, **sources):
    """What a run is made from, a dict that JSON can hold: hashes of its photos and of other files, by what they are."""
    hashes = {f"{name}_sha256": sha256_of(*paths) for name, paths in ({"photos": photos} | sources).items() if paths}
    return {"backbone": backbone, "recipe": recipe, "seed": seed, "photos": len(photos)} | hashes


def require_same_run(folder, origin):
    """Raise `InputError` where `folder` holds a run that was made from something else than `origin` says."""
    require_same_origin(folder / RUN, origin, f"{folder} holds a run", "give another --save-to")


def record_of(command, arguments, origin):
    """How a training was done: command, what it was made from, versions."""
    import keras

    return {
        "command": f"python -m {command} {shlex.join(map(str, arguments))}",
        **origin,
        "versions": {"keras": keras.__version__, "backend": keras.backend.backend(), "python": platform.python_version()},
    }


def save_record(record, path):
    """Write a record as JSON."""
    with written_whole(path) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n")
