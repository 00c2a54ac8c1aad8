"""The command `train_teacher` of both backbones: photos and pretrained weights in, a decoder out."""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

from common import cli, images
from common.errors import InputError

# Steps of the paper's recipe: 10 epochs of COCO train2017, 118,287 photos, in batches of 8.
PAPER_STEPS = 10 * 118_287 // 8
DECODER = "teacher_decoder.h5"


class Recipe(NamedTuple):
    """How to train: steps of blocks 0 to 3 and of the joint pass, and the rest as in `common.blockwise`."""

    steps: tuple[int, int, int, int, int]
    crop: int
    learning_rate: float
    joint_learning_rate: float
    weights: dict
    decay: bool
    closed_form: bool
    whiten: bool
    clip: float | None
    square: bool


RECIPES = {
    "default": Recipe(
        steps=(0, 3000, 5000, 8000, 2000),
        crop=128,
        learning_rate=5e-4,
        joint_learning_rate=3e-4,
        weights={"reconstruction": 300.0, "perceptual": 0.1, "balanced": True},
        decay=True,
        closed_form=True,
        whiten=True,
        clip=0.5,
        square=False,
    ),
    "paper": Recipe(
        steps=(PAPER_STEPS,) * 4 + (0,),
        crop=256,
        learning_rate=1e-4,
        joint_learning_rate=1e-4,
        weights={},
        decay=False,
        closed_form=False,
        whiten=False,
        clip=None,
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
    option("--batch-size", type=positive, default=4, metavar="N", help="default: %(default)s")
    option("--crop", type=positive, metavar="SIDE", help="pixels, a multiple of the stride")
    option("--learning-rate", type=float, metavar="R", help="Adam's, at its peak")
    option("--validation", type=Path, metavar="DIR", help="folder of photos to measure on")
    option(
        "--validation-photos", type=positive, default=40, metavar="N", help="measured as it trains (default: %(default)s)"
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
    photos = images.photo_paths(options.dataset)
    validation = images.photo_paths(options.validation) if options.validation else []
    steps = options.steps or recipe.steps
    for count in steps:
        if count % options.interval:
            raise InputError(f"{count} steps are no multiple of --interval {options.interval}")
    options.save_to.mkdir(parents=True, exist_ok=True)
    cli.import_backend()
    import keras

    from common import checkpoints
    from common.blockwise import Course, LossWeights, Stage, train
    from common.photos import require_readable

    require_readable(photos + validation)
    _, teacher = modules()
    keras.utils.set_random_seed(options.seed)
    model = teacher.load_encoder(options.weights, decoder_levels=4)
    levels = len(model.decoder_blocks)
    course = Course(
        options.save_to,
        photos,
        validation[:: max(1, len(validation) // options.validation_photos)],
        options.batch_size,
        options.crop or recipe.crop,
        recipe.square,
        options.seed,
        options.interval,
    )
    names = [*(f"block_{level}" for level in range(levels)), "joint"]
    stages = [
        Stage(
            name,
            tuple(range(levels)) if name == "joint" else (level,),
            count,
            options.learning_rate or (recipe.joint_learning_rate if name == "joint" else recipe.learning_rate),
            LossWeights(**recipe.weights),
            recipe.decay,
            recipe.closed_form and name != "joint",
            recipe.whiten,
            recipe.clip,
        )
        for level, (name, count) in enumerate(zip(names, (*steps[:levels], steps[-1]), strict=True))
    ]
    if options.block is not None:
        for name in names[options.block :]:
            for suffix in (".weights.h5", ".csv"):
                (options.save_to / f"{name}{suffix}").unlink(missing_ok=True)
    for stage in stages:
        train(model, stage, course)
    record = {}
    checkpoints.save_decoder(model, options.save_to / DECODER, record)
