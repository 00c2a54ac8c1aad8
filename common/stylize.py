"""The pipeline: analyse a style photo once, apply it to any number of content photos.

stylizer = Stylizer(student.load())
style = stylizer.analyze("style.jpg")
stylizer.apply("content.jpg", style).save("result.png")
"""

import hashlib
import zipfile
from dataclasses import dataclass

import numpy as np
from keras import ops
from PIL import Image

from common import images
from common.autoencoder import from_pixels, to_pixels
from common.backbone import IMAGE_CHANNELS, MINIMUM_SIZE
from common.errors import InputError
from common.files import written_whole
from common.smoothing import enlarge, fast_guided_filter, guided_filter
from common.streaming import PRECISIONS, StreamedAutoencoder
from common.transforms import TRANSFORMS, Statistics, affine_map, statistics

FITS = ("pad", "resize")
# Pixels above which a photo is taken in strips: below, compiling would cost more than it brings.
STREAMING_ABOVE = 2_000_000
# Longer side, in pixels, of the copies that a preview is made from.
PREVIEW_SIZE = 640
# Bytes for what lies between blocks.
MEMORY = 600_000_000


@dataclass(frozen=True)
class Style:
    """What a style photo is measured to: the statistics of its feature at each level, 0 first.

    Attributes:
        statistics: four `common.transforms.Statistics`.
        model: fingerprint of the model that took them; they mean nothing to any other.
    """

    statistics: tuple[Statistics, ...]
    model: str

    def save(self, path):
        """Write to `path`, a `.npz` file of some tens of kilobytes."""
        arrays = {
            f"{name}_{level}": array
            for level, of_level in enumerate(self.statistics)
            for name, array in of_level._asdict().items()
        }
        with written_whole(path) as temporary, temporary.open("wb") as file:
            np.savez(file, model=self.model, **arrays)

    @classmethod
    def load(cls, path):
        """The style that `save` wrote.

        Raises:
            InputError: there is no such file, or it holds no style.
        """
        try:
            with np.load(path) as file:
                levels = (len(file.files) - 1) // len(Statistics._fields)
                measured = (Statistics(*(file[f"{name}_{level}"] for name in Statistics._fields)) for level in range(levels))
                return cls(tuple(measured), str(file["model"]))
        except FileNotFoundError as error:
            raise InputError(f"{path}: no such file") from error
        except (OSError, ValueError, KeyError, EOFError, AttributeError, zipfile.BadZipFile) as error:
            raise InputError(f"{path} holds no analysed style") from error


class Stylizer:
    """Photorealistic style transfer with one model (paper, section 3).

    Args:
        model: `common.autoencoder.Autoencoder` with all its decoder blocks.
        transform: "zca", "ot" or "adain".
        smoothing: whether the result goes through the guided filter.
        fit: how a photo is made to fit the model's stride. "pad" reflects at the border and crops afterwards, so that the
            result has the content's size; "resize" shrinks both photos to a multiple, as the paper's notebooks do.
        memory: bytes that features of a large photo may take; beyond that they go to temporary files.
        precision: of those features: "half" takes half the memory, "full" gives what the whole photo at once does to the
            last digits, before smoothing; the two agree to 62 dB and more on the paper's pairs.
        streaming_above: photos of more pixels are taken in strips, by compiled networks, and smoothed by
            `fast_guided_filter`.
        preview: approximate: stylise copies of 640 pixels, and enlarge the result with the content photo as guide.
        progress: called, while such a photo is analysed or the style applied to it, with the share of that done since
            the last call.

    Photos are given as a path, a PIL image, or an array `(height, width, 3)` of uint8 or of floats in [0, 1].
    """

    def __init__(
        self,
        model,
        transform="zca",
        smoothing=True,
        fit="pad",
        memory=MEMORY,
        precision="half",
        streaming_above=STREAMING_ABOVE,
        preview=False,
        progress=None,
    ):
        if transform not in TRANSFORMS:
            raise InputError(f"transform is {transform!r} but must be one of {', '.join(TRANSFORMS)}")
        if fit not in FITS:
            raise InputError(f"fit is {fit!r} but must be one of {', '.join(FITS)}")
        if precision not in PRECISIONS:
            raise InputError(f"precision is {precision!r} but must be one of {', '.join(PRECISIONS)}")
        self.model = model
        self.transform = transform
        self.smoothing = smoothing
        self.fit = fit
        self.memory = memory
        self.precision = precision
        self.streaming_above = streaming_above
        self.preview = preview
        self.progress = progress
        self._stride = model.backbone.strides[-1]
        self._compiled = {}
        self._fingerprint = fingerprint(model)

    def analyze(self, photo):
        """The `Style` of a photo; transparent parts count as white.

        Raises:
            InputError: the photo cannot be used.
        """
        pixels = photo if isinstance(photo, np.ndarray) else np.asarray(images.flatten(opened(photo)))
        require_pixels(pixels, named(photo))
        image = self._network_input(images.shrink_to_side(pixels, PREVIEW_SIZE) if self.preview else pixels)
        if self._streams(image):
            measured = self._streamed(image).analyze(image)
        else:
            measured = [statistics(feature[0]) for feature in self.model.encode(from_pixels(image.whole))[0]]
        return Style(tuple(measured), self._fingerprint)

    def apply(self, photo, style, strength=1.0):
        """The content photo in the light and colour of `style`.

        Args:
            photo: the content.
            style: `Style`, taken by a stylizer of the same model.
            strength: 0 gives the model's reconstruction of the content, 1 the full transform.

        Returns:
            An array of the content's type for an array, else a PIL image with the content's alpha and ICC profile; of
            the content's size unless `fit` is "resize".

        Raises:
            InputError: the photo cannot be used, the style is another model's, or the strength is not in [0, 1].
        """
        if style.model != self._fingerprint:
            raise InputError("the style was analysed with another model: analyse the photo again with this one")
        if not 0 <= strength <= 1:
            raise InputError(f"strength is {strength} but must be from 0 to 1")
        if isinstance(photo, np.ndarray):
            return self._applied(photo, "the photo", style, strength)
        image = opened(photo)
        alpha, info = image.getchannel("A") if image.mode == "RGBA" else None, image.info
        pixels = np.asarray(image if alpha is None else image.convert("RGB"))
        del image  # one copy of a large photo is enough
        result = Image.fromarray(self._applied(pixels, named(photo), style, strength))
        if alpha:
            result.putalpha(alpha.resize(result.size))
        result.info = info
        return result

    def _applied(self, pixels, name, style, strength):
        """The stylised pixels of the photo called `name`."""
        require_pixels(pixels, name)
        previewed = self.preview and max(pixels.shape) > PREVIEW_SIZE
        return (self._previewed if previewed else self._stylized)(pixels, style, strength)

    def _stylized(self, pixels, style, strength):
        guide = images.shrink_to_multiple(pixels, self._stride) if self.fit == "resize" else pixels
        result = np.empty(guide.shape, np.uint8 if guide.dtype == np.uint8 else np.float32)
        height, width = result.shape[:2]
        image = self._network_input(pixels)
        for rows, part in self._transferred(image, style, strength):
            part = part[: max(height - rows.start, 0), :width]
            result[rows] = part * 255 if part.dtype != result.dtype else part  # resized photos are floats
        if self.smoothing:
            smoothed = fast_guided_filter if self._streams(image) else guided_filter
            result = smoothed(result, guide.astype(result.dtype, copy=False))
        return result.astype(pixels.dtype, copy=False)

    def _previewed(self, pixels, style, strength):
        scale = np.float32(255 if pixels.dtype == np.uint8 else 1)
        full = pixels.astype(np.float32) / scale
        small = images.shrink_to_side(full, PREVIEW_SIZE)
        height, width = small.shape[:2]
        image = images.PaddedPixels(small, self._stride)
        (part,) = (part for _, part in self._transferred(image, style, strength))
        return (enlarge(part[:height, :width], small, full) * scale).astype(pixels.dtype)

    def _network_input(self, pixels):
        """The photo fitted to the stride, as `common.images.PaddedPixels`."""
        if self.fit == "resize":  # of floats, as the paper's code has them by then
            pixels = pixels.astype(np.float32) / (255 if pixels.dtype == np.uint8 else 1)
            pixels = images.shrink_to_multiple(pixels, self._stride)
        return images.PaddedPixels(pixels, self._stride)

    def _streams(self, image):
        """Whether a photo is large enough to be worth compiling for and taking in strips."""
        return image.height * image.width > self.streaming_above

    def _streamed(self, image):
        """The model compiled for strips of pixels such as those of `image`."""
        if image.dtype not in self._compiled:
            arguments = self.model, self.memory, self.precision, image.dtype, self.progress
            self._compiled[image.dtype] = StreamedAutoencoder(*arguments)
        return self._compiled[image.dtype]

    def _transferred(self, image, style, strength):
        """Yield the stylised photo by slices of rows: their pixels, `(rows, width, 3)`, padding included."""
        # A level leaves 1 - strength of the content in what it hands on: shared out like this, the result follows evenly.
        strength = 1 - (1 - strength) ** (1 / len(style.statistics))
        if self._streams(image):
            yield from self._streamed(image).transfer(image, style.statistics, self.transform, strength)
            return
        features, skips = self.model.encode(from_pixels(image.whole))
        x = features[-1]
        for level in reversed(range(len(features))):
            x = affine_map(statistics(x[0]), style.statistics[level], self.transform, strength)(x)
            x = self.model.decode(level, x, skips[level])
        yield slice(0, image.height), ops.convert_to_numpy(to_pixels(x[0], image.dtype))


def opened(photo):
    """A path or PIL image as an upright RGB or RGBA image."""
    if not isinstance(photo, Image.Image):
        return images.read(photo)
    try:
        return images.normalise(photo.copy())
    except ValueError as error:
        raise InputError(f"the image cannot be used: {error}") from error


def named(photo):
    """What error messages call a photo: its path, where it has one."""
    return "the photo" if isinstance(photo, (np.ndarray, Image.Image)) else str(photo)


def require_pixels(pixels, name):
    """Raise `InputError` unless `pixels` is an array that the networks can take; `name` says whose it is."""
    if pixels.ndim != 3 or pixels.shape[-1] != IMAGE_CHANNELS:
        raise InputError(f"{name} has shape {pixels.shape} but must be (height, width, {IMAGE_CHANNELS})")
    height, width = pixels.shape[:2]
    if min(height, width) < MINIMUM_SIZE:
        raise InputError(f"{name} is {width}x{height} pixels but must be at least {MINIMUM_SIZE}x{MINIMUM_SIZE}")
    if pixels.dtype == np.uint8:
        return
    if not np.issubdtype(pixels.dtype, np.floating):
        raise InputError(f"{name} is of type {pixels.dtype} but must be uint8, or floats in [0, 1]")
    if not np.isfinite(pixels).all():
        raise InputError(f"{name} holds NaN or infinity")
    if pixels.min() < 0 or pixels.max() > 1:
        raise InputError(f"{name} runs from {pixels.min():g} to {pixels.max():g} but floats must lie in [0, 1]")


def fingerprint(model):
    """A short digest of the encoder's weights: equal for equal encoders, whatever file they came from."""
    digest = hashlib.sha256()
    for block in model.encoder_blocks:
        for weights in block.get_weights():
            digest.update(np.ascontiguousarray(weights).tobytes())
    return digest.hexdigest()[:16]
