"""Say what trained networks are worth, in numbers.

python -m stargan_v2.evaluate RUN --photos FOLDER --real TRAINED_ON --vgg vgg19.npz
python -m stargan_v2.evaluate RUN2 --photos FOLDER --teacher RUN --truth SET/truth.json -o report.json

FOLDER has a folder for each domain. Measured are: cost; with --teacher, how like the teacher's a student's images are; with
--truth, how near the right answers; with --vgg, the Frechet distance and the diversity of outputs on VGG-19's features.
Those are no FID and no LPIPS, which need --inception and --lpips: networks in ONNX files, of which the project brings none.
FID and the Frechet distance compare with --real, the training photos in the published protocol. More is better of psnr, gka,
r2 and diversity.
"""

import json
import sys
from pathlib import Path

from common.commands import cli
from common.commands.training_options import positive
from common.errors import InputError
from common.files import require_absent, require_room, written_whole


def main(arguments=None):
    """Run the command and give its exit status."""
    return cli.report_errors(evaluate, command_parser().parse_args(arguments))


def command_parser():
    """The command's options."""
    result = cli.parser(__doc__)
    option = result.add_argument
    option("run", type=Path, metavar="RUN", help="what stargan_v2.train or stargan_v2.distill wrote")
    option("--photos", type=Path, required=True, metavar="FOLDER", help="unseen photos, a folder for each domain")
    option("--real", type=Path, metavar="FOLDER", help="photos to compare outputs with (default: those of --photos)")
    option("--teacher", type=Path, metavar="RUN", help="of a student")
    option("--truth", type=Path, metavar="truth.json", help="of a set that stargan_v2.make_day_and_dusk made")
    option("--vgg", type=Path, metavar="FILE.npz", help="weights of VGG-19, as vgg_backbone takes them")
    option(
        "--inception", type=Path, metavar="FILE.onnx", help="(1, 3, 299, 299) of ImageNet's mean and deviation to features"
    )
    option("--lpips", type=Path, metavar="FILE.onnx", help="twice (batch, 3, height, width) in [-1, 1] to distances")
    option("--outputs", type=positive, default=10, metavar="N", help="of each photo (default: %(default)s)")
    option("-o", "--output", type=Path, metavar="FILE.json", help="write the numbers there too")
    option("--overwrite", action="store_true", help="replace the file that is there")
    return result


def evaluate(options):
    """Measure what `options` ask for, and print it."""
    if options.output:
        require_room(options.output)
        require_absent(options.output, options.overwrite)
    truth = read_truth(options.truth) if options.truth else None
    from common.network.keras_backend import import_backend

    import_backend()
    from stargan_v2 import checkpoints, evaluation

    trained = checkpoints.load(options.run)
    size = trained.config.size
    photos = photos_in(options.photos, trained.domains, size)
    path = options.run / checkpoints.NETWORKS if options.run.is_dir() else options.run
    report = {"step": trained.step, "cost": evaluation.cost(trained, path)}
    if options.teacher:
        teacher = checkpoints.load(options.teacher)
        require_same_kind(trained, teacher, options)
        report["against_teacher"] = evaluation.against_teacher(trained.networks, teacher.networks, photos)
    if truth:
        require_domains(truth, trained.domains, options)
        folder = options.truth.parent
        report["against_truth"] = evaluation.against_truth(trained.networks, trained.domains, folder, truth, size)
    real = photos_in(options.real, trained.domains, size) if options.real else photos
    if (options.vgg or options.inception) and min(map(len, real)) < 2:
        raise InputError(f"{options.real or options.photos}: the Frechet distance needs two photos of every domain")
    for name, vectors, distance in compared_by(options):
        report[name] = evaluation.likeness(trained.networks, photos, real, vectors, distance, options.outputs)
    print_report(report)
    if options.output:
        with written_whole(options.output) as temporary:
            temporary.write_text(json.dumps(report, indent=1) + "\n")


def read_truth(path):
    """What `make_day_and_dusk` wrote.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        truth = json.loads(path.read_text())
        if not truth["answers"] or not truth["parameters"]:
            raise ValueError("no answers")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path} is not what stargan_v2.make_day_and_dusk wrote: {error}") from error
    return truth


def require_domains(truth, domains, options):
    """Raise `InputError` unless the networks know all domains that have answers."""
    unknown = sorted({str(entry["target"]) for entry in truth["answers"]} - set(domains))
    if unknown:
        raise InputError(f"{options.truth} has answers for {', '.join(unknown)}, but the networks know {', '.join(domains)}")


def photos_in(folder, domains, size):
    """Photos as arrays by domain.

    Raises:
        InputError: the folder has other domains, or a photo cannot be read.
    """
    from stargan_v2.batches import domains_in
    from stargan_v2.evaluation import read

    found = domains_in(folder)
    if found.names != domains:
        raise InputError(f"{folder} has the domains {', '.join(found.names)}, but the networks know {', '.join(domains)}")
    return [read(paths, size) for paths in found.paths]


def require_same_kind(student, teacher, options):
    """Raise `InputError` unless images and styles of a student and of its teacher can be compared."""
    for name in ("size", "domains", "style_dim", "latent_dim", "halvings", "high_pass"):
        if getattr(student.config, name) != getattr(teacher.config, name):
            raise InputError(
                f"{options.run} and {options.teacher} differ in {name.replace('_', ' ')}: no student and teacher"
            )


def compared_by(options):
    """For each network that images are compared by: its measures' name, vectors, and distance."""
    from stargan_v2.feature_networks import Inception, Lpips, Vgg

    if options.vgg:
        vgg = Vgg(options.vgg)
        yield "vgg19", vgg.vectors, vgg.distance
    if options.inception:
        yield "fid", Inception(options.inception).vectors, None
    if options.lpips:
        yield "lpips", None, Lpips(options.lpips).distance


def print_report(report):
    """Print numbers by section and name."""
    print(f"after {report['step']} iterations")
    for section, numbers in report.items():
        if section != "step":
            print(section.replace("_", " "))
            for name, number in numbers.items():
                shown = f"{number:,.4f}" if isinstance(number, float) else f"{number:,}"
                print(f"  {name.replace('_', ' '):28} {shown:>16}")


if __name__ == "__main__":
    sys.exit(main())
