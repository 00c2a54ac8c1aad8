"""What each backbone says of itself. Nothing here imports Keras."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from common.errors import InputError

CKPTS = Path(__file__).resolve().parents[2] / "ckpts"


class Widths(NamedTuple):
    """Output channels of every convolution: a tuple a level, a number a convolution.

    The decoder's levels are in the encoder's order, 0 first, although they run from the deepest down.
    """

    encoder: tuple[tuple[int, ...], ...]
    decoder: tuple[tuple[int, ...], ...]

    @property
    def features(self) -> tuple[int, ...]:
        """Channels of the feature at each level."""
        return tuple(block[-1] for block in self.encoder)


class Released(NamedTuple):
    """The paper's checkpoint of a student.

    Attributes:
        folder: in the paper's repository.
        sha256: of every file, by name.
        encoder_layer: `(level, index in the block, index in the encoder) -> str`, an encoder layer's name in the checkpoint.
        mark: what the names of this backbone's encoder layers begin with, and those of no other.
    """

    folder: str
    sha256: dict[str, str]
    encoder_layer: Callable[[int, int, int], str]
    mark: str


@dataclass(frozen=True)
class Backbone:
    """A backbone: what is not in its blocks.

    Attributes:
        name: also the name of its folder in `ckpts/`.
        strides: image pixels per feature pixel, at each level, 0 first.
        preprocessing: name of a layer that is not learnt, or None.
        paper_epochs: of COCO that the paper trains each pair of blocks for (section 4.1).
        released: the paper's checkpoint.
        bytes_per_pixel: of memory that a pass over a whole photo takes, for each pixel, by engine: "keras" and "onnx".
            Measured at 3840x2160 with the paper's widths.
    """

    name: str
    strides: tuple[int, ...]
    preprocessing: str | None
    paper_epochs: tuple[int, ...]
    released: Released
    bytes_per_pixel: dict[str, int]

    @property
    def levels(self) -> int:
        return len(self.strides)

    @property
    def checkpoint(self) -> Path:
        """The project's own student, for Keras."""
        return CKPTS / self.name / "student.weights.h5"

    @property
    def onnx_checkpoint(self) -> Path:
        """The same for ONNX Runtime."""
        return CKPTS / self.name / "student.onnx.zip"

    @property
    def teacher_decoder(self) -> Path:
        """The decoder of the teacher, where one was trained."""
        return CKPTS / self.name / "teacher_decoder.h5"

    @property
    def released_folder(self) -> Path:
        """Where the paper's student lies once it is downloaded."""
        return CKPTS / "released" / self.name


def require_backbone(path, found, expected):
    """Raise `InputError` where the file or folder at `path` is of backbone `found`, not `expected`; both are names."""
    if found != expected:
        raise InputError(f"{path} holds weights of the {found} backbone, not of {expected}")
