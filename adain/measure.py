"""Measure compact AdaIN networks on photos and styles that they were not trained on.

python -m adain.measure RUN/adain.npz OTHER/adain.npz --content photos/ --style styles/ --weights W -o REPORT

The first network is the baseline: its order of channels is tried on the others too. REPORT, a new folder, gets norms.npz,
the l2 norm of every channel on every image (photos, then styles) by the network's folder, and report.md and report.json:

- dead: channels that are zero on every image; silent: those of norms up to 1e-5; moving zeros: those that are zero on some
  images and not on others; zeros: the share of pairs of image and channel that are; xor: the share of channels that respond
  to one of two images alone; correlation: the mean absolute one of two channels over an image
- without dead: the largest difference, of 1, that cutting the dead channels makes
- content, style: the losses, as trained on
- for so many channels cut, in the network's own order, the baseline's and at random: PSNR against the network with all
  channels, and the losses
"""

import json
import shlex
import sys
from pathlib import Path

import numpy as np

from adain.train import SCALING_SIDE
from common.commands import cli
from common.commands.training_options import evenly_spaced, positive
from common.errors import InputError
from common.files import require_new_folder, written_whole
from common.network.keras_backend import import_backend
from common.photos import photo_paths

# Norm up to which a channel counts as silent, beside exact zeros.
SILENT = 1e-5
# Parts of the channels that are cut, in 32nds, and random orders that are tried.
CUTS, STEPS, DRAWS = (0, 4, 8, 12, 16, 20, 24, 28, 30), 32, 3
# Pairs that are stylised with and without dead channels.
DIFFERENCES = 4


def main(arguments=None):
    """Run the command and give its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = cli.parser(__doc__)
    option = parser.add_argument
    option("checkpoints", type=Path, nargs="+", metavar="CHECKPOINT", help="networks, the baseline first")
    option("--content", type=Path, required=True, metavar="DIR", help="folder of photos")
    option("--style", type=Path, required=True, metavar="DIR", help="folder of style images")
    option("--weights", required=True, metavar="W", help="VGG-19's, which the losses see by: as for adain.train")
    option("--scale-photos", type=Path, metavar="DIR", help="folder that adain.train had as --content (default: --content)")
    option("--size", type=positive, default=SCALING_SIDE, metavar="SIDE", help="of centre crops (default: %(default)s)")
    option("--pairs", type=positive, default=24, metavar="N", help="that losses are measured on (default: %(default)s)")
    option("-o", "--output", type=Path, required=True, metavar="REPORT", help="a new folder")
    return cli.report_errors(measure, parser.parse_args(arguments), arguments)


def measure(options, arguments):
    """Do what `options` ask for."""
    contents, styles = photo_paths(options.content), photo_paths(options.style)
    require_new_folder(options.output)
    import_backend()
    from tqdm import tqdm

    from adain import pruning, weights
    from adain.train import scaling_crops
    from common.photos.crops import centre_crop, training_photo

    networks = {path: weights.load(path) for path in options.checkpoints}
    scaling = scaling_crops(photo_paths(options.scale_photos) if options.scale_photos else contents)
    loss_network = weights.pretrained_encoder(options.weights, networks[options.checkpoints[0]].feature, scaling)
    if len({network.encoder.output.shape for network in networks.values()}) > 1:
        raise InputError("all networks must have as many channels as the first")

    def crops(paths):
        return [centre_crop(training_photo(path), options.size) for path in paths]

    images = crops([*contents, *styles])
    some = evenly_spaced(contents, options.pairs), evenly_spaced(styles, options.pairs)
    pairs = [np.stack(crops(paths)[: min(map(len, some))]) for paths in some]
    result, all_norms, baseline_order = {}, {}, None
    for path, network in networks.items():
        norms = pruning.channel_norms(network, tqdm(images, desc=str(path), unit="image", disable=None))
        all_norms[path.parent.name] = norms.astype(np.float32)
        own = pruning.ranking(norms)
        baseline_order = own if baseline_order is None else baseline_order
        orders = {"own": [own], "baseline": [baseline_order], "random": random_orders(len(own))}
        result[str(path)] = of_channels(network, norms, images) | {
            "without dead": difference_without(network, np.flatnonzero(norms.sum(0) == 0), pairs),
            "cuts": of_cuts(network, loss_network, pairs, orders),
        }
    options.output.mkdir(parents=True, exist_ok=True)
    record = {
        "command": f"python -m adain.measure {shlex.join(map(str, arguments))}",
        "images": len(images),
        "networks": result,
    }
    for name, text in (("report.json", json.dumps(record, indent=2) + "\n"), ("report.md", report(result, len(own)))):
        with written_whole(options.output / name) as temporary:
            temporary.write_text(text)
    with written_whole(options.output / "norms.npz") as temporary:
        np.savez_compressed(temporary, **all_norms)
    print(report(result, len(own)))


def count(channels, part):
    """How many of `channels` a part in 32nds is."""
    return channels * part // STEPS


def random_orders(channels):
    """`DRAWS` orders of channels."""
    return [np.random.default_rng(draw).permutation(channels) for draw in range(DRAWS)]


def mean_of(rows):
    """The mean of dicts of numbers, by name."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def of_channels(network, norms, images):
    """How the channels respond: a dict of numbers."""
    from common.pruning.sparsity import uncorrelation_loss

    alive = norms > 0
    share = alive.mean(0)
    others = len(norms) / max(len(norms) - 1, 1)  # pairs of two different images
    correlations = [float(uncorrelation_loss(network.encode(image)[None])) for image in images]
    return {
        "dead": int((~alive).all(0).sum()),
        "silent": int((norms <= SILENT).all(0).sum()),
        "zeros": float(1 - alive.mean()),
        "moving zeros": int((alive.any(0) & ~alive.all(0)).sum()),
        "xor": float(np.mean(2 * share * (1 - share)) * others),
        "correlation": float(np.mean(correlations)),
    }


def difference_without(network, channels, pairs):
    """The largest difference, of 1, that cutting `channels` makes to the stylised images of some of `pairs`."""
    from adain import pruning

    smaller = pruning.pruned(network, channels[: network.bottleneck - 1])
    some = list(zip(*pairs, strict=True))[:DIFFERENCES]
    return max(float(np.abs(smaller.stylize(*pair) - network.stylize(*pair)).max()) for pair in some)


def of_cuts(network, loss_network, pairs, orders):
    """PSNR in dB against the network with all channels, and the losses, without the first channels of an order.

    Args:
        pairs: contents and styles, `(pairs, side, side, 3)` each.
        orders: lists of orders of channels by name; what they give is averaged.

    Returns:
        By name a list of dicts, one for each of `CUTS`.
    """
    from adain import losses
    from adain.network import adain
    from adain.training import loss_taps

    taps = loss_taps(loss_network)
    feature = np.asarray(adain(*(network.encoder(images) for images in pairs)))
    of_contents, of_styles = map(taps, pairs)
    whole = np.clip(network.decoder(feature), 0, 1)

    def without(channels):
        left = np.ones(network.bottleneck, np.float32)
        left[channels] = 0
        images = np.clip(network.decoder(feature * left), 0, 1)
        errors = np.square(images - whole).mean((1, 2, 3))
        of_images = taps(images)
        return {
            "psnr": float(-10 * np.log10(np.maximum(errors, 1e-10)).mean()),
            "content": float(losses.content_loss(of_images[-1], of_contents[-1])),
            "style": float(losses.style_loss(of_images, of_styles)),
        }

    counts = [count(network.bottleneck, part) for part in CUTS]
    return {name: [mean_of([without(order[:n]) for order in tried]) for n in counts] for name, tried in orders.items()}


def report(result, channels):
    """The report in Markdown."""
    names = ("dead", "silent", "moving zeros", "zeros", "xor", "correlation", "without dead")
    lines = ["| network | " + " | ".join(names) + " | content | style |", "|---" * (len(names) + 3) + "|"]
    for path, row in result.items():
        whole = row["cuts"]["own"][0]
        cells = [f"{row[name]}" if isinstance(row[name], int) else f"{row[name]:.3g}" for name in names]
        lines.append(f"| {path} | {' | '.join(cells)} | {whole['content']:.2f} | {whole['style']:.3f} |")
    for value, digits in (("psnr", 1), ("content", 2), ("style", 3)):
        head = " | ".join(str(count(channels, part)) for part in CUTS)
        lines += ["", f"| {value}, channels cut | {head} |", "|---" * (len(CUTS) + 1) + "|"]
        for path, row in result.items():
            for order, found in row["cuts"].items():
                lines.append(f"| {path}, {order} | " + " | ".join(f"{x[value]:.{digits}f}" for x in found) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
