"""Weights: VGG-19's for a network that is to be trained, and those of trained networks, one `.npz` file each."""

from pathlib import Path

import keras
import numpy as np
from keras import ops

from adain import BASELINE
from adain.network import DEEPEST, IMAGENET_MEAN, IMAGENET_STD, Network, build_encoder
from common import array_files
from common.errors import InputError
from common.network.layers import convolutions
from common.network.variables import assign, read_npz

KIND, VERSION = "compact AdaIN network", 1
# What Keras Applications' VGG-19 gets: BGR in [0, 255], less ImageNet's mean.
APPLICATIONS_KERNEL = 255 * np.eye(3)[::-1]
APPLICATIONS_BIAS = -np.array([103.939, 116.779, 123.68])
# Root mean square of the deepest feature: about that of the weights that the publication used, so that its weights of the
# losses mean the same here.
FEATURE_RMS = 3.0


def pretrained_encoder(weights, feature, photos, name="encoder"):
    """VGG-19 up to `feature`, its activations scaled to `FEATURE_RMS`.

    A network of convolutions and ReLUs gives k times its feature where its input and its biases are k times as large.

    Args:
        weights: "imagenet" for Keras Applications' weights, which Keras downloads, or a `.npz` file with `NAME/kernel` and
            `NAME/bias` of `preprocess`, `conv1_1`, ... up to `feature` at least.
        photos: images `(batch, height, width, 3)`, RGB in [0, 1], that the scale is measured on.

    Raises:
        InputError: a file is missing or damaged, or does not reach so far.
    """
    arrays = imagenet() if weights == "imagenet" else read_npz(weights)
    encoder = build_encoder(feature, name=name)
    if f"{DEEPEST[feature]}/kernel" not in arrays:
        deepest = [other for other, layer in DEEPEST.items() if f"{layer}/kernel" in arrays]
        hint = f"; --feature {deepest[-1]} is as deep as they reach" if deepest else ""
        raise InputError(f"{weights} has no weights of {DEEPEST[feature]}{hint}")
    wanted = {f"{layer.name}/{name}": getattr(layer, name) for layer in convolutions(encoder) for name in ("kernel", "bias")}
    arrays = {**arrays, **for_normalised_images(arrays, weights)}
    assign(wanted, {name: array for name, array in arrays.items() if name in wanted}, weights)
    scale = FEATURE_RMS / float(np.sqrt(np.mean(np.square(ops.convert_to_numpy(encoder(photos))))))
    first, *others = convolutions(encoder)
    first.kernel.assign(first.kernel * scale)
    for layer in (first, *others):
        layer.bias.assign(layer.bias * scale)
    return encoder


def for_normalised_images(arrays, source):
    """The first convolution of VGG-19 with its preprocessing, a 1x1 convolution, taken in: for images that are normalised.

    At the border, where the convolution pads with zeros, this is off by what preprocessing makes of ImageNet's mean colour:
    half a grey level.
    """
    matrix = require(arrays, "preprocess/kernel", (1, 1, 3, 3), source)[0, 0]
    offset = require(arrays, "preprocess/bias", (3,), source)
    kernel = require(arrays, "conv1_1/kernel", (3, 3, 3, 64), source)
    bias = require(arrays, "conv1_1/bias", (64,), source)
    return {
        "conv1_1/kernel": np.einsum("ab,hwbo->hwao", IMAGENET_STD[:, None] * matrix, kernel),
        "conv1_1/bias": bias + np.einsum("b,hwbo->o", IMAGENET_MEAN @ matrix + offset, kernel),
    }


def require(arrays, name, shape, source):
    """The array called `name`, or `InputError` where it is missing, of another shape or not finite."""
    return array_files.require_array(source, arrays, name, shape, np.float32)


def imagenet():
    """Keras Applications' ImageNet weights, by the names of `pretrained_encoder`."""
    network = keras.applications.VGG19(include_top=False, weights="imagenet")
    arrays = {"preprocess/kernel": APPLICATIONS_KERNEL[None, None], "preprocess/bias": APPLICATIONS_BIAS}
    for layer in convolutions(network):
        block, convolution = layer.name.removeprefix("block").split("_conv")
        arrays |= {f"conv{block}_{convolution}/{v.name}": ops.convert_to_numpy(v) for v in layer.weights}
    return {name: np.asarray(array, np.float32) for name, array in arrays.items()}


def save(network, path, dtype=np.float32):
    """Write a network to `path`, a `.npz` file, whole or not at all.

    Args:
        dtype: float16 for half the size.
    """
    arrays = {name: ops.convert_to_numpy(variable).astype(dtype) for name, variable in network.variables.items()}
    array_files.write(path, KIND, VERSION, arrays)


def load(path=BASELINE):
    """A network that `save` wrote.

    Raises:
        InputError: the file is missing, damaged or of another kind.
    """
    if not Path(path).name.endswith(".npz"):
        raise InputError(f"{path}: a checkpoint of adain is a .npz file")
    arrays = array_files.read_kind(path, KIND, VERSION)
    feature = "relu4_1" if "encoder/conv4_1/bias" in arrays else "relu3_1"
    bias = arrays.get(f"encoder/{DEEPEST[feature]}/bias")
    if bias is None or bias.ndim != 1 or not len(bias):
        raise InputError(f"{path} does not say how many channels its feature has")
    if any(array.dtype.kind != "f" for array in arrays.values()):
        raise InputError(f"{path} holds something other than numbers")
    network = Network(feature, len(bias))
    assign(network.variables, {name: array.astype(np.float32) for name, array in arrays.items()}, path)
    return network
