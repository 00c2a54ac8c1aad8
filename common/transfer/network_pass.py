"""A photo's way through a network: the copy that it sees, and what it makes of it."""

import numpy as np
import psutil

from common.errors import MemoryShortage
from common.network.coarse_to_fine import coarse_to_fine
from common.photos import as_floats, pad_to_multiple, shrink_to_multiple, shrink_to_side

# Longer side, in pixels, of the copy that the network sees, and the least that may be asked for.
SIZE, SMALLEST_SIZE = 1024, 64


class NetworkPass:
    """Photos through one network.

    Args:
        network: as of `common.transfer.Stylizer`.
        size, fit: as of `common.transfer.Stylizer`.
    """

    def __init__(self, network, size, fit):
        self.network, self.size, self.fit = network, size, fit
        self.stride = network.strides[-1]

    def copy(self, pixels):
        """What the network sees of a photo: float32 `(height, width, 3)` in [0, 1]."""
        if self.fit == "resize":  # of floats, as in the paper's code
            pixels = shrink_to_multiple(as_floats(pixels), self.stride)
        return as_floats(pixels if self.size is None else shrink_to_side(pixels, self.size))

    def encode(self, copy):
        """Features and skips of a copy, level 0 first.

        Raises:
            MemoryShortage: a photo as a whole would not fit in memory.
        """
        if self.size is None:
            require_memory(self.network, *copy.shape[:2])
        return self.network.encode(pad_to_multiple(copy, self.stride)[None])

    def restyle(self, copy, strength, transfer):
        """What the network makes of a copy, float32 of its shape in [0, 1].

        Args:
            strength: 0 reconstructs the copy, 1 transforms it fully.
            transfer: a function of each level's strength that gives what is done before each decoder block, see
                `common.network.coarse_to_fine`.
        """
        features, skips = self.encode(copy)
        # A level leaves 1 - strength of the content in what it hands on: shared out like this, the result follows evenly.
        before = transfer(1 - (1 - strength) ** (1 / len(features)))
        result = np.asarray(coarse_to_fine(self.network, features, skips, before))
        height, width = copy.shape[:2]
        return np.clip(result[0, :height, :width], 0, 1)


def require_memory(network, height, width):
    """Raise `MemoryShortage` where the features of a photo would not fit in the memory that is free."""
    needed, free = network.bytes_per_pixel * height * width, psutil.virtual_memory().available
    if needed > free:
        raise MemoryShortage(
            f"a photo of {width}x{height} pixels as a whole takes the network about {needed / 1e9:.1f} GB of memory, but "
            f"{free / 1e9:.1f} GB are free: a copy of {SIZE} pixels (--size {SIZE}) needs far less and shows fewer glows"
        )
