"""Trained weights on disk: the project's own checkpoints, and whichever there is of a student."""

import json
import warnings
from pathlib import Path

import h5py
import numpy as np

from common.array_files import DAMAGE
from common.errors import InputError
from common.files import written_whole
from common.network.backbone import CKPTS, Widths, require_backbone
from common.network.released import load_released
from common.network.variables import assign, decoder_variables


def load_student(backbone, build, checkpoint=None):
    """A trained student of `backbone`.

    Args:
        backbone: `common.network.backbone.Backbone`.
        build: `(widths, eigenbases) -> Autoencoder`, both optional.
        checkpoint: a file written by `save`, a folder with released files, or None for the first there is in `ckpts/`.

    Raises:
        InputError: it is missing, damaged, or of another backbone.
    """
    path = default_checkpoint(backbone) if checkpoint is None else Path(checkpoint)
    if path.is_dir():
        return load_released(backbone, build, path)
    return load(backbone, build, path)


def default_checkpoint(backbone):
    """The project's own student of `backbone`, or else the paper's where it was downloaded."""
    if backbone.checkpoint.exists():
        return backbone.checkpoint
    if any(backbone.released_folder.glob("*.index")):
        return backbone.released_folder
    raise InputError(
        f"there are no {backbone.name} weights in {CKPTS} yet: "
        f"fetch the paper's with `python -m common.commands.download {backbone.name}`, or name a checkpoint"
    )


def save(model, path, record=None):
    """Write an autoencoder to `path`, a `.weights.h5` file: weights, eigenbases, widths.

    Args:
        record: what to remember of how it came about; anything JSON can hold.
    """
    description = {"backbone": model.backbone.name, "widths": model.widths._asdict(), "record": record or {}}
    with written_whole(path) as temporary:
        model.save_weights(temporary)
        with h5py.File(temporary, "a") as file:
            file.attrs["description"] = json.dumps(description)
            for level, basis in enumerate(model.eigenbases or ()):
                file[f"eigenbases/{level}"] = np.asarray(basis, np.float32)


def load(backbone, build, path):
    """The autoencoder that `save` wrote to `path`; arguments and errors as `load_student`."""
    description, eigenbases = read_own(path, "eigenbases")
    require_backbone(path, description.get("backbone"), backbone.name)
    try:
        widths = Widths(*(tuple(map(whole_numbers, description["widths"][part])) for part in Widths._fields))
        model = build(widths, [eigenbases[str(level)] for level in range(len(eigenbases))] or None)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # Keras only warns of weights that are missing
            model.load_weights(path)
    except (*DAMAGE, UserWarning) as error:
        raise InputError(f"{path} is damaged: {first_line(error)}") from error
    if not all(np.isfinite(weights).all() for weights in model.get_weights()):
        raise InputError(f"{path} is damaged: its weights are not finite")
    for level, (basis, width) in enumerate(zip(model.eigenbases or (), widths.features, strict=False)):
        if basis.ndim != 2 or basis.shape[1] > width or not np.isfinite(basis).all() or not basis.any():
            raise InputError(f"{path} is damaged: its eigenbasis of level {level} is none")
    return model


def whole_numbers(values):
    """The widths of a block as a tuple; `ValueError` where they are none."""
    if not isinstance(values, list) or not all(type(value) is int and value > 0 for value in values):
        raise ValueError(f"{values} are no widths")
    return tuple(values)


def read_own(path, group=None):
    """What a file of this project's says of itself, a dict, and the arrays by name below `group`; None: all of them.

    Raises:
        InputError: it is missing or damaged.
    """
    arrays = {}
    if not Path(path).is_file():
        raise InputError(f"{path}: no such checkpoint")
    try:
        with h5py.File(path) as file:
            description = json.loads(file.attrs["description"])
            top = file.get(group, {}) if group else file
            if top:
                top.visititems(lambda key, item: arrays.update({key: item[:]} if isinstance(item, h5py.Dataset) else {}))
    except DAMAGE as error:
        raise InputError(f"{path} is not a checkpoint of this project: {first_line(error)}") from error
    if not isinstance(description, dict):
        raise InputError(f"{path} is not a checkpoint of this project: it does not say what it is")
    return description, arrays


def first_line(error):
    """What an error says, in one line."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def read_record(path):
    """The record that came with a checkpoint that `load_student` takes; of the paper's, what it is."""
    path = Path(path)
    if path.is_dir():
        return {"source": "released"}
    record = read_own(path, "eigenbases")[0].get("record")
    return record if isinstance(record, dict) else {}


def save_decoder(model, path, record=None):
    """Write the decoder of an autoencoder alone to `path`, an HDF5 file, by the variables' names in the paper's checkpoints.

    A teacher's encoder is somebody else's: it stays where it came from.

    Args:
        record: as in `save`.
    """
    description = {"backbone": model.backbone.name, "levels": len(model.decoder_blocks), "record": record or {}}
    with written_whole(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["description"] = json.dumps(description)
        for name, variable in decoder_variables(model).items():
            file[name] = np.asarray(variable)


def read_decoder(path, backbone):
    """What `save_decoder` wrote to `path` for `backbone`: the number of levels, and the arrays by name.

    Raises:
        InputError: it is missing, damaged, or of another backbone.
    """
    description, arrays = read_own(path)
    require_backbone(path, description.get("backbone"), backbone.name)
    levels = description.get("levels")
    if type(levels) is not int or not 0 < levels <= backbone.levels:
        raise InputError(f"{path} is damaged: it has {levels!r} levels")
    return levels, arrays


def load_with_decoder(load_encoder, backbone, weights, path):
    """A teacher with the decoder that `save_decoder` wrote to `path`.

    Args:
        load_encoder: `(weights, decoder_levels=) -> Autoencoder`, with an untrained decoder of so many levels.
        backbone: `common.network.backbone.Backbone`.
        weights: of the encoder.

    Raises:
        InputError: a file is missing, damaged or of another backbone; the message names the array.
    """
    levels, arrays = read_decoder(path, backbone)
    model = load_encoder(weights, decoder_levels=levels)
    assign(decoder_variables(model), arrays, path)
    return model
