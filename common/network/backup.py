"""Backups of a training, from which it goes on after it was cut short."""

import keras
import numpy as np
from keras import ops

from common.files import written_whole


class Backup(keras.callbacks.Callback):
    """Keep weights and optimiser, its step count included, in the file `path` after every epoch."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def on_epoch_end(self, epoch, logs=None):
        if all(np.isfinite(ops.convert_to_numpy(variable)).all() for variable in self.model.trainable_variables):
            self.save(self.model)

    def save(self, trainer):
        """Keep `trainer` as it is now."""
        with written_whole(self.path) as temporary:
            trainer.save_weights(temporary)
