"""The course of a training: its options, what it was made from, resuming, and what is written as it goes."""

from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from common.commands.training_options import RUN
from common.errors import InputError
from common.network.backup import Backup, go_on
from common.origin import require_same_origin, sha256_of
from stargan_v2 import checkpoints, grids
from stargan_v2.batches import batches


class Course(NamedTuple):
    """How to train.

    Attributes:
        folder: where everything goes.
        domains: `stargan_v2.batches.Domains`.
        steps: iterations in all, a multiple of `interval`.
        batch_size: photos an iteration.
        interval: iterations between backups.
        seed: of batches.
    """

    folder: Path
    domains: tuple
    steps: int
    batch_size: int
    interval: int
    seed: int


def require_same_run(course, origin):
    """Raise `InputError` where the course's folder holds a run that was made from something else than `origin` says."""
    photos = {"domains": course.domains.names, "photos_sha256": sha256_of(*course.domains.photos())}
    course.folder.mkdir(parents=True, exist_ok=True)
    settings = {"batch_size": course.batch_size, "seed": course.seed}
    require_same_origin(
        course.folder / RUN, origin | settings | photos, f"{course.folder} holds a run", "give another --save-to"
    )


def use_half_precision_on_gpus():
    """Compute in bfloat16, weights and normalisation in float32, where there is a GPU."""
    if any("gpu" in device.lower() for device in keras.distribution.list_devices()):
        keras.mixed_precision.set_global_policy("mixed_bfloat16")


def fit(trainer, course, config, discriminator_config=None):
    """Train through `course`, or what is left of it: a run that was killed goes on from its last backup.

    Args:
        trainer: `stargan_v2.trainer.AdversarialTrainer`.
        config: of its averaged networks.
        discriminator_config: of its discriminator, where that is to be kept with them.

    Raises:
        InputError: a loss is no longer finite, or the backup is damaged.
    """
    trainer.compile()
    backup = Backup(course.folder / "backup.weights.h5")
    if backup.path.exists():
        resume(trainer, backup.path)
    done = int(trainer.step.value)
    data = batches(course.domains, course.batch_size, config.size, config.latent_dim, course.seed, done)
    callbacks = [Results(course, config, discriminator_config), backup]
    go_on(trainer, data, done, course.steps, course.interval, course.folder / "log.csv", callbacks)


def resume(trainer, path):
    """Give `trainer` the state that `path` holds."""
    try:
        trainer.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{path} is damaged or of other networks: remove it to begin again ({error})") from error


class Results(keras.callbacks.Callback):
    """After every epoch, the averaged networks and a sheet of samples in the folder of a course."""

    def __init__(self, course, config, discriminator_config):
        super().__init__()
        self.course, self.config, self.discriminator_config = course, config, discriminator_config
        ((self.batch,),) = [next(batches(course.domains, grids.COLUMNS, config.size, config.latent_dim, course.seed + 1))]

    def on_epoch_end(self, epoch, logs=None):
        networks = dict(self.model.averages)
        if self.discriminator_config:
            networks["discriminator"] = self.model.networks["discriminator"]
        if not all(np.isfinite(variable).all() for network in networks.values() for variable in network.get_weights()):
            return
        trained = checkpoints.Trained(
            self.course.domains.names, self.config, networks, self.discriminator_config, int(self.model.step.value)
        )
        checkpoints.save(self.course.folder / checkpoints.NETWORKS, trained)
        sheet = grids.reference_grid(networks, self.batch["image"], self.batch["reference"], self.batch["target"])
        grids.write_sheet(sheet, self.course.folder / "samples.png")
