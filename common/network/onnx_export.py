"""Keras networks written for ONNX Runtime."""

import json
import tempfile
import zipfile
from pathlib import Path

from common.files import written_whole
from common.network import onnx_network
from common.network.keras_backend import silenced_stderr


def write_student(model, path, record):
    """Write a student to `path`, a zip archive as `common.network.onnx_network` reads it, whole or not at all.

    Args:
        model: `common.network.autoencoder.Autoencoder` with all its blocks.
        record: what is known of how its weights came about.
    """
    description = {
        "kind": onnx_network.KIND,
        "version": onnx_network.VERSION,
        "backbone": model.backbone.name,
        "strides": model.strides,
        "weight_count": model.weight_count,
        "bytes_per_pixel": model.backbone.bytes_per_pixel["onnx"],
        "widths": model.widths._asdict(),
        "fingerprint": model.fingerprint(),
        "record": record,
    }
    with written_whole(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as packed:
        add(packed, onnx_network.DESCRIPTION, json.dumps(description, indent=2))
        for block in model.encoder_blocks + model.decoder_blocks:
            add(packed, f"{block.name}.onnx", serialised(block))


def add(packed, name, content):
    """Add a member to an open zip archive, of no date: equal contents make equal files."""
    packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def serialised(block):
    """A Keras model of one image's features, of any height and width, as ONNX; inputs are called feature and skip."""
    import keras

    inputs = [
        keras.InputSpec(shape=(1, None, None, tensor.shape[-1]), dtype="float32", name=name)
        for tensor, name in zip(block.inputs, ("feature", "skip"), strict=False)
    ]
    return exported(block, inputs)


def exported(model, inputs):
    """A Keras model as ONNX, serialised; `inputs` is a `keras.InputSpec` for each of its inputs."""
    with tempfile.TemporaryDirectory() as folder, silenced_stderr():
        path = Path(folder, "model.onnx")
        model.export(path, format="onnx", input_signature=inputs if len(inputs) == 1 else [inputs], verbose=False)
        return path.read_bytes()
