"""The paper's released students: TensorFlow object-graph checkpoints; `python -m common.commands.download` fetches them."""

from pathlib import Path

from common.errors import InputError
from common.network.variables import assign, decoder_variables, encoder_variables

PREFIXES = ("sencoder", "sdecoder")


def load_released(backbone, build, folder):
    """The paper's student from a folder with its `sencoder` and `sdecoder` files, eigenbases included.

    Every variable of both files is accounted for.

    Raises:
        InputError: a file is missing or damaged, or a variable is missing, surplus or misshapen.
    """
    encoder, decoder = (read_tensorflow(folder / prefix) for prefix in PREFIXES)
    if not any(key.startswith(backbone.released.mark) for key in encoder):
        raise InputError(f"{folder} holds weights of another backbone, not of {backbone.name}")
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


def read_tensorflow(prefix):
    """Arrays of a TensorFlow checkpoint by key, without the `/.ATTRIBUTES/VARIABLE_VALUE` that each key ends in.

    Raises:
        InputError: there is no such checkpoint, or it cannot be read.
    """
    import tensorflow as tf  # the format is TensorFlow's own; on JAX nothing else needs it

    if not Path(f"{prefix}.index").is_file():
        raise InputError(f"{prefix}.index: no such file (a released checkpoint is a folder with {' and '.join(PREFIXES)})")
    suffix = "/.ATTRIBUTES/VARIABLE_VALUE"
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        keys = [key for key in reader.get_variable_to_shape_map() if key.endswith(suffix)]
        return {key.removesuffix(suffix): reader.get_tensor(key) for key in keys}
    except (tf.errors.OpError, RuntimeError, ValueError, IndexError) as error:
        raise InputError(f"{prefix}: damaged checkpoint: {str(error).splitlines()[0]}") from error
