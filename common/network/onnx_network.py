"""The network run by ONNX Runtime: no Keras, a third of a second to start, little memory.

A student's ONNX file is a zip archive: `description.json`, and an ONNX model for each of the four encoder and four decoder
blocks, `encoder_0.onnx` to `decoder_3.onnx`. `python -m vgg_backbone.export` (or mobilenet_backbone) writes one.
"""

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from common.array_files import DAMAGE
from common.errors import InputError
from common.network.backbone import Widths, require_backbone
from common.network.coarse_to_fine import coarse_to_fine
from common.photos import IMAGE_CHANNELS

SUFFIX = ".onnx.zip"
# Of the file: its kind, and the version of its layout.
KIND, VERSION = "onnx student", 1
DESCRIPTION = "description.json"
# In pixels: more than any network here has.
LARGEST_STRIDE = 64
# Of one member, unpacked, in bytes: many times what the largest student takes.
LARGEST_MEMBER = 200_000_000


class OnnxAutoencoder:
    """A student run by ONNX Runtime; `encode` and `decode` as in `common.network.autoencoder.Autoencoder`, on NumPy arrays.

    Attributes:
        backbone: its name.
        strides: image pixels per feature pixel, at each level.
        widths: `common.network.backbone.Widths`.
        record: what is known of how the weights came about.
        weight_count: learnt numbers, without the eigenbases.
        bytes_per_pixel: about what a pass over a whole photo takes in memory, for each pixel.
    """

    def __init__(self, description, encoders, decoders):
        """`encoders` and `decoders` are ONNX Runtime sessions, level 0 first."""
        self.backbone = description["backbone"]
        self.strides = tuple(description["strides"])
        self.widths = Widths(*(tuple(map(tuple, description["widths"][part])) for part in Widths._fields))
        self.record = description["record"]
        self.weight_count = description["weight_count"]
        self.bytes_per_pixel = description["bytes_per_pixel"]
        self._fingerprint = description["fingerprint"]
        self._encoders, self._decoders = encoders, decoders

    def fingerprint(self):
        """A digest of the encoder's weights, the same as that of the Keras network."""
        return self._fingerprint

    def encode(self, images):
        """Features and skips of all levels, two lists of arrays, of images `(1, height, width, 3)` float32 in [0, 1]."""
        features, skips = [], []
        x = images
        for session in self._encoders:
            skips.append(high_frequencies(x))
            (x,) = session.run(None, {"feature": x})
            features.append(x)
        return features, skips

    def decode(self, level, feature, skip):
        """What decoder block `level` makes of `feature`: the feature a level up, or at level 0 the image (not clipped)."""
        (result,) = self._decoders[level].run(None, {"feature": feature, "skip": skip})
        return result


def high_frequencies(x):
    """`x`, `(1, height, width, channels)`, less its 3x3 box mean under symmetric padding."""
    return x - cv2.blur(x[0], (3, 3), borderType=cv2.BORDER_REFLECT).reshape(x.shape)


def load_student(backbone, path=None):
    """A student of `backbone` from the file at `path`; None: the one in `ckpts/`.

    Args:
        backbone: `common.network.backbone.Backbone`.

    Raises:
        InputError: it is missing, damaged, of another backbone, or no ONNX file of this project.
    """
    path = backbone.onnx_checkpoint if path is None else Path(path)
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with zipfile.ZipFile(path) as packed:
            description = json.loads(member(packed, DESCRIPTION))
            require_description(path, description)
            require_backbone(path, description.get("backbone"), backbone.name)
            levels = range(len(description["strides"]))
            sessions = [
                [session(member(packed, f"{part}_{level}.onnx")) for level in levels] for part in ("encoder", "decoder")
            ]
        network = OnnxAutoencoder(description, *sessions)
        require_sound(path, network)
        return network
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(f"{path} is not an ONNX file of this project: {' '.join(str(error).split())}") from error


def member(packed, name):
    """The bytes of a member of an open zip archive."""
    if packed.getinfo(name).file_size > LARGEST_MEMBER:
        raise ValueError(f"{name} unpacks to more than {LARGEST_MEMBER:,} bytes")
    return packed.read(name)


def session(model, threads=0):
    """An ONNX Runtime session for a serialised model, on so many threads; 0: as many as there are cores.

    Raises:
        ValueError: ONNX Runtime cannot take it.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised; nothing is printed
    # Each block has threads of its own: waiting ones must not keep the cores busy while the next block computes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.intra_op_num_threads = threads
    options.enable_cpu_mem_arena = False  # a third of the memory at equal speed
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's own share no narrower class
        raise ValueError(str(error)) from error


def require_description(path, description):
    """Raise `InputError` unless a file's description says that it is a student, and of what shape."""
    fields = description if isinstance(description, dict) else {}
    found = fields.get("kind"), fields.get("version")
    if found != (KIND, VERSION):
        raise InputError(f"{path} is not an ONNX file of this project: it is of kind {found[0]!r}, version {found[1]}")
    types = {"fingerprint": str, "weight_count": int, "bytes_per_pixel": int, "strides": list, "record": dict}
    wrong = [name for name, kind in types.items() if not isinstance(fields.get(name), kind)]
    if wrong or not all(isinstance(s, int) and 0 < s <= LARGEST_STRIDE for s in fields["strides"]):
        raise InputError(f"{path} is damaged: its description has no usable {wrong[0] if wrong else 'strides'}")


def require_sound(path, network):
    """Raise `InputError` unless a grey image comes back finite and of its size, through features of the widths stated."""
    side = 4 * network.strides[-1]
    images = np.full((1, side, side, IMAGE_CHANNELS), 0.5, np.float32)
    try:
        features, skips = network.encode(images)
        shapes = [feature.shape[1:] for feature in features]
        x = coarse_to_fine(network, features, skips)
    except Exception as error:  # as above
        raise InputError(f"{path} is damaged: {' '.join(str(error).split())}") from error
    expected = [(side // s, side // s, c) for s, c in zip(network.strides, network.widths.features, strict=True)]
    if shapes != expected or x.shape != images.shape or not np.isfinite(x).all():
        raise InputError(f"{path} is damaged: its blocks do not fit its description, or its weights are not finite")
