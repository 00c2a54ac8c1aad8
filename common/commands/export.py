"""The command `export` of both backbones: a student for ONNX Runtime."""

import hashlib
import importlib.util
import shlex
from pathlib import Path

from common.commands import cli
from common.errors import InputError
from common.files import require_absent, require_room
from common.network import onnx_network, registry

# What Keras needs for it, beside TensorFlow.
PACKAGES = ("onnx", "tf2onnx")


def main(backbone, doc, arguments=None):
    """Run the command and give its exit status; arguments as for `common.commands.stylize.main`."""
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
    student = registry.student(backbone)
    from common.network import checkpoints
    from common.network.onnx_export import write_student

    model = student.load(options.checkpoint)
    path = options.checkpoint or checkpoints.default_checkpoint(registry.backbone(backbone))
    command = f"python -m {backbone}_backbone.export --checkpoint {shlex.quote(path.name)}"
    record = {"command": command, "sha256": checksums(path), "checkpoint": checkpoints.read_record(path)}
    write_student(model, options.output, record)


def checksums(path):
    """SHA-256 of a checkpoint's file, or of each file of a folder, by name."""
    files = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
