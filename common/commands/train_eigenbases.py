"""The command `train_eigenbases` of both backbones: photos and a teacher in, a file of eigenbases out."""

import shutil
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from common.commands import cli
from common.commands.training_options import positive, random_subset
from common.eigenbases.file import Eigenbases, load_eigenbases, save_eigenbases
from common.errors import InputError
from common.files import require_absent, require_room, written_whole
from common.network import registry
from common.origin import require_same_origin, sha256_of
from common.photos import MINIMUM_SIZE, flatten, photo_paths, read_photo

# Photos are reduced to this many pixels on their longer side, about what COCO has, which the paper trains on.
LONGEST_SIDE = 512
# Of the gradient method, as in the paper.
EPOCHS = 10
LEARNING_RATE = 1e-4


def main(backbone, doc, arguments=None):
    """Run the command and give its exit status; arguments as of `common.commands.train_distilled_model.main`."""
    parser = command_parser(doc)
    options = parser.parse_args(arguments)
    if not (options.output or options.score):
        parser.error("-o FILE.npz or --score PATH is needed")
    if options.plot and not options.output:
        parser.error("--plot shows what is written to -o FILE.npz")
    return cli.report_errors(train_eigenbases, options, backbone)


def command_parser(doc):
    """The command's options."""
    result = cli.parser(doc)
    option = result.add_argument
    option("--dataset", type=Path, required=True, metavar="DIR", help="folder of photos")
    option("--weights", nargs="+", required=True, metavar="W", help=cli.WEIGHTS)
    option("-o", "--output", type=Path, metavar="FILE.npz", help="where to write the eigenbases")
    option("--method", choices=("closed-form", "gradient"), default="closed-form", help="default: %(default)s")
    width = result.add_mutually_exclusive_group()
    width.add_argument(
        "--widths", type=positive, nargs="+", metavar="N", help="of the student, one a level (default: the paper's)"
    )
    width.add_argument(
        "--explained", type=cli.fraction, metavar="0..1", help="the smallest widths that explain this share of the variance"
    )
    option("--plot", type=Path, metavar="FILE.png", help="where to draw the share explained over the width")
    option("--limit", type=positive, metavar="PHOTOS", help="use this many photos, random_subset at random")
    option("--crop", type=positive, metavar="SIDE", help="use the centre of each photo, SIDE pixels square at most")
    option("--seed", type=int, default=0, metavar="S", help="of --limit and of the gradient method (default: %(default)s)")
    option("--epochs", type=positive, default=EPOCHS, metavar="N", help="of the gradient method (default: %(default)s)")
    option("--learning-rate", type=float, default=LEARNING_RATE, metavar="R", help="Adam's (default: %(default)s)")
    option(
        "--score",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="print the share of these photos' variance that other eigenbases explain: a file of this command, a student's "
        "checkpoint, or a folder with the paper's sencoder and sdecoder; may be repeated",
    )
    option("--overwrite", action="store_true", help="replace the files that are there")
    return result


def train_eigenbases(options, name):
    """Do what `options` ask for. What can be checked is checked before the first photo is read."""
    paths = random_subset(photo_paths(options.dataset), options.limit, options.seed)
    require_writable(options.output, options.plot, options.overwrite)
    student, teacher_module = registry.student(name), registry.teacher(name)
    from common.distillation.teachers import load_teacher
    from common.eigenbases.closed_form import explained_curve, leading_eigenvectors, width_explaining
    from common.eigenbases.covariances import PhotoCovariances, mean_covariances
    from common.network.autoencoder import encoder_sha256

    teacher = load_teacher(options.weights, student, teacher_module)
    channels = teacher.widths.features
    if len(channels) < len(student.WIDTHS.features):
        print(f"{options.weights[-1]} ends early: levels 0 to {len(channels) - 1} only")
    widths = None
    if options.explained is None:
        widths = checked_widths(options.widths or student.WIDTHS.features, channels, teacher.backbone.levels)
    scored = {path: scored_bases(path, student, teacher) for path in options.score}

    photos = Photos(paths, teacher.backbone.strides[len(channels) - 1], options.crop)
    photo_covariances = PhotoCovariances(teacher)
    covariances = mean_covariances(photo_covariances, photos.readable())
    if options.output:
        curves = [explained_curve(covariance) for covariance in covariances]
        if widths is None:
            widths = [width_explaining(curve, options.explained) for curve in curves]
        if options.method == "gradient":
            bases = gradient_eigenbases(options, teacher, widths, photos, photo_covariances)
        else:
            bases = [leading_eigenvectors(*pair) for pair in zip(covariances, widths, strict=True)]
        explained = shares(covariances, bases)
        record = {
            "backbone": teacher.backbone.name,
            "weights": [Path(source).name for source in options.weights],
            "weights_sha256": encoder_sha256(teacher),
            "method": options.method,
            "photos": len(photos.paths),
            "widths": list(widths),
            "explained": explained,
            "seed": options.seed,
        }
        if options.method == "gradient":
            record |= {"epochs": options.epochs, "learning_rate": options.learning_rate}
        save_eigenbases(options.output, Eigenbases(bases, curves, record))
        if options.plot:
            plot(options.plot, curves, widths, f"{teacher.backbone.name}: {len(photos.paths):,} photos")
        scored = {options.output: bases} | scored
    print_scores({path: (bases, shares(covariances, bases)) for path, bases in scored.items()}, channels)
    photos.report_skipped()


def require_writable(output, plot_path, overwrite):
    """Raise `InputError` where the results could not be written, or something is there that may not be replaced."""
    for path in filter(None, (output, plot_path)):
        require_room(path)
        require_absent(path, overwrite)
    if plot_path:
        from matplotlib.figure import Figure

        known = Figure().canvas.get_supported_filetypes()
        if plot_path.suffix[1:].lower() not in known:
            raise InputError(f"{plot_path}: a plot can be {', '.join(sorted(known))}")


def checked_widths(widths, channels, levels):
    """The widths of the levels that there are, of `levels` at most, or `InputError`."""
    if not len(channels) <= len(widths) <= levels:
        raise InputError(f"--widths has {len(widths)} numbers but the teacher has {len(channels)} levels")
    for level, (width, limit) in enumerate(zip(widths, channels, strict=False)):
        if width > limit:
            raise InputError(f"--widths asks for {width} at level {level}, where the teacher has {limit} channels")
    return widths[: len(channels)]


def scored_bases(path, student, teacher):
    """The bases at `path`: a file of eigenbases, a student's checkpoint or a folder with the paper's."""
    if path.suffix == ".npz":
        return load_eigenbases(path, teacher).bases
    bases = student.load(path).eigenbases
    if not bases:
        raise InputError(f"{path} holds no eigenbases")
    return bases[: len(teacher.widths.features)]


def shares(covariances, bases):
    """Share of variance that each basis explains; bases may have fewer levels."""
    from common.eigenbases.closed_form import explained_variance

    return [float(explained_variance(*pair)) for pair in zip(covariances, bases, strict=False)]


def print_scores(scores, channels):
    """A table for each name in `scores`, whose values are bases and the shares they explain."""
    for name, (bases, explained) in scores.items():
        print(name)
        for level, (basis, share) in enumerate(zip(bases, explained, strict=True)):
            print(f"  level {level}: {basis.shape[1]:3} of {channels[level]:3} channels explain {share:.4f}")


def plot(path, curves, widths, title):
    """Write the share explained over the width, a line a level, with the chosen widths marked."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 5), layout="constrained")
    axes = figure.subplots()
    for level, (curve, width) in enumerate(zip(curves, widths, strict=True)):
        label = f"level {level}: {width} of {len(curve)} channels explain {curve[width - 1]:.3f}"
        (line,) = axes.plot(range(1, len(curve) + 1), curve, label=label)
        axes.plot(width, curve[width - 1], "o", color=line.get_color())
    axes.set(title=title, xlabel="width", ylabel="share of variance explained", xscale="log", ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=150)


class Photos:
    """Photos as a teacher takes them, read when they are asked for.

    Args:
        paths: of the photo files.
        stride: sizes are cropped to its multiples.
        crop: side of the largest square to use, in pixels, or None.

    Attributes:
        paths: after `readable`, without those that were skipped.
        skipped: reasons by path.
    """

    def __init__(self, paths, stride, crop=None):
        self.paths, self.stride, self.crop = paths, stride, crop
        self.skipped = {}

    def read(self, path):
        """The photo as float32 `(1, height, width, 3)` in [0, 1], its centre if it has to be cropped.

        Raises:
            InputError: it cannot be read or is too small.
        """
        image = flatten(read_photo(path))
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        sizes = [min(size, self.crop or size) // self.stride * self.stride for size in (image.height, image.width)]
        if min(sizes) < MINIMUM_SIZE:
            raise InputError(f"{path}: {image.width}x{image.height} pixels are left but it takes {MINIMUM_SIZE} each way")
        top, left = (image.height - sizes[0]) // 2, (image.width - sizes[1]) // 2
        pixels = np.asarray(image.crop((left, top, left + sizes[1], top + sizes[0])))
        return pixels[None].astype(np.float32) / 255

    def readable(self):
        """Yield every photo that can be read, and note those that cannot.

        Raises:
            InputError: there is none that can.
        """
        for path in tqdm(self.paths, unit="photo", disable=None):
            try:
                yield self.read(path)
            except InputError as error:
                self.skipped[path] = error
        self.paths = [path for path in self.paths if path not in self.skipped]
        if not self.paths:
            raise InputError(f"no photo can be used; the first: {next(iter(self.skipped.values()))}")

    def report_skipped(self):
        """Say on stderr which photos were skipped, and why."""
        if self.skipped:
            print(f"skipped {len(self.skipped)} that cannot be used:", file=sys.stderr)
        for error in self.skipped.values():
            print(f"  {cli.message(error)}", file=sys.stderr)


# --- the paper's recipe --------------------------------------------------------------------------------------------------


def gradient_eigenbases(options, teacher, widths, photos, photo_covariances):
    """Bases found by Adam on the paper's objective, float32. A run that was cut short goes on at the epoch it was in."""
    from common.eigenbases.covariances import mean_covariances
    from common.eigenbases.gradient import GradientEigenbases, train

    def covariances_of(paths):
        return mean_covariances(photo_covariances, map(photos.read, paths))

    folder = training_folder(options, teacher, widths, photos)
    model = GradientEigenbases(teacher.widths.features, widths, options.seed)
    backup = folder / "backup.weights.h5"
    bases = train(model, photos.paths, covariances_of, options.epochs, options.learning_rate, options.seed, backup)
    shutil.rmtree(folder)
    return bases


def training_folder(options, teacher, widths, photos):
    """The folder beside the output to keep the state of the training in.

    Raises:
        InputError: it is of a training that was not the same.
    """
    from common.network.autoencoder import encoder_sha256

    folder = options.output.with_name(f"{options.output.name}.training")
    folder.mkdir(exist_ok=True)
    origin = {
        "weights_sha256": encoder_sha256(teacher),
        "photos_sha256": sha256_of(*photos.paths),
        "widths": list(widths),
        "crop": options.crop,
        "seed": options.seed,
        "learning_rate": options.learning_rate,
    }
    require_same_origin(folder / "run.json", origin, f"{folder} holds a training", "remove it to start afresh")
    return folder
