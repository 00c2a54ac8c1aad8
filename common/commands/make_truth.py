"""Make pairs of photos whose right answer is known, to measure how well a grade is taken over.

python -m common.commands.make_truth PHOTOS -o FOLDER --kind overlapping --pairs 100 --seed 1
python -m common.commands.make_truth PHOTOS -o FOLDER --kind unrelated --family testing

FOLDER gets NAME_content.png, A(a), NAME_style.png, B(b), and NAME_truth.png, B(a), of every pair, and truth.json, a record:
the grades A and B, and which photos a and b are. 100 pairs of small photos take some seconds.
"""

import json
import shlex
import sys
from importlib.metadata import version
from pathlib import Path

from PIL import Image

from common.commands import cli
from common.commands.training_options import positive
from common.errors import InputError
from common.files import require_absent, written_whole
from common.photos import photo_paths, write_photo

RECORD = "truth.json"
# Longer side of the pictures' photos, in pixels.
SIZE = 640


def main(arguments=None):
    """Run the command and give its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = command_parser().parse_args(arguments)
    return cli.report_errors(make_truth, options, arguments)


def command_parser():
    """The command's options."""
    result = cli.parser(__doc__)
    option = result.add_argument
    option("photos", type=Path, metavar="PHOTOS", help="folder of photos")
    option("-o", "--output", type=Path, required=True, metavar="FOLDER", help="where to write; made where it is missing")
    option("--kind", choices=("overlapping", "unrelated"), default="overlapping", help="default: %(default)s")
    option(
        "--family",
        default="training",
        metavar="NAME",
        help="of grades: training, strong, testing (operations that nothing trains on), or a folder of .cube files "
        "(default: %(default)s)",
    )
    option("--pairs", type=positive, default=100, metavar="N", help="default: %(default)s")
    option("--seed", type=int, default=0, metavar="S", help="default: %(default)s")
    option("--size", type=positive, default=SIZE, metavar="SIDE", help="reduce larger photos to it (default: %(default)s)")
    option("--one-grade", action="store_true", help="grade both photos alike: the content is then the right answer")
    option("--overwrite", action="store_true", help="replace the pairs that are there")
    return result


def make_truth(options, arguments):
    """Write the pairs that `options` ask for."""
    from common.evaluation.pairs import PARTS
    from common.grading import grades, truth

    family = grades.family(options.family)
    paths = photo_paths(options.photos)
    if options.output.exists() and not options.output.is_dir():
        raise InputError(f"{options.output} is not a folder")
    require_absent(options.output / RECORD, options.overwrite)
    options.output.mkdir(parents=True, exist_ok=True)
    for part in PARTS:  # of an earlier run
        for path in options.output.glob(f"[0-9][0-9][0-9][0-9]_{part}.png"):
            path.unlink()
    made = truth.make(paths, options.kind, family, options.pairs, options.seed, options.size, options.one_grade)
    records = {}
    for number, pair in enumerate(made):
        name = f"{number:04}"
        for part in PARTS:
            write_photo(Image.fromarray(getattr(pair, part)), options.output / f"{name}_{part}.png")
        records[name] = pair.record
    record = {
        "command": f"python -m common.commands.make_truth {shlex.join(map(str, arguments))}",
        "versions": {package: version(package) for package in ("numpy", "pillow")},
        "pairs": records,
    }
    with written_whole(options.output / RECORD) as temporary:
        temporary.write_text(json.dumps(record, indent=1) + "\n")
    print(f"{options.pairs} pairs in {options.output}")


if __name__ == "__main__":
    sys.exit(main())
