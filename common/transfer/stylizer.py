"""The pipeline: analyse a style photo once, apply it to any number of content photos.

stylizer = Stylizer(load_network("mobilenet"))
style = stylizer.analyze("style.jpg")
stylizer.apply("content.jpg", style).save("result.png")
"""

import cv2
import numpy as np
from PIL import Image

from common.errors import InputError
from common.grading import lut as luts
from common.photos import Photo, pixels_of, recoloured, shrink_to_multiple
from common.transfer.film import EVERY, FILM_CELLS, SMOOTHING, stylized_frames
from common.transfer.guided_filter import guided_filter
from common.transfer.look import Look
from common.transfer.look_fitter import LookFitter
from common.transfer.network_pass import SIZE, SMALLEST_SIZE, NetworkPass
from common.transfer.regions import FEATHER, RegionalLook, RegionalStyle
from common.transfer.style import Style
from common.transfer.transforms import TRANSFORMS

FITS = ("pad", "resize")
FINISHES = ("look", "guided", "none")
# Shares of the grade by what they give.
PRESETS = {"natural": 0.8, "balanced": 0.5, "rich": 0.0}
DEFAULT_PRESET = "balanced"  # of the commands; why is told in docs/grade.md


class Stylizer:
    """Photorealistic style transfer with one network (paper, section 3).

    Args:
        network: `common.network.onnx_network.OnnxAutoencoder`, or a `common.network.autoencoder.Autoencoder` with all its
            decoder blocks.
        transform: "zca", "ot", "adain" or "shrinkage"; None: "zca", the paper's, or where a grade is mixed in "shrinkage".
        finish: "look" fits a grid of colour maps to what the network makes of a copy, and applies it to all pixels;
            "guided" smooths the network's result with the guided filter, as the paper does; "none" leaves it as it is.
            The last two enlarge the result of a copy.
        size: longer side, in pixels, of the copy that the network sees; None: all pixels.
        fit: how a photo is made to fit the network's stride. "pad" reflects at the border and crops afterwards, so that the
            result has the content's size; "resize" shrinks both photos to a multiple, as the paper's notebooks do.
        grade: what share of the result is a predicted grade's, one colour map for the whole photo: 0 is the network alone,
            as in the paper, 1 the grade alone. See `PRESETS`.

    Photos are given as a path, a PIL image, or an array `(height, width, 3)` of uint8 or of floats in [0, 1].
    """

    def __init__(self, network, transform=None, finish="look", size: int | None = SIZE, fit="pad", grade=0.0):
        transform = transform or ("shrinkage" if grade else "zca")
        require_settings(transform, finish, size, fit, grade)
        self.network = network
        self.transform = transform
        self.finish = finish
        self.fit = fit
        self.grade = grade
        self._pass = NetworkPass(network, size, fit)
        self._looks = LookFitter(self._pass, transform, grade)

    def analyze(self, photo: Photo, regions: dict | None = None) -> Style | RegionalStyle:
        """The style of a photo; transparent parts count as white.

        Args:
            regions: masks `(height, width)` in [0, 1] by name, of any size; each is measured by itself.

        Returns:
            A `Style`, with regions a `RegionalStyle`.

        Raises:
            InputError: the photo cannot be used.
        """
        return self._looks.style(pixels_of(photo), regions)

    def apply(
        self, photo: Photo, style: Style | RegionalStyle, strength=1.0, regions: dict | None = None, feather=FEATHER
    ) -> Image.Image | np.ndarray:
        """The content photo in the light and colour of `style`.

        Args:
            photo: the content.
            style: what `analyze` of a stylizer of the same network gave.
            strength: 0 gives the network's reconstruction of the content (`grade` 1: the content), 1 the full transform.
            regions: masks `(height, width)` in [0, 1] by name, of any size. Each region of the content is measured by itself
                and takes the style of the region of that name, or else the whole style. Takes the finish "look".
            feather: softness of the borders between regions, as a share of the photo's longer side.

        Returns:
            An array of the content's type for an array, else a PIL image with the content's alpha and ICC profile; of
            the content's size unless `fit` is "resize".

        Raises:
            InputError: the photo cannot be used, the style is another network's, or the strength is not in [0, 1].
        """
        require_usable(style, self.network, self.grade, strength)
        if regions is not None and self.finish != "look":
            raise InputError(f"regions go with the finish look, not with {self.finish}")
        return recoloured(photo, lambda pixels: self._stylized(pixels, style, strength, regions, feather))

    def look(
        self, photo: Photo, style: Style | RegionalStyle, strength=1.0, regions: dict | None = None, feather=FEATHER
    ) -> Look | RegionalLook:
        """What `apply` does to the content photo, as a look; arguments and errors as there."""
        require_usable(style, self.network, self.grade, strength)
        return self._look(pixels_of(photo), style, strength, regions, feather)

    def film(self, frames, style, strength=1.0, smoothing=SMOOTHING, every=EVERY, rate=25, cells=FILM_CELLS):
        """The frames of a film, arrays or `common.photos.films.Frame`s, in the light and colour of `style`, without flicker.

        Arguments and errors as of `apply` and `common.transfer.film.stylized_frames`; `cells` as of `Look.fit`. Frames are
        taken as they are needed, and come out as they came, one after the other.
        """
        require_usable(style, self.network, self.grade, strength)
        if self.finish != "look" or self.fit != "pad":
            raise InputError("films take the finish look and the fit pad")
        return stylized_frames(
            frames, lambda pixels: self._looks.look(pixels_of(pixels), style, strength, cells=cells), smoothing, every, rate
        )

    def _look(self, pixels, style, strength, regions, feather):
        if regions is None:
            return self._looks.look(pixels, style, strength)
        return self._looks.regional_look(pixels, style, strength, regions, feather)

    def _stylized(self, pixels, style, strength, regions, feather):
        content = shrink_to_multiple(pixels, self._pass.stride) if self.fit == "resize" else pixels
        if self.finish == "look" or self.grade == 1:
            return self._look(pixels, style, strength, regions, feather).recolour(content)
        result = finished(self._looks.restyled(self._pass.copy(pixels), style, strength), content, self.finish)
        if not self.grade:
            return result
        graded = luts.apply(self._looks.lut(pixels, style, strength), content).astype(result.dtype, copy=False)
        return cv2.addWeighted(graded, self.grade, result, 1 - self.grade, 0)


def require_settings(transform, finish, size, fit, grade):
    """Raise `InputError` where a setting of a `Stylizer` is none of those that there are."""
    for name, value, known in (("transform", transform, TRANSFORMS), ("finish", finish, FINISHES), ("fit", fit, FITS)):
        if value not in known:
            raise InputError(f"{name} is {value!r} but must be one of {', '.join(known)}")
    if size is not None and size < SMALLEST_SIZE:
        raise InputError(f"size is {size} but must be at least {SMALLEST_SIZE} pixels")
    if not 0 <= grade <= 1:
        raise InputError(f"grade is {grade} but must be from 0 to 1")


def finished(result, content, finish):
    """What the network made of a copy, in the type and size of `content`, by the guided filter where asked for."""
    if content.dtype == np.uint8:
        result = (result * 255).astype(np.uint8)  # truncated, as in the paper's code
    if result.shape != content.shape:
        result = cv2.resize(result, content.shape[1::-1], interpolation=cv2.INTER_CUBIC).clip(0, result.max())
    if finish == "guided":
        result = guided_filter(result, content.astype(result.dtype, copy=False))
    return result.astype(content.dtype, copy=False)


def require_usable(style, network, grade, strength):
    """Raise `InputError` where a style or a strength cannot be used with a network and a grade."""
    style = style.whole if isinstance(style, RegionalStyle) else style
    widths = tuple(len(of_level.mean) for of_level in style.statistics)
    if style.network != network.fingerprint() or widths != network.widths.features:
        raise InputError("the style was analysed with another network: analyse the photo again with this one")
    if not 0 <= strength <= 1:
        raise InputError(f"strength is {strength} but must be from 0 to 1")
    if grade and style.descriptors is None:
        raise InputError("the style was saved without what a grade needs: analyse the photo again, or take grade 0")
