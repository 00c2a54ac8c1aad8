"""The command `export` of both backbones: a student for ONNX Runtime."""

import hashlib
import importlib.util
import json
import shlex
import tempfile
import zipfile
from pathlib import Path

from common import cli, onnx_network
from common.errors import InputError
from common.files import require_absent, require_room, written_whole

# What Keras needs for it, beside TensorFlow.
PACKAGES = ("onnx", "tf2onnx")


def main(backbone, doc, arguments=None):
    """Run the command and give its exit status; arguments as for `common.stylize_photos.main`."""
    return cli.report_errors(export, command_parser(doc).parse_args(arguments), backbone)


def command_parser(doc):
    """The command's options."""
    result = cli.parser(doc)
    option = result.add_argument
    option("--checkpoint", type=Path, metavar="PATH", help="a checkpoint as stylize takes it (default: in ckpts/)")
    option("-o", "--output", type=Path, required=True, metavar="FILE", help="where to write, NAME.onnx.zip")
    option("--overwrite", action="store_true", help="replace what is there")
    return result


def export(options, backbone):
    """Write the student that `options` name. What can be checked is checked before the backend's slow import."""
    if not options.output.name.endswith(onnx_network.SUFFIX):
        raise InputError(f"{options.output}: the name has to end in {onnx_network.SUFFIX}")
    require_room(options.output)
    require_absent(options.output, options.overwrite)
    missing = [name for name in PACKAGES if not importlib.util.find_spec(name)]
    if missing:
        raise InputError(f"export needs the packages {' and '.join(missing)}: pip install {' '.join(missing)}")
    from common import checkpoints, registry

    model = registry.student(backbone).load(options.checkpoint)
    path = options.checkpoint or checkpoints.default_checkpoint(backbone)
    command = f"python -m {backbone}_backbone.export --checkpoint {shlex.quote(path.name)}"
    record = {"command": command, "sha256": checksums(path), "checkpoint": checkpoints.read_record(path)}
    write(model, options.output, record)


def checksums(path):
    """SHA-256 of a checkpoint's file, or of each file of a folder, by name."""
    files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def write(model, path, record):
    """Write a student to `path`, a zip archive as `common.onnx_network` reads it, whole or not at all.

    Args:
        model: `common.autoencoder.Autoencoder` with all its blocks.
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
    with tempfile.TemporaryDirectory() as folder, cli.silenced_stderr():
        path = Path(folder, "model.onnx")
        model.export(path, format="onnx", input_signature=inputs if len(inputs) == 1 else [inputs], verbose=False)
        return path.read_bytes()
