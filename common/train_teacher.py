"""The command `train_teacher` of both backbones: photos and pretrained weights in, a decoder out."""

import sys
from pathlib import Path
from typing import NamedTuple

from common import cli, training
from common.errors import InputError

# Steps of the paper's recipe: 10 epochs of COCO train2017, 118,287 photos, in batches of 8; rounded up.
PAPER_STEPS = 148_000
DECODER = "teacher_decoder.h5"


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
    whiten: str | None
    clip: float | None
    noise: float
    square: bool


RECIPES = {
    "default": Recipe(
        steps=(0, 1500, 3000, 2500, 4500),
        batch_size=4,
        crop=128,
        learning_rate=5e-4,
        joint_learning_rate=3e-4,
        weights={"reconstruction": 300.0, "perceptual": 0.1, "balanced": True},
        joint_weights={"reconstruction": 300.0, "feature": 0.3, "perceptual": 0.0, "balanced": True},
        decay=True,
        closed_form=True,
        whiten="patches",
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
        whiten=None,
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
    training.add_options(result, DECODER)
    option = result.add_argument
    option("--weights", required=True, metavar="W", help="the teacher's pretrained weights: a .npz file, or imagenet")
    option("--block", type=int, choices=range(4), metavar="N", help="train again from this block on; earlier ones are kept")
    option(
        "--steps",
        type=int,
        nargs=5,
        metavar="N",
        help="of blocks 0 to 3, and of a joint pass over all of them; multiples of --interval (default: the recipe's)",
    )
    option(
        "--level-weights",
        type=float,
        nargs=4,
        default=(1.0,) * 4,
        metavar="W",
        help="what the reconstruction from levels 0 to 3 counts for in the joint pass, which leaves the block of a level of "
        "0 as it is; what an easy level has to spare, a hard one can use (default: 1 each)",
    )
    option("--start", type=Path, metavar="FILE", help="a decoder to go on from, by default jointly")
    return result


def train_teacher(options, modules, arguments):
    """Do what `options` ask for. What can be checked is checked before the backend's slow import."""
    recipe = RECIPES[options.recipe]
    if options.start:
        recipe = recipe._replace(steps=(0, 0, 0, 0, recipe.steps[-1]), closed_form=False)
    if options.steps:
        recipe = recipe._replace(steps=options.steps)
    if options.learning_rate:
        recipe = recipe._replace(learning_rate=options.learning_rate, joint_learning_rate=options.learning_rate)
    for count in recipe.steps:
        training.require_multiple(count, options.interval, "--steps")
    photos, validation = training.photos_of(options)
    cli.import_backend()
    import keras

    from common import checkpoints
    from common.blockwise import train

    _, teacher = modules()
    training.use_all_devices()
    keras.utils.set_random_seed(options.seed)
    if options.start:
        model = teacher.load(options.weights, options.start)
    else:
        model = teacher.load_encoder(options.weights, decoder_levels=4)
    levels = len(model.decoder_blocks)
    if min(options.level_weights) < 0 or not any(options.level_weights[:levels]):
        raise InputError("--level-weights: none may be below 0, and one at least has to be above")
    course = training.course_of(options, photos, validation, recipe.batch_size, recipe.crop, recipe.square)
    stages = stages_of(recipe, levels, options.level_weights)
    if options.block is not None:
        training.forget(course.folder, [stage.name for stage in stages[options.block :]])
    for stage in stages:
        if stage.steps or stage.closed_form:
            train(model, stage, course)
    record = training.record_of(f"{model.backbone.name}_backbone.train_teacher", arguments, options, course)
    record |= {"steps": {stage.name: stage.steps for stage in stages}}
    if validation:
        record["psnr"] = psnr_on(model, validation)
    checkpoints.save_decoder(model, course.folder / DECODER, record)
    training.save_record(record, course.folder / DECODER.replace(".h5", ".json"))


def stages_of(recipe, levels, level_weights):
    """The stages of `common.blockwise.train`: a block after the other, then those of any weight together."""
    from common.blockwise import LossWeights, Stage

    weights = LossWeights(**recipe.weights)
    joint_weights = LossWeights(**recipe.joint_weights, by_level=tuple(level_weights))
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
    jointly = tuple(level for level in range(levels) if level_weights[level])
    return [*blocks, Stage("joint", jointly, recipe.steps[-1], recipe.joint_learning_rate, joint_weights, **shared)]


def psnr_on(model, paths):
    """PSNR in dB by level on the photos at `paths`, for the record; printed as well."""
    from common.measures import measure
    from common.photos import CentreCrops

    result = [round(value, 2) for value in measure(model, CentreCrops(paths)).psnr]
    print(f"PSNR on {len(paths)} photos, by level: {', '.join(f'{value:.2f}' for value in result)} dB")
    return result
