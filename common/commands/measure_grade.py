"""Measure how well a predictor of grades hits the right answer, where that is known, beside simple methods.

python -m common.commands.make_truth PHOTOS -o truth/overlapping --kind overlapping --seed 1
python -m common.commands.measure_grade truth/overlapping truth/unrelated --json figures.json

For every folder of pairs: means of PSNR, SSIM, CIEDE2000 with a bootstrap interval of 95 %, SSIM of edges and (--lpips)
LPIPS, against the right answer; the share of pairs that the predictor wins. Besides: what it does to photos graded like
themselves, whether it finds the way back, and whether grey ramps rise. 100 pairs of small photos take about a minute.
"""

import json
import sys
from pathlib import Path

import numpy as np

from common.commands import cli
from common.files import require_room, written_whole

PREDICTOR = "grade"
HEADER = "|                    |  PSNR |  SSIM | CIEDE2000 (95 %)       | median | edge-SSIM |  won |"
ROW = (
    "| {name:<18} | {psnr:5.2f} | {ssim:.3f} | {ciede2000:5.2f} ({low:5.2f} to {high:5.2f}) "
    "| {median:6.2f} | {edge_ssim:9.3f} | {won:>4} |"
)


def main(arguments=None):
    """Run the command and give its exit status."""
    return cli.report_errors(measure, command_parser().parse_args(arguments))


def command_parser():
    """The command's options."""
    result = cli.parser(__doc__)
    option = result.add_argument
    option("folders", type=Path, nargs="+", metavar="FOLDER", help="pairs with answers, as make_truth writes them, or PST50")
    option("--predictor", type=Path, metavar="FILE", help="NAME.onnx.zip (default: in ckpts/)")
    option("--lpips", type=Path, metavar="FILE.onnx", help="measure LPIPS, too; docs/methods.md says how to make the file")
    option("--json", type=Path, metavar="FILE", help="write the figures there, too")
    return result


def measure(options):
    """Print a table for every folder."""
    from common.evaluation.lpips import Lpips
    from common.evaluation.pairs import pairs_in, require_truth
    from common.grading.runtime import GradePredictor

    if options.json:
        require_room(options.json)
    predictor = GradePredictor.load(options.predictor)
    lpips = Lpips(options.lpips) if options.lpips else None
    by_folder = {str(folder): pairs_in(folder) for folder in options.folders}
    for folder, pairs in by_folder.items():
        require_truth(pairs, folder)
    figures = {}
    for folder, pairs in by_folder.items():
        scores, checks = measured(predictor, pairs, lpips)
        figures[folder] = summary(scores) | {"checks": summary_of_checks(checks), "pairs": len(pairs)}
        print_table(folder, figures[folder])
    if options.json:
        with written_whole(options.json) as temporary:
            temporary.write_text(json.dumps(figures, indent=1) + "\n")


def methods(predictor):
    """Functions of a content and a style, uint8 photos, that give a result, by name."""
    from common.evaluation.colour_transfer import monge_kantorovich, reinhard
    from common.evaluation.methods import colour_transfer
    from common.grading import lut

    return {
        "untouched": lambda content, style: content,
        "Reinhard": lambda *pair: colour_transfer(reinhard)(*pair)(1.0),
        "Monge-Kantorovich": lambda *pair: colour_transfer(monge_kantorovich)(*pair)(1.0),
        PREDICTOR: lambda content, style: lut.apply(
            predictor.lut(predictor.describe(content), predictor.describe(style)), content
        ),
    }


def measured(predictor, pairs, lpips=None):
    """Scores of every method by name, a list over pairs each, and a list of `check`; `lpips` as of `scores.score`."""
    from tqdm import tqdm

    from common.evaluation.scores import score

    compared = methods(predictor)
    scores, checks = {name: [] for name in compared}, []
    for pair in tqdm(pairs, unit="pair", disable=None):
        (content, style), truth = pair.read(), pair.read_truth()
        for name, method in compared.items():
            scores[name].append(score(method(content, style), truth, lpips))
        checks.append(check(predictor, content, style))
    return scores, checks


def check(predictor, content, style):
    """What should hold for any pair: a dict of numbers, all of them 0 at best."""
    from common.evaluation.scores import ciede2000
    from common.grading import lut

    first, second = predictor.describe(content), predictor.describe(style)
    predicted, grade = predictor.predicted(first, second), predictor.lut(first, second)
    result = lut.apply(grade, content)
    back = lut.apply(predictor.lut(predictor.describe(result), first), result)
    return {
        "graded like itself": ciede2000(lut.apply(predictor.lut(first, first), content), content),
        "there and back": ciede2000(back, content),
        "ramp falls, as predicted": lut.falls(predicted),
        "ramp falls": lut.falls(grade),
    }


def summary(scores):
    """Means, intervals and shares won by the predictor, a dict for each method."""
    from common.evaluation.scores import Score, interval, line_of, share_won

    errors = {name: [score.ciede2000 for score in of_method] for name, of_method in scores.items()}
    result = {}
    for name, of_method in scores.items():
        means = Score(*(float(mean) for mean in np.mean(of_method, axis=0)))
        result[name] = line_of(means) | {
            "interval": interval(errors[name]),
            "median": float(np.median(errors[name])),
            "won": None if name == PREDICTOR else share_won(errors[PREDICTOR], errors[name]),
        }
    return {"methods": result}


def summary_of_checks(checks):
    """Mean and worst of every check."""
    by_name = {name: [each[name] for each in checks] for name in checks[0]}
    return {name: {"mean": float(np.mean(values)), "worst": max(values)} for name, values in by_name.items()}


def print_table(folder, figures):
    """Print what was measured on a folder, as Markdown."""
    with_lpips = "lpips" in figures["methods"][PREDICTOR]
    header, row = HEADER + " LPIPS |" * with_lpips, ROW + " {lpips:.3f} |" * with_lpips
    print(f"\n{folder}, {figures['pairs']} pairs\n\n{header}\n|{'---|' * (7 + with_lpips)}")
    for name, line in figures["methods"].items():
        low, high = line["interval"]
        won = "" if line["won"] is None else f"{line['won']:.0%}"
        print(row.format(**line | {"name": name, "low": low, "high": high, "won": won}))
    print()
    for name, check in figures["checks"].items():
        print(f"{name}: {check['mean']:.3f} on average, {check['worst']:.3f} at worst")


if __name__ == "__main__":
    sys.exit(main())
