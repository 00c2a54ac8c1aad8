"""The predictor of grades run by ONNX Runtime: no Keras, a few milliseconds a pair.

    predictor = GradePredictor.load()
    lut = predictor.lut(predictor.describe(content), predictor.describe(style))
    result = common.grading.lut.apply(lut, content)

Its file is a zip archive: `description.json` and two ONNX models, `encoder.onnx` and `mapper.onnx`.
"""

import functools
import json
import zipfile
from pathlib import Path

import numpy as np

from common.errors import InputError
from common.grading import descriptor
from common.grading import lut as luts
from common.network.backbone import CKPTS
from common.network.onnx_network import member, session

# What is shipped; the file's kind, and the version of its layout.
DEFAULT = CKPTS / "grade" / "predictor.onnx.zip"
KIND, VERSION = "onnx grade", 1
DESCRIPTION = "description.json"


@functools.cache
def shipped_predictor():
    """The predictor in `ckpts/`, loaded once."""
    return GradePredictor.load()


class GradePredictor:
    """What predicts one colour map for a whole photo from two photos.

    Attributes:
        length: numbers in a descriptor.
        record: what is known of how the weights came about.
    """

    def __init__(self, encoder, mapper, description):
        """`encoder` and `mapper` are ONNX Runtime sessions."""
        self._encoder, self._mapper = encoder, mapper
        self.length = description["descriptor"]
        self.record = description["record"]

    @classmethod
    def load(cls, path: str | Path | None = None) -> "GradePredictor":
        """The predictor in the file at `path`; None: the one in `ckpts/`.

        Raises:
            InputError: it is missing, damaged or no file of this kind.
        """
        path = Path(path or DEFAULT)
        if not path.is_file():
            raise InputError(f"{path}: no such file")
        try:
            with zipfile.ZipFile(path) as packed:
                description = json.loads(member(packed, DESCRIPTION))
                found = description.get("kind"), description.get("version")
                if found != (KIND, VERSION):
                    raise InputError(f"{path} is of kind {found[0]!r}, version {found[1]}, not {KIND!r}, version {VERSION}")
                sessions = [session(member(packed, f"{part}.onnx"), threads=1) for part in ("encoder", "mapper")]
            predictor = cls(*sessions, description)
            grey = predictor.describe(np.full((16, 16, 3), 128, np.uint8))
            if predictor.length != len(grey) or not isinstance(predictor.record, dict):
                raise ValueError("its description does not fit its networks")
            if not np.isfinite(predictor.lut(grey, grey)).all():
                raise ValueError("its weights are not finite")
            return predictor
        except InputError:
            raise
        except Exception as error:  # ONNX Runtime's own share no narrower class
            raise InputError(f"{path} is not a predictor of grades: {' '.join(str(error).split())}") from error

    def describe(self, pixels: np.ndarray) -> np.ndarray:
        """The descriptor of a photo, which is all that a grade needs of it.

        Args:
            pixels: RGB `(height, width, 3)`, uint8 or floats in [0, 1].

        Returns:
            `(length,)` float32.
        """
        copies = descriptor.copy(pixels)[None]
        (seen,) = self._encoder.run(None, {"copy": copies})
        return np.concatenate([descriptor.statistics(copies)[0], seen[0], descriptor.moments(copies)[0]])

    def lut(self, content: np.ndarray, style: np.ndarray) -> np.ndarray:
        """The grade that gives a content the look of a style.

        Args:
            content, style: descriptors `(length,)`.

        Returns:
            `(n, n, n, 3)` float32, by red, green and blue: what `common.grading.lut.apply` takes. Some nodes may lie beyond
            [0, 1]. It is the identity where both descriptors are equal, and a grey ramp never falls.
        """
        return luts.rising(self.predicted(content, style))

    def predicted(self, content, style):
        """The same as the network gives it: a grey ramp may fall."""
        for vector in (content, style):
            if vector.shape != (self.length,):
                raise InputError(f"a descriptor has {self.length} numbers, not the shape {vector.shape}")
        (content, moments), (style, goal) = (
            np.split(vector[None], [-descriptor.MOMENTS], axis=1) for vector in (content, style)
        )
        inputs = {"content": content, "style": style, "transport": descriptor.transport(moments, goal)}
        (lut,) = self._mapper.run(None, inputs)
        return lut[0]
