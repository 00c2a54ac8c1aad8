"""The backbones by name: each has a folder NAME_backbone with the modules `student` and `teacher`."""

import importlib

from common import cli, onnx_network
from common.errors import InputError


def student(backbone):
    """The module `student` of a backbone; imports Keras."""
    cli.import_backend()
    return importlib.import_module(f"{backbone}_backbone.student")


def teacher(backbone):
    """The module `teacher` of a backbone; imports Keras."""
    cli.import_backend()
    return importlib.import_module(f"{backbone}_backbone.teacher")


def load_network(backbone, model="student", checkpoint=None):
    """A network to stylise with.

    Args:
        backbone: its name.
        model: "student" or "teacher".
        checkpoint: of a student, a file or folder as `load` of its module takes it, or what `export` wrote; None for the
            one in `ckpts/`. That and what `export` wrote are run by ONNX Runtime, all else by Keras. Of a teacher, its
            weights.

    Raises:
        InputError: it is missing, damaged, of another backbone or without a decoder, or Keras is not installed.
    """
    if model == "teacher":
        network = teacher(backbone).load(checkpoint)
        if len(network.decoder_blocks) < len(network.encoder_blocks):
            raise InputError(f"the {backbone} teacher has no decoder to stylise with: train_teacher makes one")
        return network
    if checkpoint is None or str(checkpoint).endswith(onnx_network.SUFFIX):
        return onnx_network.load_student(backbone, checkpoint)
    return student(backbone).load(checkpoint)
