"""The MobileNet teacher: ImageNet's MobileNet v1 (alpha 1.0), cut at four layers, and a decoder."""

import functools

import keras
import numpy as np

from common.network import checkpoints
from common.network.autoencoder import Autoencoder
from common.network.backbone import Widths
from common.network.layers import convolutions
from common.network.variables import encoder_variables, read_npz, require_arrays
from mobilenet_backbone import BACKBONE
from mobilenet_backbone.blocks import BUILDERS, encoder_block

WIDTHS = Widths(
    encoder=((32,), (32, 64, 64), (128, 128, 128, 128), (256, 256, 256, 256)),
    decoder=((3,), (32, 32), (64, 64), (128, 128)),
)
PRETRAINED = BUILDERS._replace(encoder=functools.partial(encoder_block, pretrained=True))
# Of Keras Applications' batch normalisation.
BATCH_NORM_EPSILON = 1e-3
BATCH_NORM = ("gamma", "beta", "moving_mean", "moving_variance")


def build(decoder_levels=4):
    """A teacher with untrained weights; `decoder_levels` of its decoder blocks, from level 0 on."""
    return Autoencoder(
        BACKBONE, PRETRAINED, WIDTHS._replace(decoder=WIDTHS.decoder[:decoder_levels]), name="mobilenet_teacher"
    )


def load(weights, decoder=None):
    """The pretrained teacher.

    Args:
        weights: a `.npz` file with arrays by Keras layer name (`conv1/kernel`, `conv_dw_1_bn/gamma`, ...), or "imagenet" for
            Keras Applications' own, which Keras downloads.
        decoder: a file that `mobilenet_backbone.train_teacher` wrote, or None for the one in `ckpts/`.

    Returns:
        `common.network.autoencoder.Autoencoder`. Batch normalisation is folded into its convolutions.

    Raises:
        common.errors.InputError: a file is missing, damaged or of another backbone; the message names the array.
    """
    if decoder is None and BACKBONE.teacher_decoder.exists():
        decoder = BACKBONE.teacher_decoder
    if decoder is None:
        return load_encoder(weights)
    return checkpoints.load_with_decoder(load_encoder, BACKBONE, weights, decoder)


def load_encoder(weights, decoder_levels=0):
    """As `load`, with an untrained decoder of `decoder_levels` levels."""
    arrays = imagenet() if weights == "imagenet" else read_npz(weights)
    # The cut lies before conv_pw_6, which is in the file at hand all the same.
    arrays = {name: array for name, array in arrays.items() if name.split("/")[0] not in ("conv_pw_6", "conv_pw_6_bn")}
    model = build(decoder_levels)
    names = {
        name: variable for name, variable in zip(pretrained_names(model), encoder_variables(model).values(), strict=True)
    }
    shapes = {}
    for name, variable in names.items():
        if name.endswith("/bias"):
            shapes |= {f"{name.removesuffix('/bias')}_bn/{part}": tuple(variable.shape) for part in BATCH_NORM}
        else:
            shapes[name] = tuple(variable.shape)
    require_arrays(shapes, arrays, weights)
    for name, array in folded(arrays).items():
        names[name].assign(array)
    return model


def pretrained_names(model):
    """Keras Applications' name of every variable of the encoder, in their order: `conv_dw_1/depthwise_kernel`, ..."""
    layers = [layer for block in model.encoder_blocks for layer in convolutions(block)]
    for layer in layers:
        name = layer.name.replace("dw", "conv_dw_").replace("pw", "conv_pw_")
        yield f"{name}/{'depthwise_kernel' if isinstance(layer, keras.layers.DepthwiseConv2D) else 'kernel'}"
        yield f"{name}/bias"


def folded(arrays):
    """Kernels and biases that do what kernels and batch normalisation do together, by name."""
    result = {}
    for key, kernel in arrays.items():
        name, kind = key.split("/")
        if not kind.endswith("kernel"):
            continue
        gamma, beta, mean, variance = (arrays[f"{name}_bn/{part}"].astype(np.float64) for part in BATCH_NORM)
        scale = gamma / np.sqrt(variance + BATCH_NORM_EPSILON)
        result[key] = kernel * (scale[:, None] if kind == "depthwise_kernel" else scale)
        result[f"{name}/bias"] = beta - mean * scale
    return result


def imagenet():
    """Keras Applications' ImageNet weights up to the teacher's last cut, by name."""
    network = keras.applications.MobileNet(input_shape=(224, 224, 3), include_top=False, weights="imagenet")
    return arrays_by_name(network)


def arrays_by_name(network):
    """Arrays of Keras Applications' MobileNet up to the teacher's last cut, by the names of a teacher's `.npz`."""
    arrays = {}
    for layer in network.layers[: network.layers.index(network.get_layer("conv_pw_6"))]:
        for weight in layer.weights:
            depthwise = weight.name == "kernel" and isinstance(layer, keras.layers.DepthwiseConv2D)
            name = f"{layer.name}/{'depthwise_kernel' if depthwise else weight.name}"
            arrays[name] = keras.ops.convert_to_numpy(weight)
    return arrays
