"""Compare ways of style transfer on pairs of photos: what is kept of the content, what is taken of the style, at what cost.

python -m common.evaluation notebooks/photos --models mobilenet mobilenet=ckpts/released/mobilenet -o report
python -m common.evaluation PAIRS --models vgg mobilenet --weights vgg=vgg19_normalised.npz -o report

PAIRS is a folder with NAME_content.* and NAME_style.* for every pair. Beside the models stand three classical colour
transfers: Reinhard's, linear Monge-Kantorovich, histogram matching. REPORT gets pictures.csv, methods.csv, report.md,
scatter.png and contact_sheet.jpg. Five pairs and two models take some minutes on two cores.
"""

import argparse
import csv
import functools
import importlib
import multiprocessing
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from common import cli, images, training
from common.backbone import MINIMUM_SIZE
from common.errors import InputError
from common.files import require_absent, written_whole

NETWORKS = ("vgg", "mobilenet", "vgg-teacher", "mobilenet-teacher")
REPORT_FILES = ("pictures.csv", "methods.csv", "report.md", "scatter.png", "contact_sheet.jpg")
# Of the transfer: what a curve of content against style is drawn through. The last is the full one.
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
# Of the teacher whose features tell how close two photos are in style: relu1_1, relu2_1 and relu3_1 of VGG.
JUDGED_LEVELS = 3
# A result further than this from its style, by `style_distance`, has taken nothing of it worth comparing.
RESTYLED = 0.98
# Of a picture on the contact sheet, width and height in pixels, and the height and characters of its caption.
CELL, CAPTION, LONGEST_NAME = (240, 180), 20, 34


# --- measures ------------------------------------------------------------------------------------------------------------


def luminance_ssim(photo, other):
    """Structural similarity (Wang et al. 2004) of the luminance of two uint8 photos: 1 for the same photo."""
    return ssim(luminance(photo), luminance(other))


def edge_ssim(photo, other):
    """Structural similarity of the Sobel edges of two uint8 photos: 1 for the same photo."""
    from skimage.filters import sobel

    return ssim(sobel(luminance(photo)), sobel(luminance(other)))


def luminance(photo):
    """Luminance of a uint8 photo, `(height, width)`, in [0, 1]."""
    from skimage.color import rgb2gray

    return rgb2gray(photo)


def ssim(image, other):
    """Structural similarity of two images `(height, width)` of values in [0, 1]."""
    from skimage.metrics import structural_similarity

    return float(structural_similarity(image, other, data_range=1.0))


def frechet_distance(first, second):
    """Squared Fréchet distance between the Gaussians of two `common.transforms.Statistics` (Dowson & Landau 1982).

    |m - m'|^2 + tr(K + K' - 2 (K^1/2 K' K^1/2)^1/2): one number for the distance in mean and in covariance.
    """
    from common.transforms import matrix_power

    root = matrix_power(first.covariance, 0.5)
    shared = np.linalg.eigvalsh(root @ second.covariance @ root).clip(min=0)
    gap = first.mean - second.mean
    return max(0.0, gap @ gap + np.trace(first.covariance + second.covariance) - 2 * np.sqrt(shared).sum())


def style_distance(result, style, content):
    """How far a result is from its style, as a share of how far its content was: 0 is the style's look, 1 the content's.

    Mean over levels of the root of the ratio of `frechet_distance`; each argument is a list of `Statistics` by level.
    """
    levels = zip(result, style, content, strict=True)
    return float(np.mean([np.sqrt(frechet_distance(r, s) / frechet_distance(c, s)) for r, s, c in levels]))


def look(teacher, photo):
    """The style of a uint8 photo: `Statistics` of the teacher's feature at the judged levels."""
    from common.transforms import statistics

    features, _ = teacher.encode(photo[None].astype(np.float32) / 255, JUDGED_LEVELS - 1)
    return [statistics(feature[0]) for feature in features]


# --- pairs ---------------------------------------------------------------------------------------------------------------


class Pair(NamedTuple):
    """Paths of a content and a style photo, and the longer side in pixels that larger ones are reduced to."""

    name: str
    content: Path
    style: Path
    size: int

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


def pairs_in(folder, size):
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
    return [Pair(name, by_stem[f"{name}_content"], by_stem[f"{name}_style"], size) for name in names]


# --- methods: a function of content and style that gives a function of the strength --------------------------------------


def colour_transfer(transfer):
    """One of `common.colour_transfer`; strengths below 1 are blends with the content."""

    def restyle(content, style):
        content, style = content / 255, style / 255
        result = np.clip(transfer(content, style), 0, 1)
        return lambda strength: np.round(255 * (content + strength * (result - content))).astype(np.uint8)

    return restyle


def network(model):
    """A student or teacher, with the project's default transform and smoothing."""
    from common.stylize import Stylizer

    stylizer = Stylizer(model)

    def restyle(content, style):
        analysed = stylizer.analyze(style)
        return lambda strength: stylizer.apply(content, analysed, strength)

    return restyle


def load_network(name):
    """The model that `name` stands for: NETWORK or NETWORK=SOURCE.

    SOURCE is a student's checkpoint; for a teacher its weights, and after a comma its decoder.

    Raises:
        InputError: it cannot be loaded or has no decoder.
    """
    kind, _, source = name.partition("=")
    backbone, _, is_teacher = kind.partition("-")
    if not is_teacher:
        return backbone_module(backbone, "student").load(source or None)
    model = backbone_module(backbone, "teacher").load(*source.split(","))
    if len(model.decoder_blocks) < len(model.encoder_blocks):
        raise InputError(f"{name}: the teacher has no decoder; name one after its weights: {kind}=WEIGHTS,DECODER")
    return model


def backbone_module(backbone, name):
    return importlib.import_module(f"{backbone}_backbone.{name}")


class Cost(NamedTuple):
    """Seconds a pair (median), peak resident memory in bytes (None where the system does not tell), trained weights."""

    seconds: float
    memory: int | None
    weights: int


def restyle_pairs(name, pairs, folder):
    """Restyle all pairs at all strengths, write the results to `folder` and give the method's `Cost`.

    Meant for a process of its own, so that nobody else's memory is counted.
    """
    restyle, weights = method(name)
    seconds = []
    for pair in pairs:
        content, style = pair.read()
        if not seconds:
            restyle(content, style)(1.0)  # a first call takes longer
        begin = time.perf_counter()
        at_strength = restyle(content, style)
        full = at_strength(STRENGTHS[-1])
        seconds.append(time.perf_counter() - begin)
        for strength in STRENGTHS:
            result = full if strength == STRENGTHS[-1] else at_strength(strength)
            images.write(Image.fromarray(result), result_path(folder, pair, strength))
    return Cost(float(np.median(seconds)), peak_memory(), weights)


def method(name):
    """The method called `name`, and how many trained weights it has."""
    if name in colour_transfers():
        return colour_transfer(colour_transfers()[name]), 0
    cli.import_backend()
    model = load_network(name)
    return network(model), sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


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


class Row(NamedTuple):
    """What is measured of one picture."""

    method: str
    pair: str
    strength: float
    luminance_ssim: float
    edge_ssim: float
    style_distance: float


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
        "mobilenet-teacher=WEIGHTS[,DECODER] (default: mobilenet)",
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
    option("--overwrite", action="store_true", help="replace a report that is there")
    return result


def network_name(text):
    """The name of a network, for argparse."""
    kind, _, source = text.partition("=")
    if kind not in NETWORKS:
        raise argparse.ArgumentTypeError(f"{kind} is none of {', '.join(NETWORKS)}")
    if kind.endswith("-teacher") and not source:
        raise argparse.ArgumentTypeError(f"{kind} needs its weights: {kind}=WEIGHTS[,DECODER]")
    return text


def judge_name(text):
    """BACKBONE=WEIGHTS, for argparse."""
    backbone, _, weights = text.partition("=")
    if backbone not in ("vgg", "mobilenet") or not weights:
        raise argparse.ArgumentTypeError(f"{text} is not vgg=WEIGHTS or mobilenet=WEIGHTS")
    return text


def evaluate(options):
    """Do what `options` ask for. What can be checked is checked before the first photo is restyled."""
    from tqdm import tqdm

    pairs = pairs_in(options.pairs, options.size)
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
        sheet = contact_sheet(names, pairs, folders)
    write_report(options, rows, costs, models, sheet)


def require_free(report, overwrite):
    """Raise `InputError` where the report cannot be written, or would replace another."""
    if report.exists() and not report.is_dir():
        raise InputError(f"{report} is a file, not a folder to write the report to")
    for name in REPORT_FILES:
        require_absent(report / name, overwrite)


def load_judge(name):
    """The teacher in whose features styles are compared; BACKBONE=WEIGHTS.

    Raises:
        InputError: it cannot be loaded.
    """
    from common.distillation import load_teacher

    backbone, _, weights = name.partition("=")
    return load_teacher([weights], backbone_module(backbone, "student"), backbone_module(backbone, "teacher"))


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
        yield Row(name, pair.name, strength, luminance_ssim(content, result), edge_ssim(content, result), distance)


@functools.lru_cache(maxsize=1)
def looks(teacher, pair):
    """The content of a pair, its look and the style's."""
    content, style = pair.read()
    return content, look(teacher, content), look(teacher, style)


# --- the report ----------------------------------------------------------------------------------------------------------


def write_report(options, rows, costs, models, sheet):
    """Write the files of the report."""
    options.output.mkdir(parents=True, exist_ok=True)
    summaries = [summary(name, rows, cost) for name, cost in costs.items()]
    write_csv(options.output / "pictures.csv", [row._asdict() for row in rows])
    write_csv(options.output / "methods.csv", summaries)
    with written_whole(options.output / "report.md") as temporary:
        temporary.write_text(markdown(options, rows, summaries, models), encoding="utf-8")
    with written_whole(options.output / "scatter.png") as temporary:
        scatter(rows, list(costs)).savefig(temporary, dpi=120)
    images.write(sheet, options.output / "contact_sheet.jpg")
    print(options.output / "report.md")


def summary(name, rows, cost):
    """A line on a method: means over pairs at full strength, and the cost."""
    full = [row for row in rows if row.method == name and row.strength == STRENGTHS[-1]]
    means = {column: float(np.mean([getattr(row, column) for row in full])) for column in Row._fields[3:]}
    return {"method": name} | means | cost._asdict()


def write_csv(path, lines):
    """Write dicts of the same keys as a table."""
    with written_whole(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)


def markdown(options, rows, summaries, models):
    """The report's text: a table of methods, and one of models against all others at equal strength."""
    pairs = {row.pair for row in rows}
    lines = [
        f"# {len(pairs)} pairs of {options.pairs}",
        "",
        f"Longer side at most {options.size} pixels. Style distance: 0 is the look of the style, 1 that of the content, by "
        f"mean and covariance of the features of {options.weights} at levels 0 to {JUDGED_LEVELS - 1}. Edges and luminance: "
        "SSIM with the content. Means over pairs, at full strength; seconds a pair, peak memory of a process of its own.",
        "",
        "| method | edges | luminance | style distance | seconds | memory / MB | weights |",
        "|---|---|---|---|---|---|---|",
    ]
    for line in summaries:
        memory = "-" if line["memory"] is None else f"{line['memory'] / 1e6:,.0f}"
        lines.append(
            f"| {line['method']} | {line['edge_ssim']:.3f} | {line['luminance_ssim']:.3f} | {line['style_distance']:.3f} "
            f"| {line['seconds']:.2f} | {memory} | {line['weights']:,} |"
        )
    lines += [
        "",
        "## At equal style",
        "",
        "How much more of the content's edges (SSIM) a model keeps than an alternative at the same style distance, the "
        "least that both reach: a model is turned down by its strength, a colour transfer by blending with the content. In "
        f"brackets the pairs on which the model keeps more, of those on which both come closer than {RESTYLED}.",
        "",
        f"| than | {' | '.join(models)} |",
        f"|---|{'---|' * len(models)}",
    ]
    for other in (line["method"] for line in summaries):
        cells = ["" if model == other else advantage(rows, model, other) for model in models]
        lines.append(f"| {other} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def advantage(rows, model, other):
    """'+0.034 (4 of 5)': what `model` keeps more of the edges than `other`, mean over pairs; the pairs where it does."""
    gains = [gain(curve(rows, model, pair), curve(rows, other, pair)) for pair in dict.fromkeys(row.pair for row in rows)]
    gains = [gain for gain in gains if gain is not None]
    return f"{np.mean(gains):+.3f} ({sum(gain > 0 for gain in gains)} of {len(gains)})" if gains else "-"


def curve(rows, name, pair):
    """Style distances, rising, and SSIM of edges of a method on a pair over the strengths: two arrays."""
    points = sorted((row.style_distance, row.edge_ssim) for row in rows if (row.method, row.pair) == (name, pair))
    return np.transpose(points)


def gain(first, second):
    """What the first curve is above the second at the least style distance that both reach; None above `RESTYLED`."""
    reached = max(first[0][0], second[0][0])
    if reached > RESTYLED:
        return None
    return float(np.interp(reached, *first) - np.interp(reached, *second))


def scatter(rows, names):
    """A figure of content against style, a panel each for edges and luminance: a curve over strengths for every method."""
    from matplotlib.figure import Figure

    figure = Figure((11, 5.5), layout="constrained")
    for axes, column, title in zip(
        figure.subplots(1, 2), ("edge_ssim", "luminance_ssim"), ("edges kept (SSIM)", "luminance kept (SSIM)"), strict=True
    ):
        for name in names:
            points = [
                np.mean(
                    [(row.style_distance, getattr(row, column)) for row in rows if row[::2][:2] == (name, strength)], axis=0
                )
                for strength in STRENGTHS
            ]
            style = ":" if name in colour_transfers() else "-"
            (line,) = axes.plot(*np.transpose(points), style, label=name, linewidth=1, marker=".")
            axes.plot(*points[-1], "o", color=line.get_color())
        axes.set(xlabel="style distance (0: the style's look)", ylabel=title)
        axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    return figure


def contact_sheet(names, pairs, folders):
    """All results at full strength: a row a pair, with content and style, a column a method."""
    columns = ["content", "style", *names]
    sheet = Image.new("RGB", (CELL[0] * len(columns), (CELL[1] + CAPTION) * len(pairs)), "white")
    drawing, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for row, pair in enumerate(pairs):
        results = [Image.open(result_path(folder, pair, STRENGTHS[-1])) for folder in folders]
        for column, picture in enumerate([*map(Image.fromarray, pair.read()), *results]):
            picture.thumbnail(CELL)
            left, top = column * CELL[0], row * (CELL[1] + CAPTION)
            drawing.text((left + 2, top + 2), shortened(columns[column]), "black", font)
            sheet.paste(picture, (left, top + CAPTION))
    return sheet


def shortened(name):
    """A method's name as it fits above a picture: of a long one, whose path says which it is, the end."""
    return name if len(name) <= LONGEST_NAME else f"...{name[3 - LONGEST_NAME :]}"


if __name__ == "__main__":
    sys.exit(main())
