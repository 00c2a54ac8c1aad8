"""Global eigenbases (section 3.2 of the paper): the subspace of each teacher feature that a student has to learn.

A basis E is `(teacher width, student width)`. It keeps as much as it can of the variance of the teacher's feature F over all
photos, F being centred on each photo's own mean, because that mean is the style's to replace. So only one matrix a level
matters: the mean over photos of the covariance of F, `(teacher width, teacher width)`. Its leading eigenvectors are the best
basis there is; `GradientEigenbases` comes to the same subspace by the paper's longer road.
"""

import keras
import numpy as np
from keras import ops

# Share of the variance below which a direction is taken for empty.
NEGLIGIBLE = 1e-6


class PhotoCovariances(keras.Model):
    """Images `(batch, height, width, 3)` to the covariances of a teacher's features, `(channels, channels)` a level.

    Every image is centred on its own mean; the covariance is the mean over the images of the batch. For `predict_on_batch`.

    Args:
        teacher: `common.autoencoder.Autoencoder`, of one level or more.
    """

    def __init__(self, teacher):
        super().__init__()
        self.teacher = teacher
        # XLA would compile anew for every size of photo.
        self.compile(jit_compile=False if keras.backend.backend() == "tensorflow" else "auto")

    def call(self, images):
        features, _ = self.teacher.encode(images)
        return [mean_covariance(feature) for feature in features]


def mean_covariance(feature):
    """Mean over a batch `(batch, height, width, channels)` of the covariance of each feature, `(channels, channels)`."""
    centred = ops.reshape(centre(feature), (-1, feature.shape[-1]))
    return ops.matmul(ops.transpose(centred), centred) / ops.cast(ops.shape(centred)[0], feature.dtype)


def centre(feature):
    """`feature`, `(batch, height, width, channels)`, less its mean over the pixels of each image."""
    return feature - ops.mean(feature, axis=(1, 2), keepdims=True)


def mean_covariances(photo_covariances, photos):
    """Mean over photos of the covariance of each feature: a float64 `(channels, channels)` a level.

    Args:
        photo_covariances: `PhotoCovariances` of the teacher.
        photos: iterable of `(1, height, width, 3)`, RGB in [0, 1], sizes as they come. Read once, one at a time.

    Raises:
        ValueError: there are no photos.
    """
    totals, number = None, 0
    for photo in photos:
        covariances = [covariance.astype(np.float64) for covariance in photo_covariances.predict_on_batch(photo)]
        totals = covariances if totals is None else [a + b for a, b in zip(totals, covariances, strict=True)]
        number += 1
    if not number:
        raise ValueError("no photos to take a covariance of")
    return [total / number for total in totals]


# --- closed form ---------------------------------------------------------------------------------------------------------


def leading_eigenvectors(covariance, width):
    """The orthonormal basis `(channels, width)` that explains most variance, by falling eigenvalue; float64.

    The sign of an eigenvector is arbitrary; here its entry of largest magnitude is positive. Where the feature has fewer
    directions than the basis, as a student with dead channels has, the basis is turned within its span, so that every
    channel of the student to come has something to carry.
    """
    values, vectors = np.linalg.eigh(covariance)
    vectors = vectors[:, ::-1][:, :width]
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    basis = vectors * np.sign(largest)
    return basis @ cosines(width) if values[-width] < NEGLIGIBLE * values.sum() else basis


def cosines(size):
    """The orthonormal matrix of the discrete cosine transform (DCT-II)."""
    index = np.arange(size)
    matrix = np.cos(np.pi * (index[:, None] + 0.5) * index / size) * np.sqrt(2 / size)
    matrix[:, 0] /= np.sqrt(2)
    return matrix.T


def explained_curve(covariance):
    """Share of variance that the best basis of each width, 1 to channels, explains: `(channels,)`, rising to 1."""
    cumulative = np.linalg.eigvalsh(covariance)[::-1].clip(min=0).cumsum()
    return cumulative / cumulative[-1]


def width_explaining(curve, share):
    """The smallest width whose share in `curve`, as `explained_curve` gives it, is at least `share`."""
    return min(int(np.searchsorted(curve, share)) + 1, len(curve))


# --- what a basis is worth -----------------------------------------------------------------------------------------------


def explained_variance(covariance, eigenbasis):
    """Share of variance within the span of `eigenbasis`, `(channels, width)`, orthonormal or not.

    No student's feature can explain more with this basis.
    """
    eigenbasis = np.asarray(eigenbasis, np.float64)
    projection = eigenbasis @ np.linalg.pinv(eigenbasis)
    return np.sum(projection * covariance) / np.trace(covariance)


# --- the paper's recipe --------------------------------------------------------------------------------------------------


def objective(covariance, eigenbasis):
    """The paper's objective, mse(F E E', F) + mse(E'E, I), of a feature F with covariance K.

    The first term is the mean of |x - E E' x|^2 over the pixels x, divided by their channels: tr(M K M) / channels with
    M = I - E E'. So F itself is not needed.

    Args:
        covariance: `(channels, channels)`.
        eigenbasis: `(channels, width)`.
    """
    channels, width = eigenbasis.shape
    transposed = ops.transpose(eigenbasis)
    missed = ops.eye(channels, dtype=eigenbasis.dtype) - ops.matmul(eigenbasis, transposed)
    reconstruction = ops.sum(ops.matmul(missed, covariance) * missed) / channels
    skew = ops.matmul(transposed, eigenbasis) - ops.eye(width, dtype=eigenbasis.dtype)
    return reconstruction + ops.mean(ops.square(skew))


class GradientEigenbases(keras.Model):
    """Eigenbases as weights, trained with `fit` on the paper's objective, summed over levels.

    A batch is a covariance `(1, channels, channels)` a level: the mean over some photos.

    Args:
        channels, widths: of the teacher and of the student, a number a level.
        seed: of the random orthonormal bases to start from.
    """

    def __init__(self, channels, widths, seed=0):
        super().__init__()
        self.eigenbases = [
            self.add_weight(
                shape=shape, initializer=keras.initializers.Orthogonal(seed=seed + level), name=f"eigenbasis_{level}"
            )
            for level, shape in enumerate(zip(channels, widths, strict=True))
        ]
        self.built = True

    def call(self, covariances):
        """The objective at each level."""
        return [objective(ops.mean(c, axis=0), basis) for c, basis in zip(covariances, self.eigenbases, strict=True)]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return sum(y_pred)
