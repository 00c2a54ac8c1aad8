"""Train a compact AdaIN network.

python -m adain.train --content photos/ --style styles/ --weights W --save-to RUN --preset channel-xor

Any photos will do as contents, paintings or what `adain.make_styles` makes as styles. The presets are the published ones,
80,000 steps on crops of 256 pixels: weeks on two cores. RUN gets adain.npz, the network, adain.json, a record, samples.png
(rows of contents, styles and results) and curves. A run that was cut short goes on when the same command is given again.

What fits into an hour or two on two cores is a smaller network for less time, and then channels die only where the norm at
which one counts half begins high and falls, and where the losses are weighted to pull at all:

    --feature relu3_1 --crop 64 --shorter-side 160 --steps 2500 --half-alive annealed --channel-weight auto
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from adain.presets import PRESETS
from common.commands import cli, training_options
from common.commands.training_options import evenly_spaced, positive, rate, require_multiple
from common.errors import InputError
from common.photos import photo_paths

RECORD = "adain.json"
# Photos that the scale of pretrained features is measured on, and the side of what is taken of each.
SCALING_PHOTOS, SCALING_SIDE = 32, 128
# Of the content loss, in every preset.
CONTENT_WEIGHT = 1.0
LOSSES = ("style", "uncorrelation", "channel", "xor")
FEATURES = ("relu4_1", "relu3_1")


def main(arguments=None):
    """Run the command and give its exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    options = command_parser().parse_args(arguments)
    return cli.report_errors(train, options, arguments)


def command_parser():
    """The command's options."""
    result = cli.parser(__doc__)
    option = result.add_argument
    option("--content", type=Path, required=True, metavar="DIR", help="folder of photos")
    option("--style", type=Path, required=True, metavar="DIR", help="folder of style images")
    option(
        "--weights",
        required=True,
        metavar="W",
        help="VGG-19's: imagenet, which Keras downloads, or a .npz file with NAME/kernel and NAME/bias; the network "
        "of the losses, and what training begins with",
    )
    option("--save-to", type=Path, required=True, metavar="RUN", help="where the network, backups, logs and curves go")
    option("--start", type=Path, metavar="FILE.npz", help="begin with a network of another run")
    option("--preset", choices=PRESETS, default="baseline", help="default: %(default)s")
    for name in LOSSES:
        option(f"--{name}-weight", type=weight, metavar="W", help=weight_help(name))
    option("--encoder-learning-rate", type=zero_or_rate, metavar="R", help="0: it stays as it is (default: the preset's)")
    option("--decoder-learning-rate", type=zero_or_rate, metavar="R", help="the same (default: the preset's)")
    option("--train-from", default="conv1_1", metavar="LAYER", help="the encoder's first that learns (default: %(default)s)")
    option(
        "--half-alive",
        type=half_alive,
        default=1e-5,
        metavar="NORM",
        help="norm at which a channel counts half in the channel and xor losses, or annealed: the median norm, falling to a "
        "thousandth of it (default: %(default)s, as published)",
    )
    option("--feature", choices=FEATURES, default=FEATURES[0], help="that AdaIN works on (default: %(default)s)")
    option("--steps", type=positive, default=80_000, metavar="N", help="default: %(default)s")
    option("--batch-size", type=positive, default=4, metavar="N", help="pairs a step (default: %(default)s)")
    option("--crop", type=positive, default=256, metavar="SIDE", help="in pixels (default: %(default)s)")
    option("--shorter-side", type=positive, default=512, metavar="SIDE", help="of photos before (default: %(default)s)")
    option("--interval", type=positive, default=250, metavar="STEPS", help="between backups (default: %(default)s)")
    option("--seed", type=int, default=0, metavar="S", help="of crops and first weights (default: %(default)s)")
    return result


def weight_help(name):
    """Help on the option of a loss's weight."""
    found = "; auto: pulls half as much as content and style, and xor a twentieth of it" if name == "channel" else ""
    return f"of the {name} loss{found} (default: the preset's)"


def weight(text):
    """A weight, or auto (None), for argparse."""
    value = float("nan") if text == "auto" else float(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def half_alive(text):
    """A norm, or annealed, for argparse."""
    return text if text == "annealed" else rate(text)


def zero_or_rate(text):
    """A learning rate, or 0, for argparse."""
    return 0.0 if float(text) == 0 else rate(text)


def train(options, arguments):
    """Train as `options` ask. What can be checked is checked before the backend's slow import."""
    require_multiple(options.steps, options.interval, "--steps")
    contents, styles = photo_paths(options.content), photo_paths(options.style)
    weights_of_losses, rates = settings(options)
    if options.weights != "imagenet" and not Path(options.weights).is_file():
        raise InputError(f"{options.weights}: no such file")
    if options.start and not options.start.is_file():
        raise InputError(f"{options.start}: no such file")
    import keras

    from adain import network, training, weights
    from common.network.layers import convolutions
    from common.photos.crops import require_readable

    require_multiple(options.crop, 2 ** len([w for _, w in network.layers_to(options.feature) if w is None]), "--crop")
    keras.utils.set_random_seed(options.seed)
    require_readable(contents + styles)
    crops = scaling_crops(contents)
    loss_network = weights.pretrained_encoder(options.weights, options.feature, crops, name="loss_network")
    trained = weights.load(options.start) if options.start else network.Network(options.feature)
    if not options.start:
        trained.encoder.set_weights(loss_network.get_weights())
    elif (trained.feature, trained.bottleneck) != (options.feature, loss_network.output.shape[-1]):
        raise InputError(f"{options.start} is a network to {trained.feature} with {trained.bottleneck} channels there")
    if options.train_from not in {layer.name for layer in convolutions(trained.encoder)}:
        raise InputError(f"--train-from: there is no layer {options.train_from}")
    options.save_to.mkdir(parents=True, exist_ok=True)
    course = training.Course(
        folder=options.save_to,
        contents=contents,
        styles=styles,
        steps=options.steps,
        batch_size=options.batch_size,
        crop=options.crop,
        shorter_side=options.shorter_side,
        seed=options.seed,
        interval=options.interval,
        weights=weights_of_losses,
        encoder_rate=rates["encoder_rate"],
        decoder_rate=rates["decoder_rate"],
        train_from=options.train_from,
        half_alive=None if options.half_alive == "annealed" else options.half_alive,
    )
    origin = origin_of(options, course)
    training_options.require_same_run(options.save_to, origin)
    found = training.train(trained, loss_network, course)
    record = training_options.record_of("adain.train", arguments, origin | {"loss_weights": found})
    training_options.save_record(record, options.save_to / RECORD)
    print(f"the network is in {options.save_to / training.NETWORK}")


def scaling_crops(paths):
    """Middles of some of the photos at `paths`, `(photos, side, side, 3)`, that the scale of features is measured on."""
    from common.photos.crops import centre_crop, training_photo

    shown = evenly_spaced(paths, SCALING_PHOTOS)
    return np.stack([centre_crop(training_photo(path), SCALING_SIDE) for path in shown])


def settings(options):
    """Weights of the losses and learning rates, by name: the preset's but for what is given.

    Raises:
        InputError: they leave nothing to train.
    """
    preset = PRESETS[options.preset]
    given = {name: getattr(options, f"{name}_weight") for name in LOSSES}
    result = {name: preset[name] if given[name] is None else given[name] for name in LOSSES}
    if np.isnan([result["style"], result["uncorrelation"], result["xor"]]).any():
        raise InputError("only --channel-weight can be auto")
    if np.isnan(result["channel"]):
        if given["xor"] is not None:
            raise InputError("--channel-weight auto finds the weight of the xor loss too: leave out --xor-weight")
        result |= {"channel": None, "xor": None}
    rates = {}
    for part in ("encoder", "decoder"):
        found = getattr(options, f"{part}_learning_rate")
        rates[f"{part}_rate"] = preset[f"{part}_rate"] if found is None else found
    if not any(rates.values()):
        raise InputError("with both learning rates 0 nothing is trained")
    return {"content": CONTENT_WEIGHT} | result, rates


def origin_of(options, course):
    """What a run is made from, a dict that JSON can hold."""
    sources = {"styles": course.styles, "weights": [options.weights], "start": [options.start] if options.start else []}
    origin = training_options.origin_of("adain", options.preset, course.seed, course.contents, **sources)
    names = (
        "steps",
        "batch_size",
        "crop",
        "shorter_side",
        "interval",
        "weights",
        "encoder_rate",
        "decoder_rate",
        "train_from",
    )
    return origin | {
        "feature": options.feature,
        "half_alive": options.half_alive,
        **{name: getattr(course, name) for name in names},
    }


if __name__ == "__main__":
    sys.exit(main())
