"""Trained weights on disk: the project's own checkpoints and the paper's released ones.

`python -m common.checkpoints download {vgg,mobilenet}` fetches the released files into `ckpts/released/`.
"""

import argparse
import hashlib
import json
import sys
import urllib.parse
import urllib.request
import warnings
from pathlib import Path

import h5py
import numpy as np

from common import array_files
from common.array_files import DAMAGE
from common.backbone import CKPTS, Widths
from common.errors import InputError
from common.files import written_whole

# Of any autoencoder here.
LARGEST_LEVELS = 4
RELEASED_PREFIXES = ("sencoder", "sdecoder")

# The paper's public repository (MIT licence), and the SHA-256 of its student checkpoints.
RELEASED_URL = "https://raw.githubusercontent.com/chiutaiyin/PCA-Knowledge-Distillation/HEAD/"
RELEASED_FOLDERS = {"vgg": "VGG backbone/ckpts", "mobilenet": "MobileNet backbone/ckpts"}
RELEASED_SHA256 = {
    "vgg": {
        "sencoder.index": "bf75ea1e263e502df3650616313ab15b2735b47e0cd4d682e9615fc8e370f9a6",
        "sencoder.data-00000-of-00001": "58622ade9d59acb9c179d2d9b42a32d45bdccc363629f17e50c87c8d8d2018b1",
        "sdecoder.index": "d419d740b9e2d8226da355e794983849a3f6d202242457e619943e1e6a583d13",
        "sdecoder.data-00000-of-00001": "b4674b6277ceb87856b2a02ed9324de0be6705ff18441fc549e8e209df043f11",
    },
    "mobilenet": {
        "sencoder.index": "e85c43392d569ed90e13ff3d1cb6be7751006516eeaee7ef0f140639dc67e1cd",
        "sencoder.data-00000-of-00001": "4051956140138f9dbe15a37e45355f8aa934168d08b7faf7cfdcd554a1c46bf5",
        "sdecoder.index": "4a8dab4cd0b966b5aa5edee47db1af71f970349e437ea86f60c824332fc9abc4",
        "sdecoder.data-00000-of-00001": "7624fd585e5ef34264c4fc704e5725c3106349e3bf46fbd51495e6fa8e880d5a",
    },
}


def load_student(backbone, build, checkpoint=None):
    """A trained student of `backbone`.

    Args:
        backbone: `common.backbone.Backbone`.
        build: `(widths, eigenbases) -> Autoencoder`, both optional.
        checkpoint: a file written by `save`, a folder with released files, or None for the first there is in `ckpts/`.

    Raises:
        InputError: it is missing, damaged, or of another backbone.
    """
    path = default_checkpoint(backbone.name) if checkpoint is None else Path(checkpoint)
    if path.is_dir():
        return load_released(backbone, build, path)
    return load(backbone, build, path)


def default_checkpoint(name):
    """The project's own weights of backbone `name`, or else the downloaded released ones."""
    own, released = CKPTS / name / "student.weights.h5", CKPTS / "released" / name
    if own.exists():
        return own
    if any(released.glob("*.index")):
        return released
    raise InputError(
        f"there are no {name} weights in {CKPTS} yet: "
        f"fetch the paper's with `python -m common.checkpoints download {name}`, or name a checkpoint"
    )


# --- the project's own: Keras weights with the model's description in the same file --------------------------------------


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


def require_backbone(path, found, expected):
    """Raise `InputError` where a checkpoint is not of the backbone asked for."""
    if found != expected:
        raise InputError(f"{path} holds weights of the {found} backbone, not of {expected}")


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


def read_decoder(path, name):
    """What `save_decoder` wrote to `path` for backbone `name`: the number of levels, and the arrays by name.

    Raises:
        InputError: it is missing, damaged, or of another backbone.
    """
    description, arrays = read_own(path)
    require_backbone(path, description.get("backbone"), name)
    levels = description.get("levels")
    if type(levels) is not int or not 0 < levels <= LARGEST_LEVELS:
        raise InputError(f"{path} is damaged: it has {levels!r} levels")
    return levels, arrays


def load_with_decoder(load_encoder, name, weights, path):
    """A teacher with the decoder that `save_decoder` wrote to `path`.

    Args:
        load_encoder: `(weights, decoder_levels=) -> Autoencoder`, with an untrained decoder of so many levels.
        name: of the backbone.
        weights: of the encoder.

    Raises:
        InputError: a file is missing, damaged or of another backbone; the message names the array.
    """
    levels, arrays = read_decoder(path, name)
    model = load_encoder(weights, decoder_levels=levels)
    assign(decoder_variables(model), arrays, path)
    return model


# --- somebody else's: arrays by name -------------------------------------------------------------------------------------


def read_npz(path):
    """The arrays of a `.npz` file by name, float32; errors as `common.array_files.read`."""
    arrays = array_files.read(path)
    try:
        return {name: np.asarray(array, np.float32) for name, array in arrays.items()}
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} holds something other than numbers: {error}") from error


# --- the paper's: TensorFlow object-graph checkpoints --------------------------------------------------------------------


def load_released(backbone, build, folder):
    """The paper's student from a folder with its `sencoder` and `sdecoder` files, eigenbases included.

    Every variable of both files is accounted for.

    Raises:
        InputError: a file is missing or damaged, or a variable is missing, surplus or misshapen.
    """
    encoder, decoder = (read_tensorflow(folder / prefix) for prefix in RELEASED_PREFIXES)
    found = "mobilenet" if any(key.startswith("se_model/") for key in encoder) else "vgg"
    require_backbone(folder, found, backbone.name)
    model = build()
    eigenbases = [encoder.pop(f"conv_aux/{level}", None) for level in range(len(model.encoder_blocks))]
    for level, (basis, width) in enumerate(zip(eigenbases, model.widths.features, strict=True)):
        if basis is None:
            raise InputError(f"{folder}/sencoder: conv_aux/{level} is missing")
        if basis.ndim != 2 or basis.shape[1] != width:
            raise InputError(f"{folder}/sencoder: conv_aux/{level} has shape {basis.shape}, but its width must be {width}")
    assign(encoder_variables(model), encoder, folder / "sencoder")
    assign(decoder_variables(model), decoder, folder / "sdecoder")
    model.eigenbases = eigenbases
    return model


def encoder_variables(model):
    """Variables of the encoder by their keys in the paper's checkpoints."""
    from common.layers import convolutions  # here, as Keras below: a download does not wait for its import

    variables, overall = {}, 0
    for level, block in enumerate(model.encoder_blocks):
        for index, layer in enumerate(convolutions(block)):
            variables |= layer_variables(model.backbone.released_layer(level, index, overall), layer)
            overall += 1
    return variables


def decoder_variables(model):
    """Variables of the decoder by their keys in the paper's checkpoints, the same for both backbones."""
    from common.layers import convolutions

    variables = {}
    for level, block in enumerate(model.decoder_blocks):
        for index, layer in enumerate(convolutions(block)):
            variables |= layer_variables(f"btnecks/{level}/layer_with_weights-{index}", layer)
    return variables


def layer_variables(prefix, layer):
    """Kernel and bias of a convolution, as {prefix/name: variable}."""
    import keras

    kernel = "depthwise_kernel" if isinstance(layer, keras.layers.DepthwiseConv2D) else "kernel"
    return {f"{prefix}/{kernel}": layer.kernel, f"{prefix}/bias": layer.bias}


def read_tensorflow(prefix):
    """Arrays of a TensorFlow checkpoint by key, without the `/.ATTRIBUTES/VARIABLE_VALUE` that each key ends in.

    Raises:
        InputError: there is no such checkpoint, or it cannot be read.
    """
    import tensorflow as tf  # the format is TensorFlow's own; nothing else here needs it

    if not Path(f"{prefix}.index").is_file():
        raise InputError(
            f"{prefix}.index: no such file (a released checkpoint is a folder with {' and '.join(RELEASED_PREFIXES)})"
        )
    suffix = "/.ATTRIBUTES/VARIABLE_VALUE"
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        keys = [key for key in reader.get_variable_to_shape_map() if key.endswith(suffix)]
        return {key.removesuffix(suffix): reader.get_tensor(key) for key in keys}
    except (tf.errors.OpError, RuntimeError, ValueError, IndexError) as error:
        raise InputError(f"{prefix}: damaged checkpoint: {str(error).splitlines()[0]}") from error


def assign(variables, arrays, source):
    """Give each variable the array of its name; both are dicts by name.

    Raises:
        InputError: an array is missing, surplus, misshapen or not finite; the message names it. Nothing is assigned then.
    """
    require_arrays({name: tuple(variable.shape) for name, variable in variables.items()}, arrays, source)
    for name, variable in variables.items():
        variable.assign(arrays[name])


def require_arrays(shapes, arrays, source):
    """Raise `InputError`, naming the array, unless `arrays` are those that `shapes` has by name, and finite."""
    missing, surplus = sorted(shapes.keys() - arrays.keys()), sorted(arrays.keys() - shapes.keys())
    if missing:
        raise InputError(f"{source}: {first_of(missing)} missing")
    if surplus:
        raise InputError(f"{source}: {first_of(surplus)} not of this network")
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise InputError(f"{source}: {name} has shape {arrays[name].shape} but must be {shape}")
        if not np.isfinite(arrays[name]).all():
            raise InputError(f"{source}: {name} is not finite")


def first_of(names):
    """'a is', or 'a and 3 more are'."""
    return f"{names[0]} is" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more are"


def download(name, folder=None):
    """Fetch the paper's student checkpoint of backbone `name` into `folder` (default: `ckpts/released/NAME`).

    Files already there with the right SHA-256 are not fetched again.

    Raises:
        InputError: no network, or a file is not the one that was published.
    """
    folder = Path(folder or CKPTS / "released" / name)
    source = RELEASED_URL + urllib.parse.quote(RELEASED_FOLDERS[name]) + "/"
    for file, sha256 in RELEASED_SHA256[name].items():
        path = folder / file
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256:
            continue
        try:
            with urllib.request.urlopen(source + file, timeout=30) as response:
                content = response.read()
        except OSError as error:
            raise InputError(
                f"cannot reach {source} ({error}): fetch {', '.join(RELEASED_SHA256[name])} from there by hand into {folder}"
            ) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise InputError(f"{source}{file} is not the published file: its SHA-256 differs from {sha256}")
        folder.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as temporary:
            temporary.write_bytes(content)
        print(path)
    return folder


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m common.checkpoints", description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("download", help="fetch the paper's released student into ckpts/released/")
    command.add_argument("backbone", choices=RELEASED_SHA256)
    options = parser.parse_args(arguments)
    try:
        download(options.backbone)
    except (InputError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
