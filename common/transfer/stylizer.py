"""The pipeline: analyse a style photo once, apply it to any number of content photos.

stylizer = Stylizer(load_network("mobilenet"))
style = stylizer.analyze("style.jpg")
stylizer.apply("content.jpg", style).save("result.png")
"""

import cv2
import numpy as np
import psutil

from common.errors import InputError
from common.network.coarse_to_fine import coarse_to_fine
from common.photos import as_floats, pad_to_multiple, pixels_of, recoloured, shrink_to_multiple, shrink_to_side
from common.transfer.film import EVERY, FILM_CELLS, SMOOTHING, stylized_frames
from common.transfer.guided_filter import guided_filter
from common.transfer.look import CELLS, Look
from common.transfer.style import Style
from common.transfer.transforms import TRANSFORMS, statistics, transferring

FITS = ("pad", "resize")
FINISHES = ("look", "guided", "none")
# Longer side, in pixels, of the copy that the network sees, and the least that may be asked for.
SIZE, SMALLEST_SIZE = 1024, 64


class Stylizer:
    """Photorealistic style transfer with one network (paper, section 3).

    Args:
        network: `common.network.onnx_network.OnnxAutoencoder`, or a `common.network.autoencoder.Autoencoder` with all its
            decoder blocks.
        transform: "zca", "ot" or "adain".
        finish: "look" fits a grid of colour maps to what the network makes of a copy, and applies it to all pixels;
            "guided" smooths the network's result with the guided filter, as the paper does; "none" leaves it as it is.
            The last two enlarge the result of a copy.
        size: longer side, in pixels, of the copy that the network sees; None: all pixels.
        fit: how a photo is made to fit the network's stride. "pad" reflects at the border and crops afterwards, so that the
            result has the content's size; "resize" shrinks both photos to a multiple, as the paper's notebooks do.

    Photos are given as a path, a PIL image, or an array `(height, width, 3)` of uint8 or of floats in [0, 1].
    """

    def __init__(self, network, transform="zca", finish="look", size=SIZE, fit="pad"):
        for name, value, known in (("transform", transform, TRANSFORMS), ("finish", finish, FINISHES), ("fit", fit, FITS)):
            if value not in known:
                raise InputError(f"{name} is {value!r} but must be one of {', '.join(known)}")
        if size is not None and size < SMALLEST_SIZE:
            raise InputError(f"size is {size} but must be at least {SMALLEST_SIZE} pixels")
        self.network = network
        self.transform = transform
        self.finish = finish
        self.size = size
        self.fit = fit
        self._fingerprint = network.fingerprint()

    def analyze(self, photo):
        """The `Style` of a photo; transparent parts count as white.

        Raises:
            InputError: the photo cannot be used.
        """
        copy = self._copy(pixels_of(photo))
        features, _ = self._encode(copy)
        return Style(tuple(statistics(feature[0]) for feature in features), self._fingerprint)

    def apply(self, photo, style, strength=1.0):
        """The content photo in the light and colour of `style`.

        Args:
            photo: the content.
            style: `Style`, taken by a stylizer of the same network.
            strength: 0 gives the network's reconstruction of the content, 1 the full transform.

        Returns:
            An array of the content's type for an array, else a PIL image with the content's alpha and ICC profile; of
            the content's size unless `fit` is "resize".

        Raises:
            InputError: the photo cannot be used, the style is another network's, or the strength is not in [0, 1].
        """
        self._require(style, strength)
        return recoloured(photo, lambda pixels: self._stylized(pixels, style, strength))

    def look(self, photo, style, strength=1.0):
        """What `apply` does to the content photo, as a `common.transfer.Look`; arguments and errors as there."""
        self._require(style, strength)
        return self._fitted(pixels_of(photo), style, strength)

    def film(self, frames, style, strength=1.0, smoothing=SMOOTHING, every=EVERY, rate=25, cells=FILM_CELLS):
        """The frames of a film, arrays or `common.photos.films.Frame`s, in the light and colour of `style`, without flicker.

        Arguments and errors as of `apply` and `common.transfer.film.stylized_frames`; `cells` as of `Look.fit`. Frames are
        taken as they are needed, and come out as they came, one after the other.
        """
        self._require(style, strength)
        if self.finish != "look" or self.fit != "pad":
            raise InputError("films take the finish look and the fit pad")
        return stylized_frames(
            frames, lambda pixels: self._fitted(pixels_of(pixels), style, strength, cells), smoothing, every, rate
        )

    def _require(self, style, strength):
        widths = tuple(len(of_level.mean) for of_level in style.statistics)
        if style.network != self._fingerprint or widths != self.network.widths.features:
            raise InputError("the style was analysed with another network: analyse the photo again with this one")
        if not 0 <= strength <= 1:
            raise InputError(f"strength is {strength} but must be from 0 to 1")

    def _stylized(self, pixels, style, strength):
        content = shrink_to_multiple(pixels, self.network.strides[-1]) if self.fit == "resize" else pixels
        if self.finish == "look":
            return self._fitted(pixels, style, strength).recolour(content)
        result = self._transferred(self._copy(pixels), style, strength)
        if content.dtype == np.uint8:
            result = (result * 255).astype(np.uint8)  # truncated, as in the paper's code
        if result.shape != content.shape:
            result = cv2.resize(result, content.shape[1::-1], interpolation=cv2.INTER_CUBIC).clip(0, result.max())
        if self.finish == "guided":
            result = guided_filter(result, content.astype(result.dtype, copy=False))
        return result.astype(pixels.dtype, copy=False)

    def _fitted(self, pixels, style, strength, cells=CELLS):
        copy = self._copy(pixels)
        return Look.fit(copy, self._transferred(copy, style, strength), cells=cells)

    def _copy(self, pixels):
        """What the network sees of a photo: float32 `(height, width, 3)` in [0, 1]."""
        if self.fit == "resize":  # of floats, as in the paper's code
            pixels = shrink_to_multiple(as_floats(pixels), self.network.strides[-1])
        return as_floats(pixels if self.size is None else shrink_to_side(pixels, self.size))

    def _transferred(self, content, style, strength):
        """The network's result, float32 `(height, width, 3)` in [0, 1], of floats of that shape."""
        # A level leaves 1 - strength of the content in what it hands on: shared out like this, the result follows evenly.
        strength = 1 - (1 - strength) ** (1 / len(style.statistics))
        features, skips = self._encode(content)
        before = transferring(style.statistics, self.transform, strength)
        result = np.asarray(coarse_to_fine(self.network, features, skips, before))
        height, width = content.shape[:2]
        return np.clip(result[0, :height, :width], 0, 1)

    def _encode(self, pixels):
        if self.size is None:
            require_memory(self.network, *pixels.shape[:2])
        return self.network.encode(pad_to_multiple(pixels, self.network.strides[-1])[None])


def require_memory(network, height, width):
    """Raise `InputError` where the features of a photo would not fit in the memory that is free."""
    needed, free = network.bytes_per_pixel * height * width, psutil.virtual_memory().available
    if needed > free:
        raise InputError(
            f"a photo of {width}x{height} pixels as a whole takes the network about {needed / 1e9:.1f} GB of memory, but "
            f"{free / 1e9:.1f} GB are free: a copy of {SIZE} pixels (--size {SIZE}) needs far less and shows fewer glows"
        )
