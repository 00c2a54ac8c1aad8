"""Variables of a network by name, and the arrays that are to go into them."""

import keras
import numpy as np

from common import array_files
from common.errors import InputError
from common.network.layers import convolutions


def read_npz(path):
    """The arrays of a `.npz` file by name, float32; errors as `common.array_files.read`."""
    arrays = array_files.read(path)
    try:
        return {name: np.asarray(array, np.float32) for name, array in arrays.items()}
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} holds something other than numbers: {error}") from error


def encoder_variables(model):
    """Variables of the encoder by their keys in the paper's checkpoints."""
    variables, overall = {}, 0
    for level, block in enumerate(model.encoder_blocks):
        for index, layer in enumerate(convolutions(block)):
            variables |= layer_variables(model.backbone.released.encoder_layer(level, index, overall), layer)
            overall += 1
    return variables


def decoder_variables(model):
    """Variables of the decoder by their keys in the paper's checkpoints, the same for both backbones."""
    variables = {}
    for level, block in enumerate(model.decoder_blocks):
        for index, layer in enumerate(convolutions(block)):
            variables |= layer_variables(f"btnecks/{level}/layer_with_weights-{index}", layer)
    return variables


def layer_variables(prefix, layer):
    """Kernel and bias of a convolution, as {prefix/name: variable}."""
    kernel = "depthwise_kernel" if isinstance(layer, keras.layers.DepthwiseConv2D) else "kernel"
    return {f"{prefix}/{kernel}": layer.kernel, f"{prefix}/bias": layer.bias}


def assign(variables, arrays, source):
    """Give each variable the array of its name; both are dicts by name.

    Raises:
        InputError: an array is missing, surplus, misshapen or not finite; the message names it. Nothing is assigned then.
    """
    require_arrays({name: tuple(variable.shape) for name, variable in variables.items()}, arrays, source)
    for name, variable in variables.items():
        variable.assign(arrays[name])


def require_arrays(shapes, arrays, source):
    """Raise `InputError`, naming the array, unless `arrays` are those that `shapes` has by name, and finite."""
    missing, surplus = sorted(shapes.keys() - arrays.keys()), sorted(arrays.keys() - shapes.keys())
    if missing:
        raise InputError(f"{source}: {first_of(missing)} missing")
    if surplus:
        raise InputError(f"{source}: {first_of(surplus)} not of this network")
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise InputError(f"{source}: {name} has shape {arrays[name].shape} but must be {shape}")
        if arrays[name].dtype.kind not in "fiu" or not np.isfinite(arrays[name]).all():
            raise InputError(f"{source}: {name} is not finite")


def first_of(names):
    """'a is', or 'a and 3 more are'."""
    return f"{names[0]} is" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more are"
