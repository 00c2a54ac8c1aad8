"""The losses that a level can be trained on, by name (paper, section 3.3).

A recipe hands on `{name: (Loss, weight)}`, as `weighted` makes it; other rooms add losses of their own in the same way.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import ops

from common.eigenbases.covariances import centre

# Keeps the division by a variance finite where a feature is constant.
SMALLEST_VARIANCE = 1e-6


class Seen(NamedTuple):
    """What a loss sees of one level.

    Attributes:
        level: its number.
        images: of the batch, `(batch, height, width, 3)`.
        features, taught: the model's and the teacher's features by level.
        decoded: what decoder block `level` makes of the feature at `level`; None where nothing is decoded.
        reconstructed: the image that is decoded from there; None as above.
        responses: of the ReLUs of the encoder block, `(batch, height, width, channels)` each; none where it is not trained.
        model: the `Autoencoder` that is trained.
        teacher: the `Autoencoder` that taught.
        eigenbasis: `(teacher width, student width)`, or None.
        balanced: divide errors of features by the variance of what they should be, so that levels weigh the same.
    """

    level: int
    images: Any
    features: list
    taught: list
    decoded: Any
    reconstructed: Any
    responses: list
    model: Any
    teacher: Any
    eigenbasis: Any
    balanced: bool

    def error(self, target, x):
        """Mean squared error of a feature, relative to the target's variance where the losses are balanced."""
        error = ops.mean(ops.square(target - x))
        if not self.balanced:
            return error
        variance = ops.mean(ops.square(target - ops.mean(target, axis=(0, 1, 2), keepdims=True)))
        return error / (variance + SMALLEST_VARIANCE)


class Loss(NamedTuple):
    """A loss of one level.

    Attributes:
        value: `Seen -> scalar`.
        needs: any of "teacher" (its features), "decoder", "responses" and "graded" (batches of graded pairs).
        first_level: the least level that has it.
        deepest: only the deepest of the levels trained has it.
    """

    value: Callable
    needs: frozenset = frozenset()
    first_level: int = 0
    deepest: bool = False


def distill(seen):
    """The student's feature, lifted by the eigenbasis, against the teacher's; both centred."""
    feature = seen.features[seen.level]
    basis = ops.convert_to_tensor(seen.eigenbasis, dtype=feature.dtype)
    return seen.error(centre(seen.taught[seen.level]), ops.matmul(centre(feature), ops.transpose(basis)))


def reconstruction(seen):
    """The image that is decoded from the level against the image."""
    return ops.mean(ops.square(seen.images - seen.reconstructed))


def feature(seen):
    """What the decoder block makes of its input against the feature a level up."""
    return seen.error(ops.stop_gradient(seen.features[seen.level - 1]), seen.decoded)


def perceptual(seen):
    """The teacher's feature of the image against that of its reconstruction."""
    again, _ = seen.teacher.encode(seen.reconstructed, seen.level)
    return seen.error(seen.taught[seen.level], again[seen.level])


LOSSES = {
    "distill": Loss(distill, frozenset({"teacher"})),
    "reconstruction": Loss(reconstruction, frozenset({"decoder"})),
    "feature": Loss(feature, frozenset({"decoder"}), first_level=1),
    "perceptual": Loss(perceptual, frozenset({"decoder", "teacher"}), first_level=1),
}


def weighted(weights, losses=LOSSES):
    """`{name: (Loss, weight)}` of the losses whose weight, by name in `weights`, is not 0."""
    return {name: (losses[name], weight) for name, weight in weights.items() if weight}
