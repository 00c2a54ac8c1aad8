"""Covariances of a teacher's features over photos, each photo centred on its own mean."""

import keras
import numpy as np
from keras import ops


class PhotoCovariances(keras.Model):
    """Images `(batch, height, width, 3)` to the covariances of a teacher's features, `(channels, channels)` a level.

    Every image is centred on its own mean; the covariance is the mean over the images of the batch. For `predict_on_batch`.

    Args:
        teacher: `common.network.autoencoder.Autoencoder`, of one level or more.
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
