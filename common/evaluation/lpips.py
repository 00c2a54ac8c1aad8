"""LPIPS (Zhang et al. 2018): how differently two photos are seen, by a network that the user brings as an ONNX file."""

from pathlib import Path

import numpy as np

from common.errors import InputError
from common.network.onnx_network import session

# Height and width in pixels of what a model is tried on: not square, so that one of a fixed size is found out.
TRIED = (64, 96)
# Of a photo to itself, a distance above this is none.
ZERO = 1e-3


class Lpips:
    """LPIPS by ONNX Runtime: 0 for the same photo, about 1 for photos that have nothing in common.

    Args:
        path: an ONNX model of two inputs `(1, 3, height, width)`, RGB in [-1, 1] of any height and width, and one output, a
            number.

    Raises:
        InputError: there is no such file, or it holds no such model.
    """

    def __init__(self, path: str | Path):
        if not Path(path).is_file():
            raise InputError(f"{path}: no such file")
        try:
            self._session = session(str(path))
            self._inputs = [each.name for each in self._session.get_inputs()]
            require_distance(self)
        except Exception as error:  # ONNX Runtime's own share no narrower class
            raise InputError(
                f"{path} is no LPIPS, an ONNX model from two photos (1, 3, height, width) of any size to one number: {error}"
            ) from error

    def __call__(self, photo: np.ndarray, other: np.ndarray) -> float:
        """The distance of two uint8 photos `(height, width, 3)` of one shape."""
        photos = (each.transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1 for each in (photo, other))
        (distance,) = self._session.run(None, dict(zip(self._inputs, photos, strict=True)))
        return np.asarray(distance).item()


def require_distance(distance):
    """Raise `ValueError` unless `distance`, of uint8 photos, is 0 for a photo and itself and above 0 for two."""
    noise = np.random.default_rng(0).integers(0, 256, (*TRIED, 3), np.uint8)
    same, different = distance(noise, noise), distance(noise, 255 - noise)
    if not (abs(same) <= ZERO < different < np.inf):
        raise ValueError(f"a photo's distance to itself is {same:.3g}, to another {different:.3g}")
