"""Cut channels of a compact AdaIN network, the least first.

python -m adain.prune CHECKPOINT --dataset photos/ --style styles/ --channels 100 200 -o OUT

Channels are ranked by the sum of their l2 norms over the photos and the style images. OUT, a new folder, gets pruned_N.npz
for every number N of channels cut, and three pictures: liveness.png, which channel responds to which image; norms.png, the
norms by rank; panel.png, one result for each N. Without --channels, those are cut that are zero on every image.
"""

import json
import shlex
import sys
from pathlib import Path

import numpy as np

from common.commands import cli
from common.commands.training_options import positive, random_subset
from common.errors import InputError
from common.files import require_new_folder, written_whole
from common.network.keras_backend import import_backend
from common.photos import photo_paths


def main(arguments=None):
    """Run the command and give its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = cli.parser(__doc__)
    option = parser.add_argument
    option("checkpoint", type=Path, metavar="CHECKPOINT", help="what adain.train wrote, a .npz file")
    option("--dataset", type=Path, required=True, metavar="DIR", help="folder of content photos")
    option("--style", type=Path, required=True, metavar="DIR", help="folder of style images")
    option("--channels", type=int, nargs="+", metavar="N", help="how many to cut (default: those that are always zero)")
    option("-o", "--output", type=Path, required=True, metavar="OUT", help="a new folder for networks and pictures")
    option("--limit", type=positive, metavar="IMAGES", help="use this many of each, drawn at random (default: all)")
    option("--size", type=positive, default=256, metavar="SIDE", help="of their centre crops (default: %(default)s)")
    option("--half", action="store_true", help="write numbers of 16 bits, for half the size")
    option("--seed", type=int, default=0, metavar="S", help="of --limit (default: %(default)s)")
    return cli.report_errors(prune, parser.parse_args(arguments), arguments)


def prune(options, arguments):
    """Do what `options` ask for."""
    contents, styles = (
        random_subset(photo_paths(folder), options.limit, options.seed) for folder in (options.dataset, options.style)
    )
    require_new_folder(options.output)
    import_backend()
    from tqdm import tqdm

    from adain import pruning, weights
    from common.photos.crops import centre_crop, training_photo
    from common.pruning import figures

    network = weights.load(options.checkpoint)
    images = (centre_crop(training_photo(path), options.size) for path in [*contents, *styles])
    norms = pruning.channel_norms(
        network, tqdm(images, total=len(contents) + len(styles), desc="observed", unit="image", disable=None)
    )
    dead = int((norms.sum(0) == 0).sum())
    counts = sorted(set(options.channels or [min(dead, network.bottleneck - 1)]))
    if not 0 <= counts[0] <= counts[-1] < network.bottleneck:
        raise InputError(f"--channels: from 0 to {network.bottleneck - 1} of {network.bottleneck} channels can be cut")
    ranked = pruning.ranking(norms)
    options.output.mkdir(parents=True, exist_ok=True)
    command = f"python -m adain.prune {shlex.join(map(str, arguments))}"
    rows = {}
    pair = [centre_crop(training_photo(paths[0]), options.size) for paths in (contents, styles)]
    panel = {"content": pair[0], "style": pair[1]}
    print(f"{dead} of {network.bottleneck} channels are zero on all of {len(norms)} images")
    print("  cut  parameters  multiplications at 256x256     time")
    for count in sorted({0, *counts}):
        smaller = pruning.pruned(network, ranked[:count])
        rows[count] = pruning.cost(smaller)
        print("{:5} {:11,} {:26,} {:6.0f} ms".format(count, *rows[count][:2], 1000 * rows[count].seconds))
        panel[f"{count} cut"] = smaller.stylize(*pair)
        if count in counts:
            weights.save(smaller, options.output / f"pruned_{count}.npz", np.float16 if options.half else np.float32)
    save_figure(figures.draw_liveness({options.checkpoint.stem: pruning.response(norms)}), options.output / "liveness.png")
    save_figure(figures.draw_norms({options.checkpoint.stem: pruning.response(norms)}), options.output / "norms.png")
    save_figure(draw_panel(panel), options.output / "panel.png")
    record = {"command": command, "dead": dead, "images": len(norms), "cost": {n: c._asdict() for n, c in rows.items()}}
    with written_whole(options.output / "pruned.json") as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n")


def draw_panel(images):
    """A figure of images, `(height, width, 3)` in [0, 1] by title, five in a row."""
    from matplotlib.figure import Figure  # slow to import

    rows = -(-len(images) // 5)
    figure = Figure((10, 2.2 * rows), layout="constrained")
    for axis in figure.subplots(rows, 5, squeeze=False).flat:
        axis.axis("off")
    for axis, (title, image) in zip(figure.axes, images.items(), strict=False):
        axis.imshow(np.clip(image, 0, 1))
        axis.set_title(title, fontsize=9)
    return figure


def save_figure(figure, path):
    """Write a figure to `path`, whole or not at all."""
    with written_whole(path) as temporary:
        figure.savefig(temporary, dpi=120)


if __name__ == "__main__":
    sys.exit(main())
