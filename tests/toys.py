"""Small stand-ins for what tests cannot have: pretrained networks, the paper's checkpoints."""

import keras
import numpy as np


def random_mobilenet():
    """Keras Applications' MobileNet with random weights and batch normalisation that does something."""
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
