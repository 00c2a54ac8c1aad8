"""Cut the channels of a student that never fire, and on request those that matter least.

python -m common.pruning CHECKPOINT --backbone vgg --dataset photos/ -o pruned.weights.h5
python -m common.pruning CHECKPOINT --backbone vgg --dataset photos/ -o small.weights.h5 --keep-output-above 30
python -m common.pruning CHECKPOINT --backbone vgg --dataset photos/ -o small.weights.h5 --channels 10 15 30 24

Without more, channels go whose response is the same everywhere, nearly always zero, on every photo: encoded, reconstructed
from the deepest level, and stylised with the photo before it, by the three transforms in turn. On those photos the result
stays the same. Photos prove nothing about others: one on which a channel that was cut would have fired loses what it gave.
That is ruled out only for channels that the bounds of the weights prove dead on any image; the report counts them. 200
photos take some minutes on two cores.

With --keep-output-above or --channels more go, the least first: by the l2 norm of their response over the photos, as a share
of their layer's. What they gave on average stays, in the biases of what read them.

CHECKPOINT is a file of this project or a folder with the paper's. What is written loads like any other checkpoint.
"""

import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common import cli, images, registry, training
from common.backbone import BACKBONES
from common.errors import InputError
from common.files import require_absent, require_room
from common.similarity import style_distance


def main(arguments=None):
    """Run the command and give its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    return cli.report_errors(prune, command_parser().parse_args(arguments), arguments)


def command_parser():
    """The command's options."""
    result = cli.parser(__doc__)
    option = result.add_argument
    option("checkpoint", type=Path, metavar="CHECKPOINT", help="the student to prune")
    option("--backbone", choices=BACKBONES, required=True)
    option("--dataset", type=Path, required=True, metavar="DIR", help="folder of photos to observe it on")
    option("-o", "--output", type=Path, required=True, metavar="OUT", help="where to write, NAME.weights.h5")
    option("--limit", type=training.positive, metavar="PHOTOS", help="use this many, drawn at random (default: all)")
    option("--size", type=training.positive, default=320, metavar="SIDE", help="of the centre crop (default: %(default)s)")
    option("--seed", type=int, default=0, metavar="S", help="of --limit (default: %(default)s)")
    more = result.add_mutually_exclusive_group()
    more.add_argument(
        "--keep-output-above",
        type=float,
        metavar="DB",
        help="cut more, as long as photos reconstructed from the deepest level keep this mean PSNR",
    )
    more.add_argument(
        "--channels",
        type=training.positive,
        nargs="+",
        metavar="N",
        help="cut more: the most at any convolution of an encoder block or beside its feature in the decoder; one N a level",
    )
    option("--overwrite", action="store_true", help="replace what is there")
    return result


def prune(options, arguments):
    """Do what `options` ask for. What can be checked is checked before the backend's slow import."""
    paths = training.drawn(images.photo_paths(options.dataset), options.limit, options.seed)
    require_output(options.output, options.overwrite)
    training.require_multiple(options.size, training.DEEPEST_STRIDE, "--size")
    cli.import_backend()
    from common import channels, checkpoints
    from common.photos import CentreCrops

    model = registry.student(options.backbone).load(options.checkpoint)
    levels = len(model.encoder_blocks)
    if options.channels and len(options.channels) != levels:
        raise InputError(f"--channels: {len(options.channels)} numbers, but the student has {levels} levels")
    photos = CentreCrops(paths, batch_size=1, size=options.size)
    responses = channels.measure_responses(model, shown(photos, "observed"))
    kept = channels.kept_exactly(model, responses)
    if options.channels:
        kept = channels.kept_at_widths(model, responses, kept, options.channels)
    elif options.keep_output_above is not None:
        kept = kept_above(model, responses, kept, photos, options.keep_output_above)
    result = channels.pruned(model, kept, responses)
    figures = report(model, result, responses, photos)
    command = f"python -m common.pruning {shlex.join(map(str, arguments))}"
    record = checkpoints.read_record(options.checkpoint) | {"pruned": {"command": command, **figures}}
    checkpoints.save(result, options.output, record)


def require_output(path, overwrite):
    """Raise `InputError` where no checkpoint can be written to `path`, or something is there that may not be replaced."""
    if not path.name.endswith(".weights.h5"):
        raise InputError(f"{path}: a checkpoint's name ends in .weights.h5")
    require_room(path)
    require_absent(path, overwrite)


def shown(photos, what):
    """`photos` with a progress bar."""
    from tqdm import tqdm

    return tqdm(photos, desc=what, unit="photo", disable=None)


def kept_above(model, responses, kept, photos, decibels):
    """`kept` without as many of the least channels as leave reconstructions a mean PSNR of `decibels`, by bisection.

    Raises:
        InputError: there is less even with all of them.
    """
    from common import channels

    def quality(kept, what):
        return channels.reconstruction_quality(channels.pruned(model, kept, responses), shown(photos, what))

    ranked = channels.ranking(model, responses, kept)
    best = quality(kept, "reconstructed")
    if best < decibels:
        raise InputError(f"--keep-output-above: {decibels:g} dB, but the student reconstructs at {best:.2f} dB")
    enough, too_many = 0, len(ranked) + 1
    while too_many - enough > 1:
        middle = (enough + too_many) // 2
        if quality(channels.without(kept, ranked[:middle]), f"without {middle}") >= decibels:
            enough = middle
        else:
            too_many = middle
    return channels.without(kept, ranked[:enough])


def report(model, result, responses, photos):
    """Print what was cut and what that changes, and give it as a dict that JSON can hold."""
    from common import channels

    bounds = channels.bounds(model)
    dead = {name: ~responses[name].live for name in bounds}
    proven = sum(int((dead[name] & (highest == 0)).sum()) for name, (_, highest) in bounds.items())
    layers = channels.named_convolutions(result)
    live = [[name, int(r.live.sum()), len(r.live), layers[name].bias.shape[0]] for name, r in responses.items()]
    figures = {
        "photos": len(photos),
        "size": photos.size,
        "live": live,
        "dead_in_encoder": int(sum(map(np.sum, dead.values()))),
        "proven_dead": proven,
        "weights": [m.weight_count for m in (model, result)],
        "multiplications": [round(channels.multiplications(m)) for m in (model, result)],
        "psnr": [channels.reconstruction_quality(m, photos) for m in (model, result)],
        "largest_difference": channels.largest_difference(model, result, shown(photos, "compared")),
    }
    print("layer                live  of  kept")
    for name, count, width, left in live:
        print(f"{name:20} {count:4} {width:3} {left:5}")
    print("weights: {:,} -> {:,}".format(*figures["weights"]))
    print("multiplications a pixel, encoder and decoder: {:,} -> {:,}".format(*figures["multiplications"]))
    print("reconstruction: {:.2f} -> {:.2f} dB".format(*figures["psnr"]))
    print(f"largest difference of a stylised photo: {figures['largest_difference']:.4f} grey levels of 255")
    print(
        f"This rests on {len(photos)} photos of {photos.size}x{photos.size} pixels; any other may make fire what was cut. "
        f"Of {figures['dead_in_encoder']} dead channels in the encoder, bounds prove {proven} to be dead on every image."
    )
    return figures


# --- what cutting costs, and plots ---------------------------------------------------------------------------------------


class Tradeoff(NamedTuple):
    """What is left of a student at so many channels; three lists of equal length.

    Attributes:
        channels: kept, counted once where several layers share them.
        psnr: of reconstructions from the deepest level, in dB.
        style: `common.similarity.style_distance` of each photo in the style of the one before it.
    """

    channels: list[int]
    psnr: list[float]
    style: list[float]


def tradeoff(model, responses, photos, judge, points=8):
    """`Tradeoff` of a student as its least channels are cut.

    Args:
        model, responses, photos: as for `common.channels.measure_responses`, and what that gave.
        judge: `Autoencoder` whose features tell how close two photos are in style.
        points: numbers of channels to try, evenly from those that ever vary to one an axis.
    """
    from common import channels

    exact = channels.kept_exactly(model, responses)
    ranked = channels.ranking(model, responses, exact)
    result = Tradeoff([], [], [])
    for cut in np.linspace(0, len(ranked), points).astype(int):
        kept = channels.without(exact, ranked[:cut])
        smaller = channels.pruned(model, kept, responses)
        result.channels.append(int(sum(array.sum() for array in kept)))
        result.psnr.append(channels.reconstruction_quality(smaller, photos))
        result.style.append(mean_style_distance(smaller, photos, judge))
    return result


def mean_style_distance(model, photos, judge):
    """`common.similarity.style_distance`, by the features of `judge`, of photos in the style of the one before them."""
    from common.channels import styled_by_the_last, stylised
    from common.transforms import statistics

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
        responses: what `common.channels.measure_responses` gave, by the title of the panel.
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

    from common.channels import norm_shares

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


if __name__ == "__main__":
    sys.exit(main())
