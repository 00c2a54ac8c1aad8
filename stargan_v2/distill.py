"""Distil a small student from a trained StarGAN v2.

python -m stargan_v2.distill --teacher RUN --photos FOLDER --save-to RUN2
python -m stargan_v2.distill --teacher RUN --photos FOLDER --save-to RUN2 --objectives pixel gka --weight gka=1

The teacher is the networks.npz in the folder RUN. RUN2 gets what stargan_v2.train writes, but no discriminator is kept. The
student's widths are the published ones where none are given: the teacher's at full size, a quarter of its cap, and separable
encoder blocks. Objectives:

pixel            mean squared error to the teacher's image
adversarial      deceive a discriminator that takes the teacher's images for real
cycle            find the way back to the photo
perceptual       distance on the teacher's discriminator
triplet          the student's discriminator keeps its images further from the photo than the teacher's
gka              kernel alignment of the blocks' features
adapters         squared error of four blocks' features, brought to the teacher's widths by 1x1 convolutions
wavelet          distance of Haar details of the images
feature-wavelet  kernel alignment of Haar details of the blocks' features
"""

import argparse
import math
import sys
from pathlib import Path

from common.commands import cli
from common.commands.training_options import positive
from common.errors import InputError
from stargan_v2 import options as common_options

RECORD = "networks.json"
# Objectives where none are chosen, and all that can be.
DEFAULT = ("pixel", "adversarial", "cycle")
OBJECTIVES = (*DEFAULT, "perceptual", "triplet", "gka", "adapters", "wavelet", "feature-wavelet")
# The teacher's cap and hidden units over the published student's.
NARROWER = 4


def main(arguments=None):
    """Run the command and give its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = command_parser().parse_args(arguments)
    return cli.report_errors(distill, options, arguments)


def command_parser():
    """The command's options."""
    result = cli.parser(__doc__)
    option = result.add_argument
    option("--teacher", type=Path, required=True, metavar="RUN", help="what stargan_v2.train wrote")
    common_options.add_course_options(result, steps=100_000)
    option("--objectives", nargs="+", choices=OBJECTIVES, default=DEFAULT, help=f"default: {' '.join(DEFAULT)}")
    option(
        "--weight",
        nargs="+",
        type=weight,
        default=[],
        metavar="NAME=W",
        help="of objectives (default: 1; 10 of perceptual and gka, as published)",
    )
    common_options.add_width_options(
        result, (None, "the teacher's"), (None, f"the teacher's / {NARROWER}"), (None, f"the teacher's / {NARROWER}")
    )
    option("--dense", action="store_true", help="encoder blocks without separable convolutions")
    option(
        "--discriminator-width", type=positive, metavar="N", help="of the student's discriminator (default: the teacher's)"
    )
    option("--discriminator-cap", type=positive, metavar="N", help="likewise")
    return result


def weight(text):
    """A name and a weight, for argparse."""
    name, _, value = text.partition("=")
    if name not in OBJECTIVES:
        raise argparse.ArgumentTypeError(f"{name} is none of {', '.join(OBJECTIVES)}")
    if not math.isfinite(float(value or "nan")):
        raise argparse.ArgumentTypeError(f"{text} gives no number")
    return name, float(value)


def distill(options, arguments):
    """Distil as `options` ask. What can be checked is checked before the backend's slow import."""
    require_objectives(options)
    course = common_options.course_of(options)
    import keras

    from common.commands.training_options import record_of, save_record
    from common.origin import sha256_of
    from stargan_v2 import checkpoints
    from stargan_v2.course import fit, require_same_run, use_half_precision_on_gpus
    from stargan_v2.distiller import WEIGHTS, Distiller, build_adapters

    use_half_precision_on_gpus()
    teacher = checkpoints.load(options.teacher)
    require_teacher(teacher, options, course)
    config, of_discriminator = configs_of(options, teacher)
    weights = {name: WEIGHTS[name] for name in options.objectives} | dict(options.weight)
    rates = {"learning_rate": options.learning_rate, "decay": options.average_decay}
    origin = {
        **rates,
        "networks": config._asdict(),
        "discriminator": of_discriminator._asdict(),
        "objectives": weights,
        "teacher_sha256": sha256_of(options.teacher / checkpoints.NETWORKS if options.teacher.is_dir() else options.teacher),
    }
    require_same_run(course, origin)
    keras.utils.set_random_seed(options.seed)
    networks = checkpoints.build(config, of_discriminator)
    if "adapters" in weights:
        networks["adapters"] = build_adapters(networks["generator"], teacher.networks["generator"])
    trainer = Distiller(networks, checkpoints.build(config), teacher.networks, weights, **rates)
    fit(trainer, course, config)
    origin |= {"steps": options.steps, "teacher_step": teacher.step}
    save_record(record_of("stargan_v2.distill", arguments, origin), course.folder / RECORD)
    print(f"the student is in {course.folder}")


def require_objectives(options):
    """Raise `InputError` where objectives do not go together."""
    unused = [name for name, _ in options.weight if name not in options.objectives]
    if unused:
        raise InputError(f"--weight {unused[0]}: it is not among the --objectives")
    if "triplet" in options.objectives and "adversarial" not in options.objectives:
        raise InputError("--objectives: triplet trains the discriminator, which nothing learns from without adversarial")


def require_teacher(teacher, options, course):
    """Raise `InputError` where the teacher cannot teach what is asked for."""
    if teacher.domains != course.domains.names:
        names = ", ".join(course.domains.names)
        raise InputError(f"{options.photos} has the domains {names}, but the teacher knows {', '.join(teacher.domains)}")
    if teacher.discriminator_config is None:
        raise InputError(f"{options.teacher} holds a student: it has no discriminator to be a teacher with")


def configs_of(options, teacher):
    """The configurations of a student and of its discriminator."""
    taught = teacher.config
    config = taught._replace(
        width=options.width or taught.width,
        cap=options.cap or max(1, taught.cap // NARROWER),
        hidden=options.hidden or max(1, taught.hidden // NARROWER),
        separable=not options.dense,
    )
    own = teacher.discriminator_config
    return config, own._replace(width=options.discriminator_width or own.width, cap=options.discriminator_cap or own.cap)


if __name__ == "__main__":
    sys.exit(main())
