"""What the commands `train` and `distill` share: options of the course, and the widths of networks."""

from pathlib import Path

from common.commands.cli import fraction
from common.commands.training_options import positive, rate, require_multiple
from common.errors import InputError

# Smallest side of an image, in pixels: a discriminator halves it twice and sees 4x4 pixels.
SMALLEST_SIZE = 16


def add_course_options(parser, steps):
    """Give a parser the options of a training; `steps` is their default."""
    option = parser.add_argument
    option("--photos", type=Path, required=True, metavar="FOLDER", help="photos to train on, a folder for each domain")
    option("--save-to", type=Path, required=True, metavar="RUN", help="where networks, backups, samples and log go")
    option("--steps", type=positive, default=steps, metavar="N", help="iterations (default: %(default)s)")
    option("--batch-size", type=positive, default=8, metavar="N", help="photos an iteration (default: %(default)s)")
    option("--learning-rate", type=rate, default=1e-4, metavar="R", help="Adam's (default: %(default)s)")
    option("--average-decay", type=fraction, default=0.999, metavar="D", help="of running averages (default: %(default)s)")
    option("--interval", type=positive, default=500, metavar="N", help="iterations between backups (default: %(default)s)")
    option("--seed", type=int, default=0, metavar="S", help="of batches and first weights (default: %(default)s)")


def add_width_options(parser, width, cap, hidden):
    """Give a parser the options of a network's widths, and their defaults, numbers or None with what they stand for."""
    option = parser.add_argument
    option("--width", type=positive, default=width[0], metavar="N", help=f"channels at full size (default: {width[1]})")
    option("--cap", type=positive, default=cap[0], metavar="N", help=f"channels at most (default: {cap[1]})")
    option("--hidden", type=positive, default=hidden[0], metavar="N", help=f"of the mapping network (default: {hidden[1]})")


def course_of(options):
    """The `stargan_v2.course.Course` that options ask for; every photo has been read once.

    Raises:
        InputError: a photo cannot be read, there are too few domains, or a number does not fit.
    """
    require_multiple(options.steps, options.interval, "--steps")
    from common.network.keras_backend import import_backend

    import_backend()
    from common.photos.crops import require_readable
    from stargan_v2.batches import domains_in
    from stargan_v2.course import Course

    domains = domains_in(options.photos)
    require_readable(domains.photos())
    return Course(options.save_to, domains, options.steps, options.batch_size, options.interval, options.seed)


def require_size(size):
    """Raise `InputError` unless networks can have images of that size."""
    if size < SMALLEST_SIZE or size & (size - 1):
        raise InputError(f"--size {size} is not a power of two from {SMALLEST_SIZE} on")
