"""The command `train_distilled_model` of both backbones: photos, teacher and eigenbases in, a student out."""

import sys
from pathlib import Path

from common.commands import cli, training_options
from common.errors import InputError
from common.network import registry

STUDENT, RECORD = "student.weights.h5", "student.json"
PAPER_BATCH_SIZE, PAPER_CROP = 8, 256
COCO_PHOTOS = 118_287
# Steps of each encoder block, and of all pairs together.
STEPS = (4000, 4000, 4000, 4000)
JOINT_STEPS = 16_000
BATCH_SIZE, CROP = 8, 128
PAIRS = range(4)
# Losses of `common.pruning.sparsity`, and what they are.
SPARSITY_LOSSES = {
    "channel": "the share of channels that respond, so that channels die",
    "xor": "the share of channels that respond to one of two photos alone, so that they die on all photos",
    "uncorrelation": "the correlation between channels",
}
# Losses of `common.distillation.kernels_and_wavelets` and `graded_truth`, and what they are.
LIKENESS_LOSSES = {
    "wavelet": "the difference of Haar details between a photo and its reconstruction, where one is decoded",
    "gka": "how far a feature is from kernel alignment with the teacher's",
    "truth": "the error of a transfer whose right answer is known, through the look; all batches are then such graded pairs",
}
# Options that the paper's recipe has no use for; and those that a joint pass alone has none for.
NOT_PUBLISHED = ("encoder_learning_rate", "settling_steps", "joint_steps", "fixed", "reconstruction", "start")
NOT_JOINT = ("encoder_learning_rate", "settling_steps", "steps", "pair")


def main(backbone, doc, arguments=None):
    """Run the command and give its exit status.

    Args:
        backbone: its name.
        doc: docstring of the entry point.
        arguments: the command line, by default that of the process.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    options = command_parser(doc).parse_args(arguments)
    return cli.report_errors(train_distilled_model, options, backbone, arguments)


def command_parser(doc):
    """The command's options."""
    result = cli.parser(doc)
    training_options.add_options(result, STUDENT)
    option = result.add_argument
    option("--weights", nargs="+", required=True, metavar="W", help=cli.WEIGHTS)
    option(
        "--eigenbases",
        type=Path,
        required=True,
        metavar="FILE.npz",
        help="what train_eigenbases wrote for this teacher; the student gets their widths and levels",
    )
    option("--pair", type=int, choices=PAIRS, metavar="0..3", help="train again from this pair on; earlier ones are kept")
    option("--start", type=Path, metavar="CHECKPOINT", help="a student, pruned or not, to go on from with the joint pass")
    option("--steps", type=int, nargs="+", metavar="N", help="of each pair (default: the recipe's)")
    option("--joint-steps", type=int, metavar="N", help=f"of the joint pass (default: {JOINT_STEPS})")
    option(
        "--settling-steps",
        type=int,
        metavar="N",
        help="of each encoder block, after those, without batch normalisation (default: none)",
    )
    option(
        "--learning-rate",
        type=training_options.rate,
        metavar="R",
        help="Adam's, at its peak, of the joint pass, or of every pair of --recipe paper (default: the recipe's)",
    )
    option(
        "--encoder-learning-rate",
        type=training_options.rate,
        metavar="R",
        help="the same of each encoder block, before the joint pass (default: the recipe's)",
    )
    option(
        "--fixed",
        type=int,
        nargs="+",
        choices=PAIRS,
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
    for name, what in (SPARSITY_LOSSES | LIKENESS_LOSSES).items():
        option(f"--{name}-loss", type=float, default=0.0, metavar="W", help=f"weight of {what} (default: none)")
    return result


def train_distilled_model(options, name, arguments):
    """Do what `options` ask for. What can be checked is checked before the backend's slow import."""
    if options.recipe == "paper":
        training_options.require_unused(options, NOT_PUBLISHED, "has no place in --recipe paper")
    if options.start:
        training_options.require_unused(options, NOT_JOINT, "does nothing with --start, which goes on with the joint pass")
    backbone = registry.backbone(name)
    steps = options.steps or default_steps(options, backbone)
    settling_steps, joint_steps = options.settling_steps or 0, options.joint_steps
    joint_steps = JOINT_STEPS if joint_steps is None else joint_steps
    for count in (*steps, settling_steps, joint_steps):
        training_options.require_multiple(count, options.interval, "--steps, --settling-steps, --joint-steps")
    training_options.photos_of(options)
    student_module, teacher_module = registry.student(name), registry.teacher(name)
    import keras

    from common.distillation import recipes, stages, teachers
    from common.eigenbases.file import load_eigenbases
    from common.network import checkpoints

    training_options.use_all_devices()
    teacher = teachers.load_teacher(options.weights, student_module, teacher_module)
    bases = load_eigenbases(options.eigenbases, teacher).bases
    keras.utils.set_random_seed(options.seed)
    student = starting_student(options.start, student_module, bases)
    levels = len(student.encoder_blocks)
    if options.steps and len(steps) != levels:
        raise InputError(f"--steps: {len(steps)} numbers, but the student has {levels} levels")
    batch_size, crop = (PAPER_BATCH_SIZE, PAPER_CROP) if options.recipe == "paper" else (BATCH_SIZE, CROP)
    course = training_options.course_of(options, student.strides[-1], batch_size, crop, square=options.recipe == "paper")
    sources = {
        "weights": options.weights,
        "eigenbases": [options.eigenbases],
        "start": [options.start] if options.start else [],
    }
    origin = training_options.origin_of(name, options.recipe, options.seed, course.photos, **sources)
    training_options.require_same_run(course.folder, origin)
    names = recipes.stages_from(0, levels)
    if options.pair is not None:
        again = recipes.stages_from(options.pair, levels)
        stages.remove_stages(course.folder, again)
        course = course._replace(kept=tuple(name for name in names if name not in again))
    run_recipe(options, student, teacher, (steps[:levels], settling_steps, joint_steps), course)

    record = training_options.record_of(f"{name}_backbone.train_distilled_model", arguments, origin)
    record["stages"] = stages.performed(course.folder, names)
    if options.start:
        record["started_from"] = checkpoints.read_record(options.start)
    if course.validation:
        record["figures"] = figures_of(student, teacher, options.validation)
    checkpoints.save(student, course.folder / STUDENT, record)
    training_options.save_record(record, course.folder / RECORD)


def starting_student(start, module, bases):
    """The student in the checkpoint `start`, or an untrained one of the widths of eigenbases; from a backbone's module.

    Raises:
        InputError: the checkpoint cannot be used.
    """
    if start is None:
        return module.build(module.widths_of([basis.shape[1] for basis in bases]), bases)
    student = module.load(start)
    if not student.eigenbases:  # those of a pruned student lack columns, so its own count
        raise InputError(f"--start: {start} has no eigenbases to go on with")
    return student


def run_recipe(options, student, teacher, counts, course):
    """Train the student; `counts` are steps of each pair, settling and joint ones."""
    from common.distillation import graded_truth, kernels_and_wavelets, recipes
    from common.pruning import sparsity

    sparse = losses_of(options, SPARSITY_LOSSES, sparsity.LOSSES)
    like = losses_of(options, LIKENESS_LOSSES, kernels_and_wavelets.LOSSES | graded_truth.LOSSES)
    if options.recipe == "paper":
        recipes.distill_as_published(student, teacher, counts[0], course, options.learning_rate, sparse | like)
        return
    joint = {
        "learning_rate": options.learning_rate,
        "reconstruction": options.reconstruction,
        "fixed": options.fixed or (),
    }
    if options.start:
        recipes.train_jointly(student, teacher, counts[-1], course, more_losses=sparse | like, **joint)
    else:
        encoder_losses = sparse | {name: loss for name, loss in like.items() if "decoder" not in loss[0].needs}
        recipes.distill(
            student,
            teacher,
            *counts,
            course,
            options.encoder_learning_rate,
            encoder_losses,
            joint_losses=like,
            **joint,
        )


def losses_of(options, names, losses):
    """Of `losses` by name those that options give a weight, `{name: (Loss, weight)}`."""
    from common.distillation.losses import weighted

    return weighted({name: getattr(options, f"{name}_loss") for name in names}, losses)


def figures_of(student, teacher, validation):
    """What the student is worth on a folder of photos, printed and as a dict."""
    from common.commands.evaluate import print_table
    from common.evaluation.network_quality import measure
    from common.photos import photo_paths
    from common.photos.crops import CentreCrops

    measures = measure(student, CentreCrops(photo_paths(validation)), teacher)
    print_table(measures)
    return measures._asdict()


def default_steps(options, backbone):
    """Steps of each pair in the recipe asked for."""
    if options.recipe == "default":
        return STEPS
    whole = [epochs * COCO_PHOTOS // PAPER_BATCH_SIZE for epochs in backbone.paper_epochs]
    return [-(-steps // options.interval) * options.interval for steps in whole]
