"""Train StarGAN v2 on photos of two or more domains.

python -m stargan_v2.train --photos FOLDER --save-to RUN
python -m stargan_v2.train --photos FOLDER --save-to RUN --size 32 --width 24 --cap 96 --style-dim 32 --hidden 128

Every folder in FOLDER is a domain. RUN gets networks.npz, the running averages of generator, mapping network and style
encoder, and the discriminator; samples.png; log.csv; backup.weights.h5, from which a run that was cut short goes on when the
same command is given again; and networks.json, a record. The defaults are the paper's, and want a GPU.
"""

import sys

from common.commands import cli
from common.commands.training_options import positive
from common.errors import InputError
from stargan_v2 import options as common_options

RECORD = "networks.json"
# Width at full size times the size of images (the paper's).
WIDTH_TIMES_SIZE = 2**14


def main(arguments=None):
    """Run the command and give its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = command_parser().parse_args(arguments)
    return cli.report_errors(train, options, arguments)


def command_parser():
    """The command's options."""
    result = cli.parser(__doc__)
    common_options.add_course_options(result, steps=100_000)
    option = result.add_argument
    option("--size", type=positive, default=256, metavar="SIDE", help="of images, a power of two (default: %(default)s)")
    common_options.add_width_options(result, (None, f"{WIDTH_TIMES_SIZE} / size"), (512, 512), (512, 512))
    option("--style-dim", type=positive, default=64, metavar="N", help="length of a style (default: %(default)s)")
    option("--halvings", type=int, metavar="N", help="of the generator's feature (default: down to 16x16 pixels)")
    option("--separable", action="store_true", help="encoder blocks as those of a student")
    option("--diversity", type=float, default=1.0, metavar="W", help="weight of that loss at first (default: %(default)s)")
    option("--diversity-steps", type=positive, metavar="N", help="over which it falls to nothing (default: --steps)")
    return result


def train(options, arguments):
    """Train as `options` ask. What can be checked is checked before the backend's slow import."""
    common_options.require_size(options.size)
    if options.halvings is not None and not 0 <= options.halvings <= options.size.bit_length() - 3:
        raise InputError(f"--halvings {options.halvings} does not leave 4x4 pixels of {options.size}")
    course = common_options.course_of(options)
    import keras

    from common.commands.training_options import record_of, save_record
    from stargan_v2.checkpoints import build
    from stargan_v2.course import fit, require_same_run, use_half_precision_on_gpus
    from stargan_v2.trainer import GanTrainer

    config = config_of(options, len(course.domains.names))
    diversity = options.diversity, options.diversity_steps or options.steps
    rates = {"learning_rate": options.learning_rate, "decay": options.average_decay}
    origin = {"networks": config._asdict(), "diversity": diversity} | rates
    require_same_run(course, origin)
    use_half_precision_on_gpus()
    keras.utils.set_random_seed(options.seed)
    trainer = GanTrainer(build(config, config), build(config), diversity, **rates)
    fit(trainer, course, config, config)
    save_record(record_of("stargan_v2.train", arguments, origin | {"steps": options.steps}), course.folder / RECORD)
    print(f"the networks are in {course.folder}")


def config_of(options, domains):
    """The `stargan_v2.networks.Config` that options ask for."""
    from stargan_v2.networks import Config

    return Config(
        size=options.size,
        domains=domains,
        width=options.width or max(1, WIDTH_TIMES_SIZE // options.size),
        cap=options.cap,
        style_dim=options.style_dim,
        hidden=options.hidden,
        separable=options.separable,
        halvings=options.halvings,
    )


if __name__ == "__main__":
    sys.exit(main())
