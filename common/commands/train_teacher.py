"""The command `train_teacher` of both backbones: photos and pretrained weights in, a decoder out."""

import sys
from pathlib import Path
from typing import NamedTuple

from common.commands import cli, training_options
from common.errors import InputError
from common.network import registry

# Steps of the paper's recipe: 10 epochs of COCO train2017, 118,287 photos, in batches of 8; rounded up.
PAPER_STEPS = 148_000
DECODER, RECORD = "teacher_decoder.h5", "teacher_decoder.json"
LEVELS = 4


class Recipe(NamedTuple):
    """How to train: steps of blocks 0 to 3 and of the joint pass, weights of losses by name, the rest as in a `Stage`."""

    steps: tuple[int, int, int, int, int]
    batch_size: int
    crop: int
    learning_rate: float
    joint_learning_rate: float
    weights: dict[str, float]
    joint_weights: dict[str, float]
    balanced: bool
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
        weights={"reconstruction": 300.0, "feature": 1.0, "perceptual": 0.1},
        joint_weights={"reconstruction": 300.0, "feature": 0.3},
        balanced=True,
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
        weights={"reconstruction": 1.0, "feature": 1.0, "perceptual": 1.0},
        joint_weights={"reconstruction": 1.0, "feature": 1.0, "perceptual": 1.0},
        balanced=False,
        decay=False,
        closed_form=False,
        whiten=None,
        clip=None,
        noise=0.0,
        square=True,
    ),
}


def main(backbone, doc, arguments=None):
    """Run the command and give its exit status; arguments as of `common.commands.train_distilled_model.main`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = command_parser(doc).parse_args(arguments)
    return cli.report_errors(train_teacher, options, backbone, arguments)


def command_parser(doc):
    """The command's options."""
    result = cli.parser(doc)
    training_options.add_options(result, DECODER)
    option = result.add_argument
    option("--weights", required=True, metavar="W", help="the teacher's pretrained weights: a .npz file, or imagenet")
    option(
        "--learning-rate",
        type=training_options.rate,
        metavar="R",
        help="Adam's, at its peak, of every block and of the joint pass (default: the recipe's)",
    )
    option(
        "--block",
        type=int,
        choices=range(LEVELS),
        metavar="N",
        help="train again from this block on; earlier ones are kept",
    )
    option(
        "--steps",
        type=int,
        nargs=LEVELS + 1,
        metavar="N",
        help="of blocks 0 to 3, and of a joint pass over all of them; multiples of --interval (default: the recipe's)",
    )
    option(
        "--level-weights",
        type=float,
        nargs=LEVELS,
        metavar="W",
        help="what the reconstruction from levels 0 to 3 counts for in the joint pass; a level of weight 0 is not trained "
        "there, and what an easy level has to spare, a hard one can use (default: 1 each)",
    )
    option("--start", type=Path, metavar="FILE", help="a decoder to go on from, by default jointly")
    return result


def train_teacher(options, name, arguments):
    """Do what `options` ask for. What can be checked is checked before the backend's slow import."""
    recipe = recipe_of(options)
    for count in recipe.steps:
        training_options.require_multiple(count, options.interval, "--steps")
    if options.level_weights and not recipe.steps[-1]:
        raise InputError("--level-weights are those of the joint pass, which has no steps here")
    training_options.photos_of(options)
    teacher = registry.teacher(name)
    import keras

    from common.distillation import stages
    from common.network import checkpoints

    training_options.use_all_devices()
    keras.utils.set_random_seed(options.seed)
    if options.start:
        model = teacher.load(options.weights, options.start)
    else:
        model = teacher.load_encoder(options.weights, decoder_levels=LEVELS)
    levels = len(model.decoder_blocks)
    level_weights = options.level_weights or (1.0,) * LEVELS
    if min(level_weights) < 0 or not any(level_weights[:levels]):
        raise InputError("--level-weights: none may be below 0, and one at least has to be above")
    stride = model.strides[-1]
    course = training_options.course_of(options, stride, recipe.batch_size, recipe.crop, recipe.square)
    sources = {"weights": [options.weights], "start": [options.start] if options.start else []}
    origin = training_options.origin_of(name, options.recipe, options.seed, course.photos, **sources)
    training_options.require_same_run(course.folder, origin)
    planned = stages_of(recipe, levels, level_weights)
    names = [stage.name for stage in planned]
    if options.block is not None:
        stages.remove_stages(course.folder, names[options.block :])
        course = course._replace(kept=tuple(names[: options.block]))
    for stage in planned:
        if stage.steps or stage.closed_form:
            stages.train(model, stage, course)

    record = training_options.record_of(f"{name}_backbone.train_teacher", arguments, origin)
    record["stages"] = stages.performed(course.folder, names)
    if course.validation:
        record["psnr"] = psnr_on(model, options.validation)
    checkpoints.save_decoder(model, course.folder / DECODER, record)
    training_options.save_record(record, course.folder / RECORD)


def recipe_of(options):
    """The recipe that `options` ask for."""
    recipe = RECIPES[options.recipe]
    if options.start:
        recipe = recipe._replace(steps=(0,) * LEVELS + recipe.steps[-1:], closed_form=False)
    if options.steps:
        recipe = recipe._replace(steps=tuple(options.steps))
    if options.learning_rate:
        recipe = recipe._replace(learning_rate=options.learning_rate, joint_learning_rate=options.learning_rate)
    return recipe


def stages_of(recipe, levels, level_weights):
    """The stages of a training: a block after the other, then those of any weight together."""
    from common.distillation.losses import weighted
    from common.distillation.stages import Stage

    shared = {"decay": recipe.decay, "whiten": recipe.whiten, "clip": recipe.clip, "balanced": recipe.balanced}
    blocks = [
        Stage(
            f"block_{level}",
            (level,),
            steps,
            recipe.learning_rate,
            weighted(recipe.weights),
            closed_form=recipe.closed_form,
            noise=recipe.noise,
            **shared,
        )
        for level, steps in enumerate(recipe.steps[:levels])
    ]
    joint = Stage(
        "joint",
        tuple(level for level in range(levels) if level_weights[level]),
        recipe.steps[-1],
        recipe.joint_learning_rate,
        weighted(recipe.joint_weights),
        level_weights=tuple(level_weights),
        **shared,
    )
    return [*blocks, joint]


def psnr_on(model, folder):
    """PSNR in dB by level on the photos of a folder, for the record; printed as well."""
    from common.evaluation.network_quality import measure
    from common.photos import photo_paths
    from common.photos.crops import CentreCrops

    paths = photo_paths(folder)
    result = [round(value, 2) for value in measure(model, CentreCrops(paths)).psnr]
    print(f"PSNR on {len(paths)} photos, by level: {', '.join(f'{value:.2f}' for value in result)} dB")
    return result
