"""The files that a trained predictor is kept in: Keras weights, and ONNX models for `common.grading.runtime`.

Both hold every matrix in bytes, a scale for each of its columns, and get back the same float32 numbers.
"""

import json
import zipfile

import keras
import numpy as np

from common import array_files
from common.errors import InputError
from common.files import written_whole
from common.grading import predictor, runtime
from common.network.onnx_export import add, exported

# Largest magnitude of a rounded number.
LARGEST = 127
# Matrices of fewer numbers, and vectors, stay as they are.
SMALLEST_ROUNDED = 1000
# Error of rounding again what was rounded, as a share of a step.
SAME = 1e-3
# Beginning of the name of a matrix's scales in the file of Keras weights.
SCALES = "scales of "


def rounded(array):
    """A matrix, or a stack of them, in bytes: int8 of the same shape, and float32 scales for its last axis."""
    magnitudes = np.abs(array).max(axis=tuple(range(array.ndim - 1)))
    scales = np.maximum(magnitudes / LARGEST, 1e-12).astype(np.float32)
    return np.round(array / scales).astype(np.int8), scales


def is_rounded(array):
    """Whether weights are kept in bytes."""
    return array.ndim > 1 and array.size >= SMALLEST_ROUNDED


def round_weights(*models):
    """Set the weights of models to what their files will hold."""
    for weight in (weight for model in models for weight in model.weights):
        array = keras.ops.convert_to_numpy(weight)
        if is_rounded(array):
            whole, scales = rounded(array)
            weight.assign(whole * scales)


def write_keras(encoder, mapper, path):
    """Write the weights of both models to `path`, a `.npz` file, whole or not at all."""
    arrays = {}
    for name, weight in named_weights(encoder, mapper).items():
        array = keras.ops.convert_to_numpy(weight)
        arrays[name] = array
        if is_rounded(array):
            arrays[name], arrays[SCALES + name] = rounded(array)
    with written_whole(path) as temporary, temporary.open("wb") as file:  # a path would get .npz appended
        np.savez_compressed(file, **arrays)


def read_keras(path):
    """Encoder and mapper with the weights in a file of `write_keras`.

    Raises:
        InputError: it is missing, damaged or holds other weights.
    """
    arrays = array_files.read(path)
    encoder, mapper = predictor.build_encoder(), predictor.build_mapper()
    try:
        for name, weight in named_weights(encoder, mapper).items():
            array = np.asarray(arrays[name] * arrays.get(SCALES + name, 1), np.float32)
            if not np.isfinite(array).all():
                raise ValueError(f"{name} is not finite")
            weight.assign(array)
        predictor.normalisation(mapper).finalize_state()
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} does not hold the weights of a predictor of grades") from error
    return encoder, mapper


def named_weights(encoder, mapper):
    """Weights by a name that is the same in every process."""
    return {
        f"{part}/{number:02} {weight.name}": weight
        for part, model in (("encoder", encoder), ("mapper", mapper))
        for number, weight in enumerate(model.weights)
    }


def write_onnx(encoder, mapper, path, record):
    """Write both models to `path`, a zip archive as `common.grading.runtime` reads it, whole or not at all.

    Args:
        record: what is known of how the weights came about.

    Raises:
        InputError: the packages that it takes are missing.
    """
    try:
        import onnx  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise InputError("writing ONNX models needs the packages onnx and tf2onnx") from error
    description = {
        "kind": runtime.KIND,
        "version": runtime.VERSION,
        "descriptor": predictor.DESCRIPTOR,
        "nodes": predictor.NODES,
        "record": record,
    }
    with written_whole(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as packed:
        add(packed, runtime.DESCRIPTION, json.dumps(description, indent=2))
        # Constants of the graph; Keras exports none of a tensor that is no weight.
        normalise = predictor.normalisation(mapper)
        normalise.mean, normalise.variance = (keras.ops.convert_to_numpy(x) for x in (normalise.mean, normalise.variance))
        for part, model in (("encoder", encoder), ("mapper", mapper)):
            add(packed, f"{part}.onnx", serialised(model))


def serialised(model):
    """A Keras model of one sample as ONNX, its matrices in bytes."""
    import onnx

    inputs = [keras.InputSpec(shape=(1, *x.shape[1:]), dtype="float32", name=x.name) for x in model.inputs]
    graph = onnx.load_model_from_string(exported(model, inputs))
    _round_initialisers(graph.graph)
    return graph.SerializeToString()


def _round_initialisers(graph):
    """Replace by bytes, and operations that scale them back, the matrices of an ONNX graph that lose nothing by it."""
    from onnx import TensorProto, helper, numpy_helper

    kept, nodes = [], []
    for tensor in list(graph.initializer):
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or not is_rounded(array):
            kept.append(tensor)
            continue
        axis = 0 if array.ndim == 4 else array.ndim - 1  # ONNX has a convolution's filters first
        whole, scales = rounded(np.moveaxis(array, axis, -1))
        whole = np.ascontiguousarray(np.moveaxis(whole, -1, axis))
        scales = scales.reshape([-1 if place == axis else 1 for place in range(array.ndim)])
        if np.abs(whole * scales - array).max() > SAME * scales.max():  # a table, which was never rounded
            kept.append(tensor)
            continue
        # ONNX Runtime does this once, when it loads them. Of DequantizeLinear it would make products in bytes.
        names = [f"{tensor.name} {part}" for part in ("bytes", "scales", "unscaled")]
        kept += [numpy_helper.from_array(whole, names[0]), numpy_helper.from_array(scales, names[1])]
        nodes.append(helper.make_node("Cast", names[:1], names[2:], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", [names[2], names[1]], [tensor.name]))
    nodes += graph.node
    for field, values in ((graph.initializer, kept), (graph.node, nodes)):
        del field[:]
        field.extend(values)
