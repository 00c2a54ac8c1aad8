"""Small networks: VGG-19's graph at its own widths is wide enough that every test has to use few pixels."""

import keras
import numpy as np
import pytest

from adain import network


def write_vgg(path, deepest="conv3_1", seed=0):
    """Random weights under the names of a teacher's `.npz`, up to the convolution called `deepest`."""
    rng = np.random.default_rng(seed)
    arrays = {"preprocess/kernel": 255 * np.eye(3)[None, None, ::-1], "preprocess/bias": -np.array([104.0, 117.0, 124.0])}
    channels = 3
    for name, width in network.LAYERS:
        if width:
            arrays[f"{name}/kernel"] = rng.normal(0, np.sqrt(2 / (9 * channels)), (3, 3, channels, width))
            arrays[f"{name}/bias"] = rng.normal(0, 0.1, width)
            channels = width
        if name == deepest:
            break
    np.savez(path, **{name: array.astype(np.float32) for name, array in arrays.items()})
    return path


@pytest.fixture(scope="session")
def vgg(tmp_path_factory):
    """Weights that reach to conv3_1."""
    return write_vgg(tmp_path_factory.mktemp("vgg") / "vgg.npz")


@pytest.fixture
def small():
    """An untrained network of eight channels."""
    keras.utils.set_random_seed(0)
    return network.Network("relu3_1", 8)
