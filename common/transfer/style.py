"""A style photo measured once: the statistics of its features, and what a grade needs of it."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common import array_files
from common.errors import InputError
from common.transfer.transforms import Statistics, barycentre

# Of a style's file: its kind, and the version of its layout.
KIND, VERSION = "style", 2


@dataclass(frozen=True)
class Style:
    """What a style photo is measured to: the statistics of its feature at each level, 0 first.

    Attributes:
        statistics: four `common.transfer.transforms.Statistics`.
        network: fingerprint of the network that took them; they mean nothing to any other.
        descriptors: what `common.grading.runtime.GradePredictor.describe` gave, `(photos, length)` float32: more than one
            photo where styles were mixed. None in files of version 1.
        shares: what each of these photos counts for, `(photos,)` float64, summing to 1.
    """

    statistics: tuple[Statistics, ...]
    network: str
    descriptors: np.ndarray | None = None
    shares: np.ndarray | None = None

    @classmethod
    def mix(cls, styles: "list[Style]", weights: list[float]) -> "Style":
        """The style between styles: at each level the barycentre of their Gaussians, and a grade between their grades.

        Args:
            weights: of the styles, none below 0; what counts is their ratio.

        Raises:
            InputError: the styles are of different networks, or the weights cannot be used.
        """
        weights = np.asarray(weights, np.float64)
        if len(styles) != len(weights) or not len(styles) or not np.isfinite(weights).all() or weights.min() < 0:
            raise InputError("to mix styles, each has to have a weight that is not below 0")
        if not weights.sum() > 0:
            raise InputError("to mix styles, one weight at least has to be above 0")
        if len({style.network for style in styles}) > 1:
            raise InputError("styles can be mixed that were analysed with one network: analyse the photos again")
        weights = weights / weights.sum()
        mixed = []
        for of_level in zip(*(style.statistics for style in styles), strict=True):
            means, covariances = (np.stack(arrays) for arrays in zip(*of_level, strict=True))
            mixed.append(Statistics(weights @ means, barycentre(covariances, weights)))
        if any(style.descriptors is None for style in styles):
            return cls(tuple(mixed), styles[0].network)
        shares = np.concatenate([w * style.shares for w, style in zip(weights, styles, strict=True)])
        return cls(tuple(mixed), styles[0].network, np.concatenate([style.descriptors for style in styles]), shares)

    def save(self, path: str | Path) -> None:
        """Write to `path`, a `.npz` file of some tens of kilobytes."""
        arrays = {
            f"{name}_{level}": array
            for level, of_level in enumerate(self.statistics)
            for name, array in of_level._asdict().items()
        }
        if self.descriptors is not None:
            arrays |= {"descriptors": self.descriptors, "shares": self.shares}
        array_files.write(path, KIND, VERSION, {"network": self.network, **arrays})

    @classmethod
    def load(cls, path: str | Path) -> "Style":
        """The style that `save` wrote.

        Raises:
            InputError: there is no such file, or it holds no style.
        """
        arrays = array_files.read_kind(path, KIND, VERSION)
        descriptors, shares = None, None
        if "descriptors" in arrays:
            descriptors = array_files.require_array(path, arrays, "descriptors", (None, None), np.float32)
            shares = array_files.require_array(path, arrays, "shares", descriptors.shape[:1], np.float64)
            if not len(shares) or shares.min() < 0 or not np.isclose(shares.sum(), 1):
                raise InputError(f"{path}: shares are none: they have to sum to 1")
        levels = sum(name.startswith("mean_") for name in arrays)
        measured = []
        for level in range(max(1, levels)):
            mean = array_files.require_array(path, arrays, f"mean_{level}", (None,), np.float64)
            shape = (len(mean), len(mean))
            covariance = array_files.require_array(path, arrays, f"covariance_{level}", shape, np.float64)
            if not np.allclose(covariance, covariance.T) or (np.diag(covariance) < 0).any():
                raise InputError(f"{path}: covariance_{level} is no covariance")
            measured.append(Statistics(mean, covariance))
        return cls(tuple(measured), str(arrays.get("network", "unknown")), descriptors, shares)
