"""The paper's tables, by a command each: what models cost, how fast they are, how far from content and style.

python -m common.commands.tables cost --models vgg mobilenet vgg=ckpts/released/vgg vgg-teacher -o tables/
python -m common.commands.tables speed --models mobilenet mobilenet@paper reinhard --memory 12 -o tables/
python -m common.commands.tables losses PAIRS --models vgg mobilenet --weights vgg=vgg19_normalised.npz -o tables/

A table is written to the folder that -o names as cost.csv and cost.md, and so on; the latter is printed. A teacher without
its weights gets random ones, which cost as much. Speed is measured on random photos, and takes minutes a model, most of them
at the largest sizes.
"""

import argparse
import csv
import os
import re
import sys
import tempfile
from pathlib import Path

import numpy as np
import psutil

from common.commands import cli
from common.commands.model_options import judge_name, load_judge, network_name, pretrained
from common.commands.training_options import positive
from common.errors import InputError
from common.evaluation.limits import run_limited
from common.evaluation.methods import NETWORKS, UNTOUCHED, load_network, method, parts_of
from common.evaluation.pairs import pairs_in
from common.evaluation.report import write_csv
from common.evaluation.scores import interval
from common.evaluation.speed import later_calls, whole_command, write_photos
from common.files import require_absent, written_whole
from common.network import registry
from common.network.onnx_network import SUFFIX
from common.photos import MINIMUM_SIZE

# From 512 pixels to 8K.
SIZES = ("512x512", "1280x720", "1920x1080", "2560x1440", "3840x2160", "7680x4320")
CLASSICAL = ("reinhard", "monge-kantorovich", "histograms")
# Of the memory that is free, what a model may take unless --memory says otherwise.
SHARE_OF_FREE = 0.9
# What is said of a cell that was stopped for want of memory.
TOO_LARGE = "does not fit"
MODELS = (
    "as compare names them: vgg or mobilenet, a student, =CHECKPOINT where it is not the one in ckpts/; vgg-teacher or "
    "mobilenet-teacher, =WEIGHTS[,DECODER]; behind it @look (default), @paper and so on; or one of " + ", ".join(CLASSICAL)
)
# How the columns of `speed` are headed, and what a unit of them is in the CSV's.
TIMES = {
    "whole_seconds": ("Whole command / s", 1),
    "memory_bytes": ("Its peak memory / GB", 1e9),
    "later_seconds": ("Later call / s", 1),
    "apply_seconds": ("Look applied / s", 1),
}


def main(arguments=None):
    """Run the command and give its exit status."""
    options = command_parser().parse_args(arguments)
    return cli.report_errors(options.table, options)


def command_parser():
    """The options of all tables."""
    result = cli.parser(__doc__)
    tables = result.add_subparsers(dest="name", required=True)
    cost_table = add_table(tables, cost, "parameters, multiplications a pixel and file sizes", costed_model)
    cost_table.add_argument("--overwrite", action="store_true", help="replace a table that is there")

    speed_table = add_table(tables, speed, "seconds and peak memory by size; each in a process of its own", costed_model)
    option = speed_table.add_argument
    option("--sizes", type=size, nargs="+", default=[*map(size, SIZES)], metavar="WxH", help=f"default: {' '.join(SIZES)}")
    option(
        "--memory",
        type=cli.above_zero,
        metavar="GB",
        help=f"what a model may take (default: {SHARE_OF_FREE} of what is free)",
    )
    option("--timeout", type=positive, default=600, metavar="S", help="seconds a process may take (default: %(default)s)")
    there = speed_table.add_mutually_exclusive_group()
    there.add_argument("--resume", action="store_true", help="go on with a table that is there: keep its rows")
    there.add_argument("--overwrite", action="store_true", help="replace a table that is there")

    losses_table = add_table(tables, losses, "content and style losses, means over pairs", measured_model)
    option = losses_table.add_argument
    option(
        "pairs", type=Path, metavar="PAIRS", help="photos NAME_content.* and NAME_style.*, or folders content/ and style/"
    )
    option(
        "--weights",
        type=judge_name,
        default="vgg=imagenet",
        metavar="BACKBONE=W",
        help="in whose features: pretrained weights, a .npz file or imagenet, or a student's checkpoint (%(default)s)",
    )
    option("--size", type=positive, default=512, metavar="SIDE", help="of larger photos, in pixels (%(default)s)")
    option("--overwrite", action="store_true", help="replace a table that is there")
    return result


def add_table(tables, work, about, model):
    """The parser of a table, with the options that all have; `model` reads a name."""
    result = tables.add_parser(work.__name__, help=about, description=f"{work.__name__}: {about}.")
    result.add_argument("--models", type=model, nargs="+", default=["vgg", "mobilenet"], metavar="M", help=MODELS)
    result.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder to write the table to")
    result.set_defaults(table=work)
    return result


def measured_model(text):
    """The name of a model, for argparse."""
    return text if text in CLASSICAL else network_name(text)


def costed_model(text):
    """The same, or that of a teacher of random weights: what it costs does not depend on them."""
    return text if is_untrained(text) else measured_model(text)


def is_untrained(name):
    """Whether a name is that of a teacher without weights."""
    kind, source, _ = parts_of(name)
    return kind in NETWORKS and kind.endswith("-teacher") and not source


def label(name):
    """A model's name as tables show it."""
    return f"{name} (random weights)" if is_untrained(name) else name


def size(text):
    """WIDTHxHEIGHT in pixels, for argparse."""
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    sides = tuple(map(int, found.groups())) if found else (0, 0)
    if min(sides) < MINIMUM_SIZE:
        raise argparse.ArgumentTypeError(f"{text} is not a size as in 3840x2160, of {MINIMUM_SIZE} pixels at least")
    return sides


# --- cost ----------------------------------------------------------------------------------------------------------------


def cost(options):
    """Parameters, numbers in the eigenbases, multiplications a pixel and size of the files, a line a model."""
    paths = table_paths(options, options.overwrite)
    registry.import_backend()
    lines = [{"model": label(name)} | cost_of(name) for name in dict.fromkeys(options.models)]
    rows = [
        [line["model"], *map(number, (line["parameters"], line["eigenbases"], line["multiplications"], line["file_bytes"]))]
        for line in lines
    ]
    conditions = (
        "Multiplications: of all convolutions, encoder and decoder, for each pixel of the content. The style photo takes "
        "those of the encoder once more; transforms and finish are not in them."
    )
    headings = ["model", "parameters", "numbers in its eigenbases", "multiplications a pixel", "file / bytes"]
    write_tables(paths, lines, conditions, [("Cost", headings, rows)])


def cost_of(name):
    """A dict of `parameters`, `eigenbases`, `multiplications` and `file_bytes` of a model, None where there is none."""
    if name in CLASSICAL:
        return dict.fromkeys(("parameters", "eigenbases", "multiplications", "file_bytes"))
    from common.pruning.cut import multiplications

    model, files = pretrained(keras_network, name)
    return {
        "parameters": model.weight_count,
        "eigenbases": sum(map(np.size, model.eigenbases or [])),
        "multiplications": round(multiplications(model)),
        "file_bytes": sum(path.stat().st_size for path in files) or None,
    }


def keras_network(name):
    """The `Autoencoder` that a name stands for, and the files that it is stored in.

    Raises:
        InputError: it cannot be loaded.
    """
    kind, source, _ = parts_of(name)
    backbone = registry.backbone(kind.partition("-")[0])
    if kind.endswith("-teacher"):
        model, _ = load_network(name)
        paths = [*source.split(","), backbone.teacher_decoder][:2] if source else []
        return model, [path for path in map(Path, paths) if path.is_file()]
    student = registry.student(backbone.name)
    if source.endswith(SUFFIX):
        widths = registry.load_network(backbone.name, checkpoint=source).widths
        return student.build(widths), [Path(source)]
    model, path = student.load(source or None), Path(source or backbone.onnx_checkpoint)
    if not path.is_dir():
        return model, [path]
    return model, [path / file for file in backbone.released.sha256 if (path / file).is_file()]


# --- speed ---------------------------------------------------------------------------------------------------------------


def speed(options):
    """Seconds and peak memory of every model at every size; what does not fit in memory or time is said to.

    The table is written anew after every row, so that one that was cut off can be gone on with.
    """
    from tqdm import tqdm

    paths = table_paths(options, options.overwrite or options.resume)
    limits = {"memory_limit": memory_limit(options.memory), "seconds_limit": options.timeout}
    models = list(dict.fromkeys(options.models))
    lines = resumed(paths[0], limits, options.memory) if options.resume else []
    if lines:
        limits["memory_limit"] = float(lines[0]["memory_limit"])
    done = {(line["model"], line["size"]) for line in lines}
    cells = [(name, sides) for sides in options.sizes for name in models if (label(name), size_name(sides)) not in done]
    for name in dict.fromkeys(name for name, _ in cells if name not in CLASSICAL):
        pretrained(load_network, name)
    for name, sides in tqdm(cells, unit="cell", disable=None):
        lines.append({"model": label(name), "size": size_name(sides)} | speed_of(name, sides, **limits) | limits)
        write_speed(paths, lines)
    write_speed(paths, lines)
    print(paths[1].read_text(), end="")


def size_name(sides):
    """'3840x2160'."""
    return "{}x{}".format(*sides)


def memory_limit(gigabytes):
    """Bytes that a model may take.

    Raises:
        InputError: fewer are free.
    """
    free = psutil.virtual_memory().available
    if gigabytes is None:
        return round(SHARE_OF_FREE * free)
    if gigabytes * 1e9 > free:
        raise InputError(f"--memory {gigabytes:g}: {free / 1e9:.1f} GB are free")
    return round(gigabytes * 1e9)


def resumed(path, limits, asked):
    """The rows of a table that is to be gone on with; none where there is none.

    Raises:
        InputError: it is no such table, or was measured within other limits.
    """
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    for line in lines:
        if not {"model", "size", "stopped", *TIMES, *limits} <= line.keys():
            raise InputError(f"{path} is not a table of speed to go on with; --overwrite replaces it")
        same_memory = asked is None or float(line["memory_limit"]) == limits["memory_limit"]
        if not same_memory or float(line["seconds_limit"]) != limits["seconds_limit"]:
            memory, seconds = float(line["memory_limit"]) / 1e9, line["seconds_limit"]
            raise InputError(f"{path}: measured with --memory {memory:g} --timeout {seconds}; --resume takes the same")
    return lines


def speed_of(name, sides, memory_limit, seconds_limit):
    """A line of the table without names and limits; what was not measured is an empty string."""
    busy = psutil.cpu_percent(0.3) / 100 * psutil.cpu_count()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write_photos(*sides, folder)
        whole = run_limited(whole_command, (name, folder), memory_limit, seconds_limit)
        later = None if whole.stopped else run_limited(later_calls, (name, folder), memory_limit, seconds_limit)
    calls, apply = (later and later.result) or (None, None)
    found = whole.stopped or later.stopped, whole.seconds, whole.memory, calls, apply
    if whole.stopped:
        found = whole.stopped, None, None, None, None
    columns = ("stopped", *TIMES)
    return dict(zip(columns, ("" if value is None else value for value in found), strict=True)) | {
        "busy_cores": round(busy, 2)
    }


def write_speed(paths, lines):
    """Write the table of speed: a table each for the time and memory of a whole command, later calls, looks."""
    sizes = sorted({line["size"] for line in lines}, key=lambda name: np.prod([*map(int, name.split("x"))]))
    by_cell = {(line["model"], line["size"]): line for line in lines}
    models = dict.fromkeys(line["model"] for line in lines)
    tables = []
    for column, (title, unit) in TIMES.items():
        rows = [[model, *(speed_cell(by_cell.get((model, name)), column, unit) for name in sizes)] for model in models]
        told = [row for row in rows if set(row[1:]) - {"-", ""}]
        tables += [(title, ["model", *sizes], told)] if told else []
    busiest = max(float(line["busy_cores"]) for line in lines)
    conditions = (
        f"On {len(os.sched_getaffinity(0))} of {psutil.cpu_count()} cores; before a measurement others kept up to "
        f"{busiest:.1f} of them busy. Content and style of the same size. Whole command: from the start of its process to "
        "the file, JPEG in and out. Later call: in a process with all loaded. Look applied: the look alone. "
        "A process may take "
        f"{float(lines[0]['memory_limit']) / 1e9:g} GB and {lines[0]['seconds_limit']} s."
    )
    write_files(paths, lines, markdown(conditions, tables))


def speed_cell(line, column, unit):
    """What a cell of the table says."""
    if line is None:
        return ""
    if line[column] != "":
        return f"{float(line[column]) / unit:.2f}"
    if column == "apply_seconds" or not line["stopped"]:
        return "-"
    return TOO_LARGE if line["stopped"] == "memory" else f"> {line['seconds_limit']} s"


# --- losses --------------------------------------------------------------------------------------------------------------


def losses(options):
    """Content and style losses of every model and of the content as it is: a line a picture, means over pairs."""
    from tqdm import tqdm

    from common.evaluation.losses import Losses, features_of
    from common.evaluation.losses import losses as losses_of

    paths = table_paths(options, options.overwrite)
    pairs = pairs_in(options.pairs, options.size)
    photos = {pair.name: pair.read() for pair in pairs}
    registry.import_backend()
    teacher = pretrained(load_judge, options.weights)
    features = {name: [features_of(teacher, photo) for photo in pair] for name, pair in photos.items()}
    lines = []
    for name in tqdm([UNTOUCHED, *dict.fromkeys(options.models)], unit="model", disable=None):
        restyle, _ = pretrained(method, name)
        for pair, (content, style) in photos.items():
            found = losses_of(features_of(teacher, restyle(content, style)(1.0)), *features[pair])
            lines.append({"model": name, "pair": pair} | found._asdict())
    rows = []
    for name in dict.fromkeys(line["model"] for line in lines):
        of_model = [line for line in lines if line["model"] == name]
        rows.append([name, *(mean_and_interval([line[loss] for line in of_model]) for loss in Losses._fields)])
    conditions = (
        f"{len(pairs)} pairs of at most {options.size} pixels, at full strength: means, and in brackets their 95 % "
        f"bootstrap intervals over pairs. In the features of {options.weights}, {len(teacher.encoder_blocks)} levels. "
        "Content: mean squared difference at the deepest level. Style: squared Frobenius distance of Gram matrices divided "
        "by channels and positions; mean squared difference of channel means and of deviations; both summed over levels."
    )
    headings = ["model", "content loss", "style loss, Gram", "style loss, means and deviations"]
    write_tables(paths, lines, conditions, [("Losses", headings, rows)])


def mean_and_interval(values):
    """'0.123 (0.100 to 0.150)'."""
    return "{:.4g} ({:.4g} to {:.4g})".format(np.mean(values), *interval(values))


# --- files ---------------------------------------------------------------------------------------------------------------


def table_paths(options, replace):
    """The CSV and the Markdown file of a table; its folder is made.

    Raises:
        InputError: one is there and may not be replaced, or they cannot be written.
    """
    folder = options.output
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, not a folder to write the table to")
    paths = [folder / f"{options.name}{suffix}" for suffix in (".csv", ".md")]
    for path in paths:
        require_absent(path, replace)
    folder.mkdir(parents=True, exist_ok=True)
    return paths


def write_tables(paths, lines, conditions, tables):
    """Write `lines`, dicts, as CSV, and `tables`, of title, headings and rows, as Markdown, and print the latter."""
    text = markdown(conditions, tables)
    write_files(paths, lines, text)
    print(text, end="")


def write_files(paths, lines, text):
    """Write a table's CSV and its Markdown."""
    write_csv(paths[0], lines)
    with written_whole(paths[1]) as temporary:
        temporary.write_text(text, encoding="utf-8")


def markdown(conditions, tables):
    """The text of `tables`: title, headings, rows of strings."""
    lines = [conditions]
    for title, headings, rows in tables:
        lines += ["", f"## {title}", ""]
        lines += [f"| {' | '.join(row)} |" for row in (headings, ["---"] * len(headings), *rows)]
    return "\n".join([*lines, ""])


def number(value):
    """A whole number, or a dash for None and 0."""
    return f"{value:,}" if value else "-"


if __name__ == "__main__":
    sys.exit(main())
