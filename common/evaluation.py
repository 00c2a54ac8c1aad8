"""Compare ways of style transfer on pairs of photos: what is kept of the content, what is taken of the style, at what cost.

python -m common.evaluation notebooks/photos --models mobilenet mobilenet=ckpts/released/mobilenet -o report
python -m common.evaluation PAIRS --models vgg mobilenet --weights vgg=vgg19_normalised.npz -o report
python -m common.evaluation PAIRS --models mobilenet mobilenet@paper --enlarge 3840 --size 960 -o report

PAIRS is a folder with NAME_content.* and NAME_style.* for every pair. Beside the models stand three classical colour
transfers: Reinhard's, linear Monge-Kantorovich, histogram matching. REPORT gets pictures.csv, methods.csv, report.md,
scatter.png and contact_sheet.jpg. Five pairs and two models take some minutes on two cores.
"""

import argparse
import functools
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from common import cli, evaluation_report, images, registry, training
from common.backbone import BACKBONES, MINIMUM_SIZE
from common.errors import InputError
from common.evaluation_report import Cost, Row
from common.files import require_absent
from common.similarity import JUDGED_LEVELS, edge_ssim, glow, look, luminance_ssim, style_distance

NETWORKS = (*BACKBONES, *(f"{name}-teacher" for name in BACKBONES))
# How a network's result is finished, as keyword arguments of `common.stylize.Stylizer`; "paper": all pixels, guided filter.
FINISHES = {
    "look": {"finish": "look"},
    "guided": {"finish": "guided"},
    "none": {"finish": "none"},
    "paper": {"finish": "guided", "size": None},
}
# Of the transfer: what a curve of content against style is drawn through. The last is the full one.
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)


# --- pairs ---------------------------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    """Paths of a content and a style photo.

    Attributes:
        size: longer side in pixels that larger photos are reduced to.
        enlarged: longer side that the content is enlarged to before it is restyled, or None.
    """

    name: str
    content: Path
    style: Path
    size: int
    enlarged: int | None

    def read(self):
        """Content and style, uint8 `(height, width, 3)`.

        Raises:
            InputError: one cannot be read or is too small, or they are the same.
        """
        photos = [images.shrink_to_side(images.read_rgb(path), self.size) for path in (self.content, self.style)]
        for path, photo in zip((self.content, self.style), photos, strict=True):
            height, width = photo.shape[:2]
            if min(height, width) < MINIMUM_SIZE:
                raise InputError(f"{path} is {width}x{height} pixels but must be at least {MINIMUM_SIZE}x{MINIMUM_SIZE}")
        if np.array_equal(*photos):
            raise InputError(f"{self.content} and its style are the same photo")
        return photos


def pairs_in(folder, size, enlarged=None):
    """The pairs in a folder, by name; other photos are left alone.

    Raises:
        InputError: there is none, or a content has no style.
    """
    by_stem = {path.stem: path for path in images.photo_paths(folder)}
    names = [stem.removesuffix("_content") for stem in by_stem if stem.endswith("_content")]
    if not names:
        raise InputError(f"{folder} holds no pair: a content is called NAME_content.jpg, its style NAME_style.jpg")
    for name in names:
        if f"{name}_style" not in by_stem:
            raise InputError(f"{by_stem[f'{name}_content']} has no style: there is no {name}_style.* beside it")
    return [Pair(name, by_stem[f"{name}_content"], by_stem[f"{name}_style"], size, enlarged) for name in names]


# --- methods: a function of content and style that gives a function of the strength --------------------------------------


def colour_transfer(transfer):
    """One of `common.colour_transfer`; strengths below 1 are blends with the content."""

    def restyle(content, style):
        content, style = content / 255, style / 255
        result = np.clip(transfer(content, style), 0, 1)
        return lambda strength: np.round(255 * (content + strength * (result - content))).astype(np.uint8)

    return restyle


def network(model, finish):
    """A student or teacher, with the project's default transform, and one of `FINISHES`."""
    from common.stylize import Stylizer

    stylizer = Stylizer(model, **FINISHES[finish])

    def restyle(content, style):
        analysed = stylizer.analyze(style)
        return lambda strength: stylizer.apply(content, analysed, strength)

    return restyle


def load_network(name):
    """The model that `name` stands for, and its finish: NETWORK[=SOURCE][@FINISH].

    SOURCE is a student's checkpoint; for a teacher its weights, and after a comma its decoder.

    Raises:
        InputError: it cannot be loaded or has no decoder.
    """
    kind, source, finish = parts_of(name)
    backbone, _, is_teacher = kind.partition("-")
    if not is_teacher:
        return registry.load_network(backbone, checkpoint=source or None), finish
    model = registry.teacher(backbone).load(*source.split(","))
    if len(model.decoder_blocks) < len(model.encoder_blocks):
        raise InputError(f"{name}: the teacher has no decoder; name one after its weights: {kind}=WEIGHTS,DECODER")
    return model, finish


def parts_of(name):
    """NETWORK, SOURCE and FINISH of a model's name; no source is empty."""
    name, _, finish = name.partition("@")
    kind, _, source = name.partition("=")
    return kind, source, finish or "look"


def restyle_pairs(name, pairs, folder):
    """Restyle all pairs at all strengths, write the results to `folder` and give the method's `Cost`.

    Meant for a process of its own, so that nobody else's memory is counted.
    """
    restyle, weights = method(name)
    seconds = []
    for pair in pairs:
        content, style = pair.read()
        if pair.enlarged:
            content = images.enlarge_to_side(content, pair.enlarged)
        if not seconds:
            restyle(content, style)(1.0)  # a first call takes longer
        begin = time.perf_counter()
        at_strength = restyle(content, style)
        full = at_strength(STRENGTHS[-1])
        seconds.append(time.perf_counter() - begin)
        for strength in STRENGTHS:
            result = full if strength == STRENGTHS[-1] else at_strength(strength)
            reduced = images.shrink_to_side(result, pair.size)
            images.write(Image.fromarray(reduced), result_path(folder, pair, strength))
    return Cost(float(np.median(seconds)), peak_memory(), weights)


def method(name):
    """The method called `name`, and how many trained weights it has."""
    if name in colour_transfers():
        return colour_transfer(colour_transfers()[name]), 0
    model, finish = load_network(name)
    return network(model, finish), model.weight_count


def colour_transfers():
    """The classical methods by name; imported here, for it takes a second."""
    from common.colour_transfer import METHODS

    return METHODS


def result_path(folder, pair, strength):
    """Where the result of `pair` lies between restyling and measuring; without loss."""
    return folder / f"{pair.name}_{strength}.png"


def peak_memory():
    """Peak resident memory of this process in bytes, or None; `getrusage` would count the parent's."""
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None


# --- the command ---------------------------------------------------------------------------------------------------------


def main(arguments=None):
    """Run the command and give its exit status."""
    return cli.report_errors(evaluate, command_parser().parse_args(arguments))


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
        "the network on all pixels, and the guided filter",
    )
    option(
        "--weights",
        type=judge_name,
        default="mobilenet=imagenet",
        metavar="BACKBONE=W",
        help="in whose features styles are compared: pretrained weights, a .npz file or imagenet (Keras downloads it), or a "
        "student's checkpoint, its features lifted by its eigenbases (default: %(default)s)",
    )
    option("--size", type=training.positive, default=512, metavar="SIDE", help="of larger photos, in pixels (%(default)s)")
    option(
        "--enlarge",
        type=training.positive,
        metavar="SIDE",
        help="enlarge contents to this longer side before they are restyled; results are measured at --size",
    )
    option("--overwrite", action="store_true", help="replace a report that is there")
    return result


def network_name(text):
    """The name of a network, for argparse."""
    kind, source, finish = parts_of(text)
    if kind not in NETWORKS:
        raise argparse.ArgumentTypeError(f"{kind} is none of {', '.join(NETWORKS)}")
    if finish not in FINISHES:
        raise argparse.ArgumentTypeError(f"{finish} is none of {', '.join(FINISHES)}")
    if kind.endswith("-teacher") and not source:
        raise argparse.ArgumentTypeError(f"{kind} needs its weights: {kind}=WEIGHTS[,DECODER]")
    return text


def judge_name(text):
    """BACKBONE=WEIGHTS, for argparse."""
    backbone, _, weights = text.partition("=")
    if backbone not in BACKBONES or not weights:
        raise argparse.ArgumentTypeError(f"{text} is not {'=WEIGHTS or '.join(BACKBONES)}=WEIGHTS")
    return text


def evaluate(options):
    """Do what `options` ask for. What can be checked is checked before the first photo is restyled."""
    from tqdm import tqdm

    pairs = pairs_in(options.pairs, options.size, options.enlarge)
    require_free(options.output, options.overwrite)
    for pair in pairs:
        pair.read()
    cli.import_backend()
    teacher = pretrained(load_judge, options.weights)
    models = list(dict.fromkeys(options.models))
    for name in models:
        pretrained(load_network, name)

    names = [*colour_transfers(), *models]
    costs, rows = {}, []
    with tempfile.TemporaryDirectory() as folder:
        folders = [Path(folder, str(index)) for index in range(len(names))]
        for name, below in zip(tqdm(names, "restyling", unit="method", disable=None), folders, strict=True):
            below.mkdir()
            costs[name] = in_own_process(restyle_pairs, name, pairs, below)
        for pair in tqdm(pairs, "measuring", unit="pair", disable=None):
            rows += [row for name, below in zip(names, folders, strict=True) for row in measured(teacher, name, pair, below)]
        pictures = (
            [
                *map(Image.fromarray, pair.read()),
                *(Image.open(result_path(folder, pair, STRENGTHS[-1])) for folder in folders),
            ]
            for pair in pairs
        )
        sheet = evaluation_report.contact_sheet(["content", "style", *names], pictures)
    title = f"{len(pairs)} pairs of {options.pairs}"
    enlarged = f" Contents were enlarged to {options.enlarge} pixels before." if options.enlarge else ""
    conditions = (
        f"Measured at a longer side of at most {options.size} pixels.{enlarged} Style distance: 0 is the look of the style, "
        f"1 that of the content, by mean and covariance of the features of {options.weights} at levels 0 to "
        f"{JUDGED_LEVELS - 1}."
    )
    evaluation_report.write(options.output, rows, costs, models, sheet, title, conditions)
    print(options.output / "report.md")


def require_free(report, overwrite):
    """Raise `InputError` where the report cannot be written, or would replace another."""
    if report.exists() and not report.is_dir():
        raise InputError(f"{report} is a file, not a folder to write the report to")
    for name in evaluation_report.FILES:
        require_absent(report / name, overwrite)


def load_judge(name):
    """The teacher in whose features styles are compared; BACKBONE=WEIGHTS.

    Raises:
        InputError: it cannot be loaded.
    """
    from common.distillation import load_teacher

    backbone, _, weights = name.partition("=")
    return load_teacher([weights], registry.student(backbone), registry.teacher(backbone))


def pretrained(load, name):
    """`load(name)`; `InputError` where that means ImageNet's weights and Keras cannot download them."""
    try:
        return load(name)
    except Exception as error:  # Keras raises no narrower one
        if isinstance(error, InputError) or "imagenet" not in name:
            raise
        raise InputError(
            f"the ImageNet weights cannot be had ({error}); without a network, styles can be compared in the features of "
            "the student that is here: --weights mobilenet=ckpts/mobilenet/student.weights.h5"
        ) from error


def in_own_process(work, *arguments):
    """`work(*arguments)` in a fresh process; its errors are raised here."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(work, *arguments).result()
        except BrokenProcessPool as error:
            raise InputError(f"{arguments[0]} was cut off: is there enough memory?") from error


def measured(teacher, name, pair, folder):
    """A `Row` for every strength of method `name` on `pair`; its results lie in `folder`."""
    content, content_look, style_look = looks(teacher, pair)
    for strength in STRENGTHS:
        result = images.read_rgb(result_path(folder, pair, strength))
        distance = style_distance(look(teacher, result), style_look, content_look)
        kept = luminance_ssim(content, result), edge_ssim(content, result)
        yield Row(name, pair.name, strength, *kept, glow(result, content), distance)


@functools.lru_cache(maxsize=1)
def looks(teacher, pair):
    """The content of a pair, its look and the style's."""
    content, style = pair.read()
    return content, look(teacher, content), look(teacher, style)


if __name__ == "__main__":
    sys.exit(main())
