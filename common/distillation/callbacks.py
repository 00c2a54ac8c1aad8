"""What a training shows of itself as it goes: sample sheets and curves."""

import csv
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image

from common.files import written_whole
from common.photos.crops import CentreCrops


class Samples(keras.callbacks.Callback):
    """Show some photos, each beside its reconstructions from the levels trained, in the file `path` after every epoch."""

    def __init__(self, path, photos, count=3, size=192):
        super().__init__()
        self.path = path
        (self.images,) = CentreCrops(photos[:count], batch_size=count, size=size)[0]

    def on_epoch_end(self, epoch, logs=None):
        _, _, reconstructed = self.model(self.images)
        columns = [self.images, *(ops.convert_to_numpy(image) for image in reconstructed)]
        sheet = np.concatenate([np.concatenate(column) for column in columns], axis=1)
        with written_whole(self.path) as temporary:
            Image.fromarray((np.clip(sheet, 0, 1) * 255).astype(np.uint8)).save(temporary)


class Curves(keras.callbacks.Callback):
    """Draw every CSV log in `folder` into `folder/curves.png` after every epoch."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_epoch_end(self, epoch, logs=None):
        draw_curves(self.folder)


def draw_curves(folder):
    """`folder/curves.png`: losses above, PSNR below, a column for each CSV log in `folder`."""
    from matplotlib.figure import Figure  # slow to import

    logs = sorted(Path(folder).glob("*.csv"))
    figure = Figure((4 * len(logs), 6), layout="constrained")
    axes = figure.subplots(2, len(logs), squeeze=False)
    for log, (losses, quality) in zip(logs, axes.T, strict=True):
        with log.open() as file:
            rows = list(csv.DictReader(file))
        for name in rows[0] if rows else ():
            if name != "epoch" and rows[0][name] != "NA":  # what Keras writes where nothing is validated
                axis = quality if "psnr" in name else losses
                axis.plot([float(row["epoch"]) for row in rows], [float(row[name]) for row in rows], label=name)
        losses.set(title=log.stem, yscale="log", ylabel="loss")
        quality.set(xlabel="epoch", ylabel="PSNR / dB")
        for axis in (losses, quality):
            if axis.lines:  # an encoder block alone has no PSNR
                axis.legend(fontsize=6)
            axis.grid(alpha=0.3)
    with written_whole(Path(folder) / "curves.png") as temporary:
        figure.savefig(temporary, dpi=100)
