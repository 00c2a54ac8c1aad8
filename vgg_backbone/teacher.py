"""The VGG-19 teacher: normalised VGG-19, cut at four layers, and a decoder."""

from pathlib import Path

import keras
import numpy as np

from common import checkpoints
from common.autoencoder import Autoencoder
from common.backbone import Widths
from common.layers import convolutions
from vgg_backbone.blocks import BACKBONE, ENCODER_LAYERS

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
    return Autoencoder(BACKBONE, widths, name="vgg_teacher" if levels == 4 else f"vgg_teacher up to {last}")


def load(weights, decoder=None):
    """The pretrained teacher.

    Args:
        weights: a `.npz` file with `NAME/kernel` and `NAME/bias` of `preprocess`, `conv1_1`, ... `conv4_1`, or of the first
            levels only; the paper's TensorFlow checkpoint, `pretrained_vgg_weights/vgg`; or "imagenet" for Keras
            Applications' own, which Keras downloads and which are not normalised (see `--normalize`).
        decoder: a file that `vgg_backbone.train_teacher` wrote, or None for a teacher without a decoder.

    Returns:
        `common.autoencoder.Autoencoder`, of as many levels as `weights` has.

    Raises:
        common.errors.InputError: a file is missing, damaged or of another backbone; the message names the array.
    """
    if decoder is None:
        return load_encoder(weights)
    levels, arrays = checkpoints.read_decoder(decoder, BACKBONE.name)
    model = load_encoder(weights, decoder_levels=levels)
    checkpoints.assign(checkpoints.decoder_variables(model), arrays, decoder)
    return model


def load_encoder(weights, decoder_levels=0):
    """As `load`, with an untrained decoder of `decoder_levels` levels, or as many as `weights` has."""
    if Path(f"{weights}.index").is_file():
        model = build(decoder_levels=decoder_levels)
        checkpoints.assign(checkpoints.encoder_variables(model), checkpoints.read_tensorflow(weights), weights)
        return model
    arrays = imagenet() if weights == "imagenet" else checkpoints.read_npz(weights)
    levels = 1 + max(
        (level for level, names in enumerate(ENCODER_LAYERS) for name in names if f"{name}/kernel" in arrays), default=3
    )
    model = build(levels, decoder_levels)
    checkpoints.assign(variables_by_layer(model), arrays, weights)
    return model


def variables_by_layer(model):
    """Variables of the encoder by the names of a teacher's `.npz`: `conv1_1/kernel`, ..."""
    layers = [layer for block in model.encoder_blocks for layer in convolutions(block)]
    return {name: variable for layer in layers for name, variable in checkpoints.layer_variables(layer.name, layer).items()}


def imagenet():
    """Keras Applications' ImageNet weights up to the teacher's last cut, by the names of a teacher's `.npz`."""
    network = keras.applications.VGG19(include_top=False, weights="imagenet")
    arrays = checkpoints.layer_variables("preprocess", build(levels=1).encoder_blocks[0].get_layer("preprocess"))
    for name, theirs in APPLICATIONS_NAMES.items():
        arrays |= checkpoints.layer_variables(name, network.get_layer(theirs))
    return {name: np.asarray(keras.ops.convert_to_numpy(array)) for name, array in arrays.items()}
