"""Measure how much a styled film flickers, beside the film that it was made from, shot by shot.

python -m common.commands.flicker ORIGINAL STYLED

Warp error: mean difference of neighbouring frames along the original's optical flow, times 1000. Luma jumps: spread of the
steps of mean luma; contrast: standard deviation of luma; both in grey levels. For each, the original's, the styled film's
and their ratio.
"""

import functools
import sys
from pathlib import Path

from tqdm import tqdm

from common.commands import cli
from common.errors import InputError


def main(arguments=None):
    """Run the command and give its exit status."""
    parser = cli.parser(__doc__)
    for name in ("original", "styled"):
        parser.add_argument(name, type=Path, metavar=name.upper())
    return cli.report_errors(measure, parser.parse_args(arguments))


def measure(options):
    """Print the table."""
    from common.evaluation.flicker import flicker, summary
    from common.photos.films import Film

    films = [Film(options.original), Film(options.styled)]
    progress = functools.partial(tqdm, unit="frame", disable=None, leave=False)
    shots = flicker(films[0].frames(), films[1].frames(), progress)
    print("| shot | frames | warp error | styled | ratio | luma jumps | styled | ratio | contrast | styled | ratio |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for number, pair in enumerate(shots, 1):
        print_row(number, len(pair[0].lumas), [steadiness.summary() for steadiness in pair])
    whole = [summary(of_film) for of_film in zip(*shots, strict=True)]
    if None in whole:
        raise InputError(f"{options.original} has no two frames that follow each other")
    print_row("all", sum(len(pair[0].lumas) for pair in shots), whole)


def print_row(name, frames, summaries):
    """A row of the table; a shot of one frame has no numbers."""
    if None in summaries:
        print(f"| {name} | {frames} |" + " - |" * 9)
        return
    cells = []
    for measure, digits in (("warp_error", 2), ("luma_jumps", 3), ("contrast", 1)):
        original, styled = (getattr(of_film, measure) for of_film in summaries)
        ratio = f"{styled / original:.2f}" if original > 0 else "-"
        cells += [f"{original:.{digits}f}", f"{styled:.{digits}f}", ratio]
    print(f"| {name} | {frames} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    sys.exit(main())
