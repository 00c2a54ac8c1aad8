"""Backups of a training, from which it goes on after it was cut short."""

import sys

import keras
import numpy as np
from keras import ops

from common.errors import InputError
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


def go_on(trainer, batches, done, steps, interval, log, callbacks, validation=None, what="the loss"):
    """`fit` from step `done` to step `steps`, with backups after every `interval`; nothing where all is done.

    Args:
        trainer: a compiled `keras.Model`, its weights and optimiser as they were at step `done`.
        batches: what comes at step `done` and after it.
        log: path of a CSV file that a line is added to after every interval.
        callbacks: a `Backup` among them.
        validation: data to measure on after every interval, or None.
        what: is not finite, for the message.

    Raises:
        InputError: the loss is no longer finite.
    """
    if done >= steps:
        return
    trainer.fit(
        batches,
        shuffle=False,
        initial_epoch=done // interval,
        epochs=steps // interval,
        steps_per_epoch=interval,
        validation_data=validation,
        callbacks=[keras.callbacks.TerminateOnNaN(), keras.callbacks.CSVLogger(log, append=True), *callbacks],
        verbose=1 if sys.stdout.isatty() else 2,
    )
    if trainer.stop_training:  # nothing else here stops it
        path = next(callback.path for callback in callbacks if isinstance(callback, Backup))
        raise InputError(f"{what} is not finite any more: the last good weights are in {path}; a lower rate may help")
