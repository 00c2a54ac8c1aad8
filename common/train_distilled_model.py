"""The command `train_distilled_model` of both backbones: photos, teacher and eigenbases in, a student out."""

import sys
from pathlib import Path

from common import cli, training
from common.errors import InputError

STUDENT = "student.weights.h5"
PAPER_BATCH_SIZE, PAPER_CROP = 8, 256
COCO_PHOTOS = 118_287
# Steps of each encoder block, and of all pairs together.
STEPS = (4000, 4000, 4000, 4000)
JOINT_STEPS = 12_000
BATCH_SIZE, CROP = 8, 128
PAIRS = range(4)
# Losses of `common.sparsity`, and what they are.
SPARSITY_LOSSES = {
    "channel": "the share of channels that respond, so that channels die",
    "xor": "the share of channels that respond to one of two photos alone, so that they die on all photos",
    "uncorrelation": "the correlation between channels",
}


def main(doc, modules, paper_epochs, arguments=None):
    """Run the command and give its exit status.

    Args:
        doc: docstring of the entry point.
        modules: a function that imports and gives the backbone's `student` and `teacher` modules.
        paper_epochs: of COCO, by pair.
        arguments: the command line, by default that of the process.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = command_parser(doc).parse_args(arguments)
    return cli.report_errors(train_distilled_model, options, modules, paper_epochs, arguments)


def command_parser(doc):
    """The command's options."""
    result = cli.parser(doc)
    training.add_options(result, STUDENT)
    option = result.add_argument
    option("--weights", nargs="+", required=True, metavar="W", help=cli.WEIGHTS)
    option("--eigenbases", required=True, metavar="FILE.npz", help="what train_eigenbases wrote for this teacher")
    option("--pair", type=int, choices=PAIRS, metavar="0..3", help="train again from this pair on; earlier ones are kept")
    option("--steps", type=int, nargs=len(PAIRS), metavar="N", help="of each pair (default: the recipe's)")
    option("--start", type=Path, metavar="CHECKPOINT", help="a student to go on from, pruned or not; by default jointly")
    option(
        "--settling-steps",
        type=int,
        default=0,
        metavar="N",
        help="of each encoder block, after those, without batch normalisation (default: none)",
    )
    option(
        "--fixed",
        type=int,
        nargs="+",
        choices=PAIRS,
        default=(),
        metavar="0..3",
        help="encoder blocks that the joint pass leaves alone: they explain more and reconstruct worse (default: none)",
    )
    option(
        "--reconstruction",
        type=float,
        metavar="W",
        help="weight of the reconstruction in the joint pass: more for better pictures and a smaller share of the teacher "
        "explained (default: the recipe's)",
    )
    option("--joint-steps", type=int, default=JOINT_STEPS, metavar="N", help="of the joint pass (default: %(default)s)")
    for name, what in SPARSITY_LOSSES.items():
        option(f"--{name}-loss", type=float, default=0.0, metavar="W", help=f"weight of {what} (default: none)")
    return result


def train_distilled_model(options, modules, paper_epochs, arguments):
    """Do what `options` ask for. What can be checked is checked before the backend's slow import."""
    photos, validation = training.photos_of(options)
    batch_size, crop = (PAPER_BATCH_SIZE, PAPER_CROP) if options.recipe == "paper" else (BATCH_SIZE, CROP)
    steps = options.steps or default_steps(options, paper_epochs)
    for count in (*steps, options.settling_steps, options.joint_steps):
        training.require_multiple(count, options.interval, "--steps, --settling-steps, --joint-steps")
    cli.import_backend()
    import keras

    from common import checkpoints, distillation, eigenbases_file
    from common.evaluate import print_table
    from common.measures import measure
    from common.photos import CentreCrops

    student_module, teacher_module = modules()
    training.use_all_devices()
    teacher = distillation.load_teacher(options.weights, student_module, teacher_module)
    bases = eigenbases_file.load(options.eigenbases, teacher).bases
    keras.utils.set_random_seed(options.seed)
    student = student_module.load(options.start) if options.start else student_module.build(eigenbases=bases)
    if not student.eigenbases:  # those of a pruned student lack columns, so its own count
        raise InputError(f"--start: {options.start} has no eigenbases to go on with")
    course = training.course_of(options, photos, validation, batch_size, crop, square=options.recipe == "paper")
    if options.pair is not None:
        later = PAIRS[options.pair :]
        training.forget(
            course.folder, [f"{kind}_{pair}" for kind in ("pair", "encoder", "settled") for pair in later] + ["joint"]
        )
    common = {
        "learning_rate": options.learning_rate,
        "sparsity": {name: getattr(options, f"{name}_loss") for name in SPARSITY_LOSSES},
    }
    if options.recipe == "paper":
        distillation.distill_as_published(student, teacher, steps, course, **common)
    else:
        common |= {"fixed": options.fixed, "reconstruction": options.reconstruction}
        if options.start:
            distillation.train_jointly(student, teacher, options.joint_steps, course, **common)
        else:
            counts = steps, options.settling_steps, options.joint_steps
            distillation.distill(student, teacher, *counts, course, **common)
    command = f"{student.backbone.name}_backbone.train_distilled_model"
    record = training.record_of(command, arguments, options, course) | {
        "steps": [*steps, options.settling_steps, options.joint_steps]
    }
    if validation:
        measures = measure(student, CentreCrops(validation), teacher)
        print_table(measures)
        record["figures"] = measures._asdict()
    checkpoints.save(student, course.folder / STUDENT, record)
    training.save_record(record, course.folder / "student.json")


def default_steps(options, paper_epochs):
    """Steps of each pair in the recipe asked for."""
    if options.recipe == "default":
        return STEPS
    whole = [epochs * COCO_PHOTOS // PAPER_BATCH_SIZE for epochs in paper_epochs]
    return [-(-steps // options.interval) * options.interval for steps in whole]
