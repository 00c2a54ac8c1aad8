"""Compare ways of style transfer on pairs of photos: what is kept of the content, what is taken of the style, at what cost.

python -m common.commands.compare notebooks/photos --models mobilenet mobilenet=ckpts/released/mobilenet -o report
python -m common.commands.compare PAIRS --models vgg mobilenet --weights vgg=vgg19_normalised.npz -o report
python -m common.commands.compare PAIRS --models mobilenet mobilenet@paper --enlarge 3840 --size 960 -o report

PAIRS is a folder with NAME_content.* and NAME_style.* for every pair; where there is NAME_truth.* too, as make_truth writes
it, results are also measured against that right answer. Beside the models stand the content as it is and three classical
colour transfers: Reinhard's, linear Monge-Kantorovich, histogram matching. REPORT gets pictures.csv, methods.csv, report.md,
scatter.png and contact_sheet.jpg. Five pairs and two models take some minutes on two cores.
"""

import multiprocessing
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from PIL import Image

from common.commands import cli
from common.commands.model_options import judge_name, load_judge, network_name, pretrained
from common.commands.training_options import positive
from common.errors import InputError
from common.evaluation.lpips import Lpips
from common.evaluation.methods import (
    STRENGTHS,
    UNTOUCHED,
    colour_transfers,
    load_network,
    measured,
    restyle_pairs,
    result_path,
    scored,
)
from common.evaluation.pairs import pairs_in
from common.evaluation.report import FILES, contact_sheet, write_report
from common.evaluation.similarity import JUDGED_LEVELS
from common.files import require_absent
from common.network.keras_backend import import_backend
from common.transfer.stylizer import PRESETS


def main(arguments=None):
    """Run the command and give its exit status."""
    return cli.report_errors(compare, command_parser().parse_args(arguments))


def command_parser():
    """The command's options."""
    result = cli.parser(__doc__)
    option = result.add_argument
    option("pairs", type=Path, metavar="PAIRS", help="folder of photos NAME_content.* and NAME_style.*")
    option("-o", "--output", type=Path, required=True, metavar="REPORT", help="folder to write the report to")
    option(
        "--models",
        type=network_name,
        nargs="+",
        default=["mobilenet"],
        metavar="M",
        help="vgg or mobilenet, a student, =CHECKPOINT where it is not the one in ckpts/; vgg-teacher=WEIGHTS[,DECODER] or "
        "mobilenet-teacher=WEIGHTS[,DECODER] (default: mobilenet); behind it @look (default), @guided, @none, or @paper: "
        f"the network on all pixels, and the guided filter; or with a grade, @{' @'.join(PRESETS)}, a number from 0 to 1 as "
        "in @0.3, or @grade, that alone; and behind a look or a grade a variant, as in @look+adain",
    )
    option(
        "--weights",
        type=judge_name,
        default="mobilenet=imagenet",
        metavar="BACKBONE=W",
        help="in whose features styles are compared: pretrained weights, a .npz file or imagenet (Keras downloads it), or a "
        "student's checkpoint, its features lifted by its eigenbases (default: %(default)s)",
    )
    option(
        "--lpips",
        type=Path,
        metavar="FILE.onnx",
        help="measure LPIPS, too, by this ONNX model; docs/methods.md says how to make one",
    )
    option("--size", type=positive, default=512, metavar="SIDE", help="of larger photos, in pixels (%(default)s)")
    option(
        "--enlarge",
        type=positive,
        metavar="SIDE",
        help="enlarge contents to this longer side before they are restyled; results are measured at --size",
    )
    option("--full-strength", action="store_true", help="measure at full strength alone: faster, nothing at equal style")
    option("--overwrite", action="store_true", help="replace a report that is there")
    return result


def compare(options):
    """Do what `options` ask for. What can be checked is checked before the first photo is restyled."""
    from tqdm import tqdm

    pairs = pairs_in(options.pairs, options.size, options.enlarge)
    require_free(options.output, options.overwrite)
    for pair in pairs:
        pair.read()
        if pair.truth:
            pair.read_truth()
    lpips = Lpips(options.lpips) if options.lpips else None
    import_backend()
    teacher = pretrained(load_judge, options.weights)
    models = list(dict.fromkeys(options.models))
    for name in models:
        pretrained(load_network, name)

    strengths = STRENGTHS[-1:] if options.full_strength else STRENGTHS
    names = [UNTOUCHED, *colour_transfers(), *models]
    costs, rows, scores = {}, [], {name: {} for name in names}
    with tempfile.TemporaryDirectory() as folder:
        folders = [Path(folder, str(index)) for index in range(len(names))]
        for name, below in zip(tqdm(names, "restyling", unit="method", disable=None), folders, strict=True):
            below.mkdir()
            costs[name] = in_own_process(restyle_pairs, name, pairs, below, strengths)
        for pair in tqdm(pairs, "measuring", unit="pair", disable=None):
            for name, below in zip(names, folders, strict=True):
                if pair.truth:
                    scores[name][pair.name] = scored(name, pair, below, lpips)
                rows += measured(teacher, name, pair, below, lpips, strengths)
        pictures = (
            [
                *map(Image.fromarray, pair.read()),
                *(Image.open(result_path(folder, pair, STRENGTHS[-1])) for folder in folders),
            ]
            for pair in pairs
        )
        sheet = contact_sheet(["content", "style", *names], pictures)
    title = f"{len(pairs)} pairs of {options.pairs}"
    enlarged = f" Contents were enlarged to {options.enlarge} pixels before." if options.enlarge else ""
    conditions = (
        f"Measured at a longer side of at most {options.size} pixels.{enlarged} Style distance: 0 is the look of the style, "
        f"1 that of the content, by mean and covariance of the features of {options.weights} at levels 0 to "
        f"{JUDGED_LEVELS - 1}."
    )
    known = any(pair.truth for pair in pairs)
    write_report(options.output, rows, costs, models, sheet, title, conditions, scores if known else None)
    print(options.output / "report.md")


def require_free(report, overwrite):
    """Raise `InputError` where the report cannot be written, or would replace another."""
    if report.exists() and not report.is_dir():
        raise InputError(f"{report} is a file, not a folder to write the report to")
    for name in FILES:
        require_absent(report / name, overwrite)


def in_own_process(work, *arguments):
    """`work(*arguments)` in a fresh process; its errors are raised here."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(work, *arguments).result()
        except BrokenProcessPool as error:
            raise InputError(f"{arguments[0]} was cut off: is there enough memory?") from error


if __name__ == "__main__":
    sys.exit(main())
