"""The paper's tables, by a command each: what models cost, how fast they are, how far from content and style.

python -m common.commands.tables cost --models vgg mobilenet vgg=ckpts/released/vgg vgg-teacher -o tables/
python -m common.commands.tables speed --models mobilenet mobilenet@paper reinhard --memory 12 -o tables/
python -m common.commands.tables losses PAIRS --models vgg mobilenet --weights vgg=vgg19_normalised.npz -o tables/

A table is written to the folder that -o names as cost.csv and cost.md, and so on; the latter is printed. A teacher without
its weights gets random ones, which cost as much. Speed is measured on random photos, and takes minutes a model, most of them
at the largest sizes.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np

from common.commands import cli
from common.commands.model_options import (
    CLASSICAL,
    costed_model,
    judge_name,
    label,
    load_judge,
    measured_model,
    pretrained,
)
from common.commands.speed_table import SHARE_OF_FREE, speed
from common.commands.table_files import number, table_paths, write_tables
from common.commands.training_options import positive
from common.evaluation.methods import UNTOUCHED, load_network, method, parts_of
from common.evaluation.pairs import pairs_in
from common.evaluation.scores import interval
from common.network import registry
from common.network.onnx_network import SUFFIX
from common.photos import MINIMUM_SIZE

# From 512 pixels to 8K.
SIZES = ("512x512", "1280x720", "1920x1080", "2560x1440", "3840x2160", "7680x4320")
MODELS = (
    "as compare names them: vgg or mobilenet, a student, =CHECKPOINT where it is not the one in ckpts/; vgg-teacher or "
    "mobilenet-teacher, =WEIGHTS[,DECODER]; behind it @look (default), @paper and so on; or one of " + ", ".join(CLASSICAL)
)


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


if __name__ == "__main__":
    sys.exit(main())
