"""The VGG-19 teacher: normalised VGG-19, cut at four layers, and a decoder.

python -m vgg_backbone.teacher --normalize photos/ -o vgg19_normalised.npz

rescales every filter of Keras Applications' VGG-19 to a mean activation of 1 over the photos (Gatys et al. 2015): one pass
over them a layer, twelve in all. A few hundred photos are plenty.
"""

import sys
from pathlib import Path

import keras
import numpy as np

from common.commands import cli
from common.files import require_absent, require_room, written_whole
from common.network import checkpoints
from common.network.autoencoder import Autoencoder
from common.network.backbone import Widths
from common.network.layers import convolutions
from common.network.released import read_tensorflow
from common.network.variables import assign, encoder_variables, layer_variables, read_npz
from common.photos import photo_paths
from vgg_backbone import BACKBONE
from vgg_backbone.blocks import BUILDERS, ENCODER_LAYERS

WIDTHS = Widths(
    encoder=((64,), (64, 128), (128, 256), (256, 256, 256, 512)),
    decoder=((3,), (64, 64), (128, 128), (256, 256, 256, 256)),
)
# Keras Applications' names of our convolutions: conv1_1 is block1_conv1.
APPLICATIONS_NAMES = {name: f"block{name[4]}_conv{name[6]}" for block in ENCODER_LAYERS for name in block}


def build(levels=4, decoder_levels=4, widths=WIDTHS):
    """A teacher with untrained weights; `levels` of its encoder and `decoder_levels` of its decoder blocks, from 0 on."""
    last = ENCODER_LAYERS[levels - 1][-1]
    widths = Widths(widths.encoder[:levels], widths.decoder[: min(levels, decoder_levels)])
    return Autoencoder(BACKBONE, BUILDERS, widths, name="vgg_teacher" if levels == 4 else f"vgg_teacher up to {last}")


def load(weights, decoder=None):
    """The pretrained teacher.

    Args:
        weights: a `.npz` file with `NAME/kernel` and `NAME/bias` of `preprocess`, `conv1_1`, ... `conv4_1`, or of the first
            levels only; the paper's TensorFlow checkpoint, `pretrained_vgg_weights/vgg`; or "imagenet" for Keras
            Applications' own, which Keras downloads and which are not normalised (see `--normalize`).
        decoder: a file that `vgg_backbone.train_teacher` wrote, or None for a teacher without a decoder.

    Returns:
        `common.network.autoencoder.Autoencoder`, of as many levels as `weights` has.

    Raises:
        common.errors.InputError: a file is missing, damaged or of another backbone; the message names the array.
    """
    if decoder is None:
        return load_encoder(weights)
    return checkpoints.load_with_decoder(load_encoder, BACKBONE, weights, decoder)


def load_encoder(weights, decoder_levels=0):
    """As `load`, with an untrained decoder of `decoder_levels` levels, or as many as `weights` has."""
    if Path(f"{weights}.index").is_file():
        model = build(decoder_levels=decoder_levels)
        assign(encoder_variables(model), read_tensorflow(weights), weights)
        return model
    arrays = imagenet() if weights == "imagenet" else read_npz(weights)
    levels = 1 + max(
        (level for level, names in enumerate(ENCODER_LAYERS) for name in names if f"{name}/kernel" in arrays), default=3
    )
    model = build(levels, decoder_levels)
    assign(variables_by_layer(model), arrays, weights)
    return model


def variables_by_layer(model):
    """Variables of the encoder by the names of a teacher's `.npz`: `conv1_1/kernel`, ..."""
    layers = [layer for block in model.encoder_blocks for layer in convolutions(block)]
    return {name: variable for layer in layers for name, variable in layer_variables(layer.name, layer).items()}


def imagenet():
    """Keras Applications' ImageNet weights up to the teacher's last cut, by the names of a teacher's `.npz`."""
    network = keras.applications.VGG19(include_top=False, weights="imagenet")
    arrays = layer_variables(BACKBONE.preprocessing, build(levels=1).encoder_blocks[0].get_layer(BACKBONE.preprocessing))
    for name, theirs in APPLICATIONS_NAMES.items():
        arrays |= layer_variables(name, network.get_layer(theirs))
    return {name: np.asarray(keras.ops.convert_to_numpy(array)) for name, array in arrays.items()}


def normalise(model, photos):
    """Rescale every filter of a VGG encoder so that its mean activation over photos and positions is 1.

    What a filter is divided by, the filters that read it are multiplied by: the function stays, but for the scale of the
    features. Filters that never respond are left as they are.

    Args:
        model: `common.network.autoencoder.Autoencoder` of this backbone.
        photos: images `(1, height, width, 3)`, iterated over once a layer.

    Returns:
        What each layer's filters were divided by: its name -> `(filters,)`.
    """
    means = {}
    scale = None
    for level, block in enumerate(model.encoder_blocks):
        for layer in convolutions(block):
            if layer.name == BACKBONE.preprocessing:
                continue
            if scale is not None:
                layer.kernel.assign(layer.kernel * scale[:, None])
            scale = mean_activation(model, level, layer.name, photos)
            scale = np.where(scale > 0, scale, 1)
            layer.kernel.assign(layer.kernel / scale)
            layer.bias.assign(layer.bias / scale)
            means[layer.name] = scale
    return means


def mean_activation(model, level, name, photos):
    """Mean of each channel after the layer called `name` in block `level`, over photos and positions, `(channels,)`."""
    block = model.encoder_blocks[level]
    activation = keras.Model(block.input, block.get_layer(f"{name}_relu").output)
    total, count = 0.0, 0
    for photo in photos:
        x = model.encode(photo, level - 1)[0][-1] if level else photo
        x = keras.ops.convert_to_numpy(activation(x))
        total += x.sum(axis=(0, 1, 2), dtype=np.float64)
        count += x[..., 0].size
    return (total / count).astype(np.float32)


class Photos:
    """The photos of a folder, `(1, height, width, 3)`, RGB in [0, 1], read anew every time they are gone through."""

    def __init__(self, folder):
        self.paths = photo_paths(folder)

    def __iter__(self):
        from tqdm import tqdm

        from common.photos.crops import training_photo

        for path in tqdm(self.paths, unit="photo", disable=None):
            yield training_photo(path)[None].astype(np.float32) / 255


def write_normalised(options):
    """The command of this file."""
    require_room(options.output)
    require_absent(options.output, options.overwrite)
    photos = Photos(options.normalize)
    model = load_encoder(options.weights)
    normalise(model, photos)
    arrays = {name: keras.ops.convert_to_numpy(variable) for name, variable in variables_by_layer(model).items()}
    with written_whole(options.output) as temporary, open(temporary, "wb") as file:  # a path would get .npz appended
        np.savez(file, **arrays)


def main(arguments=None):
    parser = cli.parser(__doc__)
    option = parser.add_argument
    option("--normalize", type=Path, required=True, metavar="PHOTOS", help="folder of photos")
    option("-o", "--output", type=Path, required=True, metavar="FILE.npz", help="where to write the normalised weights")
    option("--weights", default="imagenet", metavar="W", help="what to normalise (default: %(default)s)")
    option("--overwrite", action="store_true", help="replace the file that is there")
    return cli.report_errors(write_normalised, parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main())
