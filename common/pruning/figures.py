"""What cutting channels costs, in numbers and plots."""

from typing import NamedTuple

import numpy as np

from common.evaluation.similarity import style_distance


class Tradeoff(NamedTuple):
    """What is left of a student at so many channels; three lists of equal length.

    Attributes:
        channels: kept, counted once where several layers share them.
        psnr: of reconstructions from the deepest level, in dB.
        style: `common.evaluation.similarity.style_distance` of each photo in the style of the one before it.
    """

    channels: list[int]
    psnr: list[float]
    style: list[float]


def tradeoff(model, responses, photos, judge, points=8):
    """`Tradeoff` of a student as its least channels are cut.

    Args:
        model, responses, photos: as for `common.measure_responses`, and what that gave.
        judge: `Autoencoder` whose features tell how close two photos are in style.
        points: numbers of channels to try, evenly from those that ever vary to one an axis.
    """
    from common.pruning.cut import kept_exactly, pruned, ranking, without
    from common.pruning.responses import reconstruction_quality

    exact = kept_exactly(model, responses)
    ranked = ranking(model, responses, exact)
    result = Tradeoff([], [], [])
    for cut in np.linspace(0, len(ranked), points).astype(int):
        kept = without(exact, ranked[:cut])
        smaller = pruned(model, kept, responses)
        result.channels.append(int(sum(array.sum() for array in kept)))
        result.psnr.append(reconstruction_quality(smaller, photos))
        result.style.append(mean_style_distance(smaller, photos, judge))
    return result


def mean_style_distance(model, photos, judge):
    """`style_distance`, by the features of `judge`, of photos in the style of the one before them."""
    from common.pruning.responses import styled_by_the_last, stylised
    from common.transfer.transforms import statistics

    distances, style = [], None
    for photo, features, skips, of_style, _ in styled_by_the_last(model, photos):
        content = [statistics(feature[0]) for feature in judge.encode(photo)[0]]
        if style:
            result = np.clip(stylised(model, features, skips, of_style, "zca"), 0, 1)
            distances.append(style_distance([statistics(x[0]) for x in judge.encode(result)[0]], style, content))
        style = content
    return float(np.mean(distances))


def draw_liveness(responses):
    """A figure with a panel for each student: a row a photo, a column a channel of the encoder; black where it is zero.

    Args:
        responses: what `common.measure_responses` gave, by the title of the panel.
    """
    from matplotlib.figure import Figure  # slow to import

    figure = Figure((4 * len(responses), 3), layout="constrained")
    for axis, (title, of_model) in zip(figure.subplots(1, len(responses), squeeze=False)[0], responses.items(), strict=True):
        alive = np.concatenate([r.norms > 0 for name, r in of_model.items() if name.startswith("encoder")], axis=1)
        axis.imshow(alive, cmap="gray", vmin=0, vmax=1, aspect="auto", interpolation="nearest")
        axis.set(title=title, xlabel="channel", ylabel="photo")
    return figure


def draw_norms(responses):
    """A figure of the l2 norms of all channels over all photos, the largest first, as shares of their layer's.

    Args:
        responses: as for `draw_liveness`.
    """
    from matplotlib.figure import Figure

    from common.pruning.cut import norm_shares

    figure = Figure((6, 4), layout="constrained")
    axis = figure.subplots()
    for title, of_model in responses.items():
        shares = np.concatenate([norm_shares(response) for response in of_model.values()])
        axis.plot(np.sort(shares)[::-1], label=title)
    axis.set(xlabel="channel, by rank", ylabel="share of its layer's l2 norm")
    axis.set_yscale("symlog", linthresh=1e-4)
    axis.legend()
    axis.grid(alpha=0.3)
    return figure


def draw_tradeoffs(tradeoffs):
    """A figure of PSNR and style distance over the number of channels kept.

    Args:
        tradeoffs: `Tradeoff` by the name of its line.
    """
    from matplotlib.figure import Figure

    figure = Figure((10, 4), layout="constrained")
    quality, style = figure.subplots(1, 2)
    for title, values in tradeoffs.items():
        quality.plot(values.channels, values.psnr, "o-", label=title)
        style.plot(values.channels, values.style, "o-", label=title)
    quality.set(xlabel="channels kept", ylabel="PSNR of the reconstruction / dB")
    style.set(xlabel="channels kept", ylabel="distance from the style (content: 1)")
    for axis in (quality, style):
        axis.legend()
        axis.grid(alpha=0.3)
    return figure
