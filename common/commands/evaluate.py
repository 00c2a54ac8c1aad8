"""The command `evaluate` of both backbones: a table of what a model is worth on photos it has not seen."""

from pathlib import Path

from common.commands import cli
from common.commands.training_options import positive, require_multiple
from common.errors import InputError
from common.network import registry
from common.photos import photo_paths


def main(backbone, doc, arguments=None):
    """Run the command and give its exit status; arguments as of `common.commands.train_distilled_model.main`."""
    return cli.report_errors(evaluate, command_parser(doc).parse_args(arguments), backbone)


def command_parser(doc):
    """The command's options."""
    result = cli.parser(doc)
    option = result.add_argument
    option("--photos", type=Path, required=True, metavar="DIR", help="folder of photos to measure on")
    option("--model", choices=("student", "teacher"), default="student", help="default: %(default)s")
    option(
        "--checkpoint",
        type=Path,
        metavar="PATH",
        help="of the student, by default that in ckpts/; of the teacher its decoder",
    )
    option("--weights", nargs="+", default=[], metavar="W", help=f"{cli.WEIGHTS}; a student is held to it")
    option(
        "--size",
        type=positive,
        default=320,
        metavar="SIDE",
        help="of the centre crop, in pixels (default: %(default)s)",
    )
    return result


def evaluate(options, name):
    """Measure what `options` name and print a table."""
    require_multiple(options.size, registry.backbone(name).strides[-1], "--size")
    if options.model == "teacher" and len(options.weights) > 1:
        raise InputError("--model teacher is measured by itself: it takes one --weights, its own")
    paths = photo_paths(options.photos)
    student, teacher = registry.student(name), registry.teacher(name)
    from tqdm import tqdm

    from common.distillation.teachers import load_teacher
    from common.evaluation.network_quality import measure
    from common.photos.crops import CentreCrops

    if options.model == "teacher":
        model, taught_by = teacher.load(*(options.weights or ["imagenet"]), options.checkpoint), None
    else:
        model = student.load(options.checkpoint)
        if options.weights and not model.eigenbases:
            raise InputError("the student has no eigenbases: without them it cannot be held to --weights")
        taught_by = load_teacher(options.weights, student, teacher) if options.weights else None
    batches = CentreCrops(paths, size=options.size)
    print_table(measure(model, tqdm(batches, unit="batch", disable=None), taught_by))


def print_table(measures):
    """PSNR, and share explained with its limit where there is a teacher, by level; then the layers with dead channels."""
    print("level  PSNR / dB  explained  limit")
    for level in range(max(len(measures.psnr), len(measures.explained))):
        row = [
            column[level] if level < len(column) else None for column in (measures.psnr, measures.explained, measures.limit)
        ]
        print(f"{level:5}  {cell(row[0], 9, 2)}  {cell(row[1], 9, 4)}  {cell(row[2], 6, 4)}")
    print("live channels: " + ", ".join(f"{name} {live}/{width}" for name, live, width in measures.live))


def cell(value, width, digits):
    """A number, or a dash, for a table."""
    return f"{'-':>{width}}" if value is None else f"{value:{width}.{digits}f}"
