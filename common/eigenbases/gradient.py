"""The paper's recipe for eigenbases: gradient descent on what they fail to explain (section 3.2)."""

import keras
import numpy as np
from keras import ops

from common.network.backup import Backup

# As in the paper.
PHOTOS_PER_BATCH = 8


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


class Batches(keras.utils.PyDataset):
    """Covariances of `PHOTOS_PER_BATCH` photos at a time, in an order of its own every epoch."""

    def __init__(self, paths, covariances_of, seed):
        super().__init__()
        self.paths, self.covariances_of, self.seed = paths, covariances_of, seed
        self.epoch = 0

    def __len__(self):
        return -(-len(self.paths) // PHOTOS_PER_BATCH)

    def __getitem__(self, index):
        order = np.random.default_rng((self.seed, self.epoch)).permutation(len(self.paths))
        chosen = order[index * PHOTOS_PER_BATCH :][:PHOTOS_PER_BATCH]
        covariances = self.covariances_of([self.paths[i] for i in chosen])
        return (tuple(covariance[None].astype(np.float32) for covariance in covariances),)


def train(model, paths, covariances_of, epochs, learning_rate, seed, backup):
    """Train `GradientEigenbases` with Adam; a run that was cut short goes on at the epoch it was in.

    Args:
        paths: of the photos.
        covariances_of: paths of some photos to their mean covariances, `(channels, channels)` a level.
        backup: file to keep the state in.

    Returns:
        The bases, float32 arrays `(channels, width)`.
    """
    batches = Batches(paths, covariances_of, seed)
    model.compile(keras.optimizers.Adam(learning_rate))
    model.optimizer.build(model.trainable_variables)
    if backup.exists():
        model.load_weights(backup)
    batches.epoch = done = int(model.optimizer.iterations) // len(batches)
    next_epoch = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: setattr(batches, "epoch", epoch))
    model.fit(batches, epochs=epochs, initial_epoch=done, shuffle=False, callbacks=[next_epoch, Backup(backup)])
    return [ops.convert_to_numpy(basis) for basis in model.eigenbases]
