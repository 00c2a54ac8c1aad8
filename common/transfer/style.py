"""A style photo measured once: the statistics of its features, and what a grade needs of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import array_files
from common.errors import InputError
from common.transfer.transforms import Statistics

# Of a style's file: its kind, and the version of its layout.
KIND, VERSION = "style", 2


@dataclass(frozen=True)
class Style:
    """What a style photo is measured to: the statistics of its feature at each level, 0 first.

    Attributes:
        statistics: four `common.transfer.transforms.Statistics`.
        network: fingerprint of the network that took them; they mean nothing to any other.
        descriptor: what `common.grading.runtime.GradePredictor.describe` gave; None in files of version 1.
    """

    statistics: tuple[Statistics, ...]
    network: str
    descriptor: np.ndarray | None = None

    def save(self, path: str | Path) -> None:
        """Write to `path`, a `.npz` file of some tens of kilobytes."""
        arrays = {
            f"{name}_{level}": array
            for level, of_level in enumerate(self.statistics)
            for name, array in of_level._asdict().items()
        }
        if self.descriptor is not None:
            arrays["descriptor"] = self.descriptor
        array_files.write(path, KIND, VERSION, {"network": self.network, **arrays})

    @classmethod
    def load(cls, path: str | Path) -> "Style":
        """The style that `save` wrote.

        Raises:
            InputError: there is no such file, or it holds no style.
        """
        arrays = array_files.read_kind(path, KIND, VERSION)
        descriptor = None
        if "descriptor" in arrays:
            descriptor = array_files.require_array(path, arrays, "descriptor", (None,), np.float32)
        levels = sum(name.startswith("mean_") for name in arrays)
        measured = []
        for level in range(max(1, levels)):
            mean = array_files.require_array(path, arrays, f"mean_{level}", (None,), np.float64)
            shape = (len(mean), len(mean))
            covariance = array_files.require_array(path, arrays, f"covariance_{level}", shape, np.float64)
            if not np.allclose(covariance, covariance.T) or (np.diag(covariance) < 0).any():
                raise InputError(f"{path}: covariance_{level} is no covariance")
            measured.append(Statistics(mean, covariance))
        return cls(tuple(measured), str(arrays.get("network", "unknown")), descriptor)
