"""The report of `common.commands.compare`: tables, a plot and a contact sheet of what was measured."""

import csv
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from common.evaluation.scores import Score, interval, line_of, share_won
from common.files import written_whole
from common.photos import write_photo

FILES = ("pictures.csv", "methods.csv", "answers.csv", "report.md", "scatter.png", "contact_sheet.jpg")
# A result further than this from its style, by `style_distance`, has taken nothing of it worth comparing.
RESTYLED = 0.98
# What is compared at equal style; of glow, less is better.
MEASURES = {"edge_ssim": "Edges", "luminance_ssim": "Luminance", "glow": "Glow (less is better)"}
# Of a picture on the contact sheet, width and height in pixels, and the height and characters of its caption.
CELL, CAPTION, LONGEST_NAME = (240, 180), 20, 34


class Row(NamedTuple):
    """What is measured of one picture; LPIPS is NaN where it is not measured."""

    method: str
    pair: str
    strength: float
    luminance_ssim: float
    edge_ssim: float
    glow: float
    style_distance: float
    lpips: float = float("nan")


class Cost(NamedTuple):
    """Seconds a pair (median), peak resident memory in bytes (None where the system does not tell), trained weights."""

    seconds: float
    memory: int | None
    weights: int


def write_report(folder, rows, costs, models, sheet, title, conditions, scores=None):
    """Write the files of the report.

    Args:
        folder: where to; made where it is not there.
        rows: `Row` of every picture.
        costs: `Cost` of every method by its name.
        models: the methods that are compared with all others at equal style.
        sheet: what `contact_sheet` gave.
        title, conditions: of the text: what was measured, and how.
        scores: where the right answers are known, `{method: {pair: Score}}`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    summaries = [summary(name, rows, cost) for name, cost in costs.items()]
    write_csv(folder / "pictures.csv", [line_of(row) for row in rows])
    write_csv(folder / "methods.csv", summaries)
    with written_whole(folder / "report.md") as temporary:
        text = markdown(rows, summaries, models, title, conditions)
        temporary.write_text(text + answers(scores, models) if scores else text, encoding="utf-8")
    if scores:
        lines = [(name, pair, score) for name, of_method in scores.items() for pair, score in of_method.items()]
        write_csv(folder / "answers.csv", [{"method": n, "pair": p} | line_of(score) for n, p, score in lines])
    with written_whole(folder / "scatter.png") as temporary:
        scatter(rows, list(costs), models).savefig(temporary, dpi=120)
    write_photo(sheet, folder / "contact_sheet.jpg")


def summary(name, rows, cost):
    """A line on a method: means over pairs at full strength, and the cost."""
    full = [row for row in rows if row.method == name and row.strength == 1]
    columns = [column for column in line_of(full[0]) if column not in ("method", "pair", "strength")]
    means = {column: float(np.nanmean([getattr(row, column) for row in full])) for column in columns}
    return {"method": name} | means | cost._asdict()


def write_csv(path, lines):
    """Write dicts of the same keys as a table."""
    with written_whole(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows(lines)


def markdown(rows, summaries, models, title, conditions):
    """The report's text: a table of methods, and of several strengths one for each measure at equal style."""
    with_lpips = "lpips" in summaries[0]
    told, heading, rule = (" LPIPS: from the content.", " LPIPS |", "---|") if with_lpips else ("", "", "")
    lines = [
        f"# {title}",
        "",
        f"{conditions} Edges and luminance: SSIM with the content. Glow: gradient that the result adds, in grey levels a "
        f"pixel, where the content is flat beside a strong edge.{told} Means over pairs, at full strength; seconds a pair, "
        "peak memory of a process of its own.",
        "",
        f"| method | edges | luminance | glow | style distance |{heading} seconds | memory / MB | weights |",
        f"|---|---|---|---|---|{rule}---|---|---|",
    ]
    for line in summaries:
        apart = f" {line['lpips']:.3f} |" if with_lpips else ""
        memory = "-" if line["memory"] is None else f"{line['memory'] / 1e6:,.0f}"
        lines.append(
            f"| {line['method']} | {line['edge_ssim']:.3f} | {line['luminance_ssim']:.3f} | {line['glow']:.2f} "
            f"| {line['style_distance']:.3f} |{apart} {line['seconds']:.2f} | {memory} "
            f"| {line['weights']:,} |"
        )
    if len({row.strength for row in rows}) > 1:
        lines += equal_style(rows, [line["method"] for line in summaries], models)
    return "\n".join([*lines, ""])


def equal_style(rows, names, models):
    """The lines on what models keep at equal style: for each of `MEASURES` a table of all methods."""
    lines = [
        "",
        "## At equal style",
        "",
        "Gain at equal style: the stronger method is turned down, a model by its strength and a colour transfer by blending "
        "with the content, until both have the same style distance; then what the model has more is told, the mean over "
        "pairs. In brackets its 95 % bootstrap interval, and on how many pairs the model is better, of those on which both "
        f"come nearer to the style than {RESTYLED}.",
    ]
    for column, title in MEASURES.items():
        lines += ["", f"| {title}, than | {' | '.join(models)} |", f"|---|{'---|' * len(models)}"]
        for other in names:
            cells = ["" if model == other else advantage(rows, model, other, column) for model in models]
            lines.append(f"| {other} | {' | '.join(cells)} |")
    return lines


def answers(scores, models):
    """The text on right answers: a table of scores, and one of the pairs that each of `models` wins."""
    apart = all("lpips" in line_of(score) for of_method in scores.values() for score in of_method.values())
    lines = [
        "",
        "## Where the right answer is known",
        "",
        "Means over pairs at full strength, against the right answer; of CIEDE2000 the 95 % bootstrap interval and the "
        "median. Histograms: mean correlation of those of red, green and blue.",
        "",
        f"| method | PSNR / dB | SSIM | CIEDE2000 | median | edges | histograms |{' LPIPS |' if apart else ''}",
        f"|---|---|---|---|---|---|---|{'---|' if apart else ''}",
    ]
    errors = {name: [score.ciede2000 for score in of_method.values()] for name, of_method in scores.items()}
    for name, of_method in scores.items():
        mean = Score(*np.mean(list(of_method.values()), axis=0))
        low, high = interval(errors[name])
        lines.append(
            f"| {name} | {mean.psnr:.2f} | {mean.ssim:.3f} | {mean.ciede2000:.2f} ({low:.2f} to {high:.2f}) "
            f"| {np.median(errors[name]):.2f} | {mean.edge_ssim:.3f} | {mean.histograms:.3f} |"
            f"{f' {mean.lpips:.3f} |' if apart else ''}"
        )
    lines += [
        "",
        "Pairs that a model wins by CIEDE2000; equal ones count half.",
        "",
        f"| against | {' | '.join(models)} |",
        f"|---|{'---|' * len(models)}",
    ]
    for other in scores:
        cells = ["" if model == other else f"{share_won(errors[model], errors[other]):.0%}" for model in models]
        lines.append(f"| {other} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def advantage(rows, model, other, column):
    """'+0.034 (+0.010 to +0.051, 4 of 5)': what `model` has more than `other`: mean, interval, pairs where it is better."""
    pairs = dict.fromkeys(row.pair for row in rows)
    gains = [gain(curve(rows, model, pair, column), curve(rows, other, pair, column)) for pair in pairs]
    gains = np.array([gain for gain in gains if gain is not None and np.isfinite(gain)])
    if not len(gains):
        return "-"
    low, high = interval(gains)
    better = (gains < 0 if column == "glow" else gains > 0).sum()
    return f"{gains.mean():+.3f} ({low:+.3f} to {high:+.3f}, {better} of {len(gains)})"


def curve(rows, name, pair, column):
    """Style distances, rising, and the values of a column of a method on a pair over the strengths: two arrays."""
    points = sorted((row.style_distance, getattr(row, column)) for row in rows if (row.method, row.pair) == (name, pair))
    return np.transpose(points)


def gain(first, second):
    """What the first curve is above the second at the least style distance that both reach; None above `RESTYLED`."""
    reached = max(first[0][0], second[0][0])
    if reached > RESTYLED:
        return None
    return float(np.interp(reached, *first) - np.interp(reached, *second))


def scatter(rows, names, models):
    """A figure of content against style, a panel each for edges and luminance: a curve over strengths for every method.

    At full strength bars show the 95 % bootstrap intervals over pairs.
    """
    from matplotlib import colormaps  # slow to import
    from matplotlib.figure import Figure

    strengths = sorted({row.strength for row in rows})
    figure = Figure((11, 5.5), layout="constrained")
    for axes, column, title in zip(
        figure.subplots(1, 2), ("edge_ssim", "luminance_ssim"), ("edges kept (SSIM)", "luminance kept (SSIM)"), strict=True
    ):
        axes.set_prop_cycle(color=colormaps["tab20"].colors)
        for name in names:
            points = [
                np.transpose(
                    [(r.style_distance, getattr(r, column)) for r in rows if (r.method, r.strength) == (name, strength)]
                )
                for strength in strengths
            ]
            means = np.mean(points, axis=2)
            (line,) = axes.plot(*means.T, "-" if name in models else ":", label=name, linewidth=1, marker=".")
            x, y = (np.abs(np.subtract(interval(of_axis), of_axis.mean()))[:, None] for of_axis in points[-1])
            axes.errorbar(*means[-1], y, x, "o", color=line.get_color(), elinewidth=1)
        axes.set(xlabel="style distance (0: the style's look)", ylabel=title)
        axes.grid(alpha=0.3)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=8)
    return figure


def contact_sheet(names, rows):
    """All results at full strength as one picture.

    Args:
        names: of the columns.
        rows: for each pair its PIL images, one a column; a pair is taken when the one before it has its place.
    """
    return Image.fromarray(np.concatenate([np.asarray(captioned(names, pictures)) for pictures in rows]))


def captioned(names, pictures):
    """PIL images side by side, reduced to cells, each below its name."""
    strip = Image.new("RGB", (CELL[0] * len(names), CELL[1] + CAPTION), "white")
    drawing, font = ImageDraw.Draw(strip), ImageFont.load_default(13)
    for column, (name, picture) in enumerate(zip(names, pictures, strict=True)):
        picture.thumbnail(CELL)
        drawing.text((column * CELL[0] + 2, 2), shortened(name), "black", font)
        strip.paste(picture, (column * CELL[0], CAPTION))
    return strip


def shortened(name):
    """A method's name as it fits above a picture: of a long one, whose path says which it is, the end."""
    return name if len(name) <= LONGEST_NAME else f"...{name[3 - LONGEST_NAME :]}"
