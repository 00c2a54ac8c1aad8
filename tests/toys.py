"""Small stand-ins for what tests cannot have: pretrained networks, the paper's checkpoints, photos, narrow students.

What takes long to import is imported where it is needed: every test imports this module.
"""

import contextlib

import numpy as np
import pytest
from PIL import Image


@contextlib.contextmanager
def without_xla():
    """No training is compiled by XLA: for the few steps of a test that takes many times as long as they do."""
    import keras

    compile_model = keras.Model.compile

    def compile_plainly(self, *arguments, **options):
        compile_model(self, *arguments, **options | {"jit_compile": False})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "compile", compile_plainly)
        yield


def write_photos(folder, count=3, seed=0):
    """A new folder with photos of 80x72 pixels, smooth enough to be learnt from."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True)
    for index in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (6, 7, 3), np.uint8))
        coarse.resize((80, 72), Image.Resampling.BICUBIC).save(folder / f"{index}.png")
    return folder


def orthonormal(channels, widths, seed=0):
    """Random eigenbases: a float32 array `(channels, width)` a level, its columns orthonormal."""
    random = np.random.default_rng(seed)
    shapes = zip(channels, widths, strict=True)
    return [np.linalg.qr(random.normal(size=shape))[0].astype(np.float32) for shape in shapes]


def write_eigenbases(path, name, bases):
    """Eigenbases of the backbone `name` as `train_eigenbases` writes them."""
    from common.eigenbases.file import Eigenbases, save_eigenbases

    save_eigenbases(path, Eigenbases(bases, [np.linspace(0, 1, len(basis)) for basis in bases], {"backbone": name}))
    return path


def write_teacher(path, student, channels, seed=0):
    """A student's checkpoint to distil from: narrow, of as many levels as `channels`, to which its features are lifted.

    Args:
        student: a backbone's module.
        channels: of the lifted features, a number a level.
    """
    import keras

    from common.network import checkpoints

    keras.utils.set_random_seed(seed)
    widths = [count - 2 for count in channels]
    checkpoints.save(student.build(student.widths_of(widths), orthonormal(channels, widths)), path)
    return path


def random_mobilenet():
    """Keras Applications' MobileNet with random weights and batch normalisation that does something."""
    import keras

    rng = np.random.default_rng(0)
    network = keras.applications.MobileNet(include_top=False, weights=None)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            shape = layer.gamma.shape
            layer.set_weights(
                [rng.normal(1, 0.3, shape), rng.normal(0, 0.5, shape), rng.normal(0, 0.5, shape), rng.random(shape)]
            )
    return network


def write_tensorflow(prefix, arrays):
    """A TensorFlow checkpoint with the keys of `arrays`, as Keras 2 laid them out."""
    import tensorflow as tf

    tree = {}
    for key, array in arrays.items():
        *parents, name = key.split("/")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = tf.Variable(array)

    def trackable(node):
        if isinstance(node, tf.Variable):
            return node
        return tf.train.Checkpoint(**{name: trackable(child) for name, child in node.items()})

    trackable(tree).write(str(prefix))
