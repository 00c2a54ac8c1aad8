"""The backbones by name, and the networks that a name stands for."""

import importlib

from common.errors import InputError
from common.network.backbone import Backbone
from common.network.keras_backend import import_backend

# Each package has a `BACKBONE`, and modules `blocks`, `student` and `teacher`, which import Keras.
PACKAGES = {"vgg": "vgg_backbone", "mobilenet": "mobilenet_backbone"}
BACKBONES = tuple(PACKAGES)


def backbone(name) -> Backbone:
    """The backbone called `name`; does not import Keras."""
    return importlib.import_module(PACKAGES[name]).BACKBONE


def student(name):
    """The module `student` of a backbone; imports Keras."""
    import_backend()
    return importlib.import_module(f"{PACKAGES[name]}.student")


def teacher(name):
    """The module `teacher` of a backbone; imports Keras."""
    import_backend()
    return importlib.import_module(f"{PACKAGES[name]}.teacher")


def load_network(name, model="student", checkpoint=None):
    """A network to stylise with.

    Args:
        name: of the backbone.
        model: "student" or "teacher".
        checkpoint: of a student, a file or folder as `load` of its module takes it, or what `export` wrote; None for the
            one in `ckpts/`. That and what `export` wrote are run by ONNX Runtime, all else by Keras. Of a teacher, its
            weights.

    Raises:
        InputError: it is missing, damaged, of another backbone or without a decoder, or Keras is not installed.
    """
    from common.network import onnx_network  # ONNX Runtime takes a while to import

    if model == "teacher":
        network = teacher(name).load(checkpoint)
        if len(network.decoder_blocks) < len(network.encoder_blocks):
            raise InputError(f"the {name} teacher has no decoder to stylise with: train_teacher makes one")
        return network
    if checkpoint is None or str(checkpoint).endswith(onnx_network.SUFFIX):
        return onnx_network.load_student(backbone(name), checkpoint)
    return student(name).load(checkpoint)
