"""The command `train_teacher` of both backbones: photos and pretrained weights in, a decoder out."""

import argparse
import json
import platform
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

from common import cli, images
from common.errors import InputError
from common.files import written_whole

# Steps of the paper's recipe: 10 epochs of COCO train2017, 118,287 photos, in batches of 8; rounded up.
PAPER_STEPS = 148_000
DECODER = "teacher_decoder.h5"
# Crops of this many pixels, or a multiple, come back in their own size from every level of either backbone.
DEEPEST_STRIDE = 16


class Recipe(NamedTuple):
    """How to train: steps of blocks 0 to 3 and of the joint pass, and the rest as in `common.blockwise`."""

    steps: tuple[int, int, int, int, int]
    batch_size: int
    crop: int
    learning_rate: float
    joint_learning_rate: float
    weights: dict
    joint_weights: dict
    decay: bool
    closed_form: bool
    whiten: bool
    clip: float | None
    noise: float
    square: bool


RECIPES = {
    "default": Recipe(
        steps=(0, 1500, 3000, 2500, 1500),
        batch_size=4,
        crop=128,
        learning_rate=5e-4,
        joint_learning_rate=3e-4,
        weights={"reconstruction": 300.0, "perceptual": 0.1, "balanced": True},
        joint_weights={"reconstruction": 300.0, "feature": 0.3, "perceptual": 0.0, "balanced": True},
        decay=True,
        closed_form=True,
        whiten=True,
        clip=0.5,
        noise=0.2,
        square=False,
    ),
    "paper": Recipe(
        steps=(PAPER_STEPS,) * 4 + (0,),
        batch_size=8,
        crop=256,
        learning_rate=1e-4,
        joint_learning_rate=1e-4,
        weights={},
        joint_weights={},
        decay=False,
        closed_form=False,
        whiten=False,
        clip=None,
        noise=0.0,
        square=True,
    ),
}


def main(doc, modules, arguments=None):
    """Run the command and give its exit status.

    Args:
        doc: docstring of the entry point.
        modules: a function that imports and gives the backbone's `student` and `teacher` modules.
        arguments: the command line, by default that of the process.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = command_parser(doc).parse_args(arguments)
    return cli.report_errors(train_teacher, options, modules, arguments)


def command_parser(doc):
    """The command's options."""
    result = cli.parser(doc)
    option = result.add_argument
    option("--dataset", type=Path, required=True, metavar="DIR", help="folder of photos to train on")
    option("--weights", required=True, metavar="W", help="the teacher's pretrained weights: a .npz file, or imagenet")
    option("--save-to", type=Path, required=True, metavar="DIR", help=f"where {DECODER}, backups, logs and curves go")
    option("--recipe", choices=("default", "paper"), default="default", help="default: %(default)s")
    option("--block", type=int, choices=range(4), metavar="N", help="train again from this block on; earlier ones are kept")
    option(
        "--steps",
        type=int,
        nargs=5,
        metavar="N",
        help="of blocks 0 to 3, and of a joint pass over all of them; multiples of --interval (default: the recipe's)",
    )
    option("--batch-size", type=positive, metavar="N", help="crops a step")
    option("--crop", type=positive, metavar="SIDE", help="pixels, a multiple of the stride")
    option("--learning-rate", type=float, metavar="R", help="Adam's, at its peak")
    option("--validation", type=Path, metavar="DIR", help="folder of photos to measure on")
    option(
        "--validation-photos", type=positive, default=10, metavar="N", help="measured as it trains (default: %(default)s)"
    )
    option("--interval", type=positive, default=250, metavar="STEPS", help="between backups (default: %(default)s)")
    option("--seed", type=int, default=0, metavar="S", help="of crops and initial weights (default: %(default)s)")
    return result


def positive(text):
    """A whole number above 0, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def train_teacher(options, modules, arguments):
    """Do what `options` ask for. What can be checked is checked before the backend's slow import."""
    recipe = RECIPES[options.recipe]
    if options.steps:
        recipe = recipe._replace(steps=options.steps)
    if options.learning_rate:
        recipe = recipe._replace(learning_rate=options.learning_rate, joint_learning_rate=options.learning_rate)
    recipe = recipe._replace(batch_size=options.batch_size or recipe.batch_size, crop=options.crop or recipe.crop)
    require_multiple(recipe.crop, DEEPEST_STRIDE, "--crop")
    for count in recipe.steps:
        require_multiple(count, options.interval, "--steps")
    photos = images.photo_paths(options.dataset)
    validation = images.photo_paths(options.validation) if options.validation else []
    cli.import_backend()
    import keras

    from common import checkpoints
    from common.blockwise import Course, train
    from common.photos import require_readable

    _, teacher = modules()
    keras.utils.set_random_seed(options.seed)
    model = teacher.load_encoder(options.weights, decoder_levels=4)
    require_readable(photos + validation)
    options.save_to.mkdir(parents=True, exist_ok=True)
    watched = validation[:: max(1, len(validation) // options.validation_photos)]
    course = Course(
        options.save_to,
        photos,
        watched,
        recipe.batch_size,
        recipe.crop,
        recipe.square,
        options.seed,
        options.interval,
    )
    stages = stages_of(recipe, len(model.decoder_blocks))
    if options.block is not None:
        for stage in stages[options.block :]:
            for path in options.save_to.glob(f"{stage.name}.*"):
                path.unlink()
    for stage in stages:
        train(model, stage, course)
    record = {
        "command": f"python -m {model.backbone.name}_backbone.train_teacher {shlex.join(arguments)}",
        "photos": len(photos),
        "steps": {stage.name: stage.steps for stage in stages},
        "batch_size": recipe.batch_size,
        "crop": recipe.crop,
        "recipe": options.recipe,
        "learning_rate": [recipe.learning_rate, recipe.joint_learning_rate],
        "seed": options.seed,
        "versions": {"keras": keras.__version__, "backend": keras.backend.backend(), "python": platform.python_version()},
    }
    if validation:
        record["psnr"] = psnr_on(model, validation)
    checkpoints.save_decoder(model, options.save_to / DECODER, record)
    with written_whole(options.save_to / DECODER.replace(".h5", ".json")) as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n")


def require_multiple(number, unit, option):
    """Raise `InputError` unless `number`, given by `option`, is a multiple of `unit`."""
    if number % unit:
        raise InputError(f"{option}: {number} is not a multiple of {unit}")


def stages_of(recipe, levels):
    """The stages of `common.blockwise.train`: a block after the other, then all of them together."""
    from common.blockwise import LossWeights, Stage

    weights, joint_weights = LossWeights(**recipe.weights), LossWeights(**recipe.joint_weights)
    shared = {"decay": recipe.decay, "whiten": recipe.whiten, "clip": recipe.clip}
    blocks = [
        Stage(
            f"block_{level}",
            (level,),
            steps,
            recipe.learning_rate,
            weights,
            closed_form=recipe.closed_form,
            noise=recipe.noise,
            **shared,
        )
        for level, steps in enumerate(recipe.steps[:levels])
    ]
    joint = Stage("joint", tuple(range(levels)), recipe.steps[-1], recipe.joint_learning_rate, joint_weights, **shared)
    return [*blocks, joint]


def psnr_on(model, paths):
    """PSNR in dB by level on the photos at `paths`, for the record; printed as well."""
    from common.evaluation import measure
    from common.photos import CentreCrops

    result = [round(value, 2) for value in measure(model, CentreCrops(paths)).psnr]
    print(f"PSNR on {len(paths)} photos, by level: {', '.join(f'{value:.2f}' for value in result)} dB")
    return result
