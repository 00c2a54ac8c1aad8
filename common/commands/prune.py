"""Cut the channels of a student that never fire, and on request those that matter least.

python -m common.commands.prune CHECKPOINT --backbone vgg --dataset photos/ -o pruned.weights.h5
python -m common.commands.prune CHECKPOINT --backbone vgg --dataset photos/ -o small.weights.h5 --keep-output-above 30
python -m common.commands.prune CHECKPOINT --backbone vgg --dataset photos/ -o small.weights.h5 --channels 10 15 30 24

Every photo is encoded, reconstructed from the deepest level, and stylised with the photo before it, by the three transforms
in turn. Channels whose response is the same everywhere, nearly always zero, are cut. On those photos the result stays the
same. An unseen photo may need a channel that was cut; the report counts the channels that the weights' bounds prove dead on
any image. 200 photos take some minutes on two cores.

With --keep-output-above or --channels more are cut, the least first: by the l2 norm of their response over the photos, as a
share of their layer's. Their mean response stays, in the biases of the convolutions that read them.

CHECKPOINT is a file of this project or a folder with the paper's. What is written loads like any other checkpoint.
"""

import shlex
import sys
from pathlib import Path

import numpy as np

from common.commands import cli
from common.commands.training_options import positive, random_subset, require_multiple
from common.errors import InputError
from common.files import require_absent, require_room
from common.network import registry
from common.network.registry import BACKBONES
from common.photos import photo_paths


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
    option("--limit", type=positive, metavar="PHOTOS", help="use this many, drawn at random (default: all)")
    option("--size", type=positive, default=320, metavar="SIDE", help="of the centre crop (default: %(default)s)")
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
        type=positive,
        nargs="+",
        metavar="N",
        help="cut more: the most at any convolution of an encoder block or beside its feature in the decoder; one N a level",
    )
    option("--overwrite", action="store_true", help="replace what is there")
    return result


def prune(options, arguments):
    """Do what `options` ask for. What can be checked is checked before the backend's slow import."""
    paths = random_subset(photo_paths(options.dataset), options.limit, options.seed)
    require_output(options.output, options.overwrite)
    require_multiple(options.size, registry.backbone(options.backbone).strides[-1], "--size")
    student = registry.student(options.backbone)
    from common.network import checkpoints
    from common.photos.crops import CentreCrops
    from common.pruning.cut import kept_at_widths, kept_exactly, pruned
    from common.pruning.responses import measure_responses

    model = student.load(options.checkpoint)
    levels = len(model.encoder_blocks)
    if options.channels and len(options.channels) != levels:
        raise InputError(f"--channels: {len(options.channels)} numbers, but the student has {levels} levels")
    photos = CentreCrops(paths, batch_size=1, size=options.size)
    responses = measure_responses(model, with_progress(photos, "observed"))
    kept = kept_exactly(model, responses)
    if options.channels:
        kept = kept_at_widths(model, responses, kept, options.channels)
    elif options.keep_output_above is not None:
        kept = kept_above(model, responses, kept, photos, options.keep_output_above)
    result = pruned(model, kept, responses)
    figures = report(model, result, responses, photos)
    command = f"python -m common.commands.prune {shlex.join(map(str, arguments))}"
    record = checkpoints.read_record(options.checkpoint) | {"pruned": {"command": command, **figures}}
    checkpoints.save(result, options.output, record)


def require_output(path, overwrite):
    """Raise `InputError` where no checkpoint can be written to `path`, or something is there that may not be replaced."""
    if not path.name.endswith(".weights.h5"):
        raise InputError(f"{path}: a checkpoint's name ends in .weights.h5")
    require_room(path)
    require_absent(path, overwrite)


def with_progress(photos, what):
    """`photos` with a progress bar."""
    from tqdm import tqdm

    return tqdm(photos, desc=what, unit="photo", disable=None)


def kept_above(model, responses, kept, photos, decibels):
    """`kept` without as many of the least channels as leave reconstructions a mean PSNR of `decibels`, by bisection.

    Raises:
        InputError: there is less even with all of them.
    """
    from common.pruning.cut import pruned, ranking, without
    from common.pruning.responses import reconstruction_quality

    def quality(kept, what):
        return reconstruction_quality(pruned(model, kept, responses), with_progress(photos, what))

    ranked = ranking(model, responses, kept)
    best = quality(kept, "reconstructed")
    if best < decibels:
        raise InputError(f"--keep-output-above: {decibels:g} dB, but the student reconstructs at {best:.2f} dB")
    enough, too_many = 0, len(ranked) + 1
    while too_many - enough > 1:
        middle = (enough + too_many) // 2
        if quality(without(kept, ranked[:middle]), f"without {middle}") >= decibels:
            enough = middle
        else:
            too_many = middle
    return without(kept, ranked[:enough])


def report(model, result, responses, photos):
    """Print what was cut and what that changes, and give it as a dict that JSON can hold."""
    from common.pruning.axes import named_convolutions
    from common.pruning.cut import multiplications
    from common.pruning.responses import bounds, largest_difference, reconstruction_quality

    bounds = bounds(model)
    dead = {name: ~responses[name].live for name in bounds}
    proven = sum(int((dead[name] & (highest == 0)).sum()) for name, (_, highest) in bounds.items())
    layers = named_convolutions(result)
    live = [[name, int(r.live.sum()), len(r.live), layers[name].bias.shape[0]] for name, r in responses.items()]
    figures = {
        "photos": len(photos),
        "size": photos.size,
        "live": live,
        "dead_in_encoder": int(sum(map(np.sum, dead.values()))),
        "proven_dead": proven,
        "weights": [m.weight_count for m in (model, result)],
        "multiplications": [round(multiplications(m)) for m in (model, result)],
        "psnr": [reconstruction_quality(m, photos) for m in (model, result)],
        "largest_difference": largest_difference(model, result, with_progress(photos, "compared")),
    }
    print("layer                live  of  kept")
    for name, count, width, left in live:
        print(f"{name:20} {count:4} {width:3} {left:5}")
    print("weights: {:,} -> {:,}".format(*figures["weights"]))
    print("multiplications a pixel, encoder and decoder: {:,} -> {:,}".format(*figures["multiplications"]))
    print("reconstruction: {:.2f} -> {:.2f} dB".format(*figures["psnr"]))
    print(f"largest difference of a stylised photo: {figures['largest_difference']:.4f} grey levels of 255")
    print(
        f"This rests on {len(photos)} photos of {photos.size}x{photos.size} pixels; an unseen one may need a channel that "
        f"was cut. Of {figures['dead_in_encoder']} dead channels in the encoder, bounds prove {proven} to be dead on every "
        "image."
    )
    return figures


if __name__ == "__main__":
    sys.exit(main())
