"""The layers that the blocks of both backbones are made of."""

import keras
from keras import ops


class ReflectPad(keras.layers.Layer):
    """Padding by reflection of `(batch, height, width, channels)`: `before` pixels, 0 or 1, at the start, one at the end.

    Put together from slices: `ops.pad` takes nearly as long as the convolution that follows.
    """

    def __init__(self, before=1, **kwargs):
        super().__init__(**kwargs)
        self.before = before

    def call(self, x):
        x = ops.concatenate([x[:, :, 1:2]] * self.before + [x, x[:, :, -2:-1]], axis=2)
        return ops.concatenate([x[:, 1:2]] * self.before + [x, x[:, -2:-1]], axis=1)


def activate(x, name, activation="relu", batch_norm=False):
    """What follows the convolution called `name`: batch normalisation where asked, then the activation (None: neither)."""
    if activation is None:
        return x
    if batch_norm:
        x = keras.layers.BatchNormalization(name=f"{name}_bn")(x)
    return keras.layers.Activation(activation, name=f"{name}_relu")(x)


def conv3x3(x, filters, name, activation="relu", batch_norm=False):
    """A 3x3 convolution on reflection-padded input; the size stays."""
    x = keras.layers.Conv2D(filters, 3, kernel_initializer="he_normal", name=name)(ReflectPad()(x))
    return activate(x, name, activation, batch_norm)


class Upsample(keras.layers.UpSampling2D):
    """Twice the height and width, bilinear, half-pixel centres; in a TensorFlow graph also of sizes not known yet."""

    def __init__(self, **kwargs):
        super().__init__(2, interpolation="bilinear", **kwargs)

    def call(self, x):
        if keras.backend.backend() != "tensorflow" or isinstance(x, keras.KerasTensor) or None not in x.shape[1:3]:
            return super().call(x)
        import tensorflow as tf  # Keras asks for sizes in numbers

        return tf.image.resize(x, 2 * tf.shape(x)[1:3])

    def get_config(self):
        return {"name": self.name}


def convolutions(block):
    """The layers of a block that hold a kernel and a bias, in the order they apply."""
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return [layer for layer in block.layers if isinstance(layer, kinds)]


def activations(block):
    """The ReLUs of a block, in the order they apply; each is named after its convolution, `NAME_relu`."""
    return [layer for layer in block.layers if isinstance(layer, keras.layers.Activation)]


def fold_batch_norm(normalised, block):
    """Give `block` the weights to do what `normalised`, the same with batch normalisation, does at inference."""
    for source, target in zip(convolutions(normalised), convolutions(block), strict=True):
        kernel, bias = (ops.convert_to_numpy(variable) for variable in (source.kernel, source.bias))
        if f"{source.name}_bn" in {layer.name for layer in normalised.layers}:
            norm = normalised.get_layer(f"{source.name}_bn")
            scale = ops.convert_to_numpy(norm.gamma / ops.sqrt(norm.moving_variance + norm.epsilon))
            depthwise = isinstance(source, keras.layers.DepthwiseConv2D)  # kernel (height, width, channels, 1)
            kernel = kernel * (scale[:, None] if depthwise else scale)
            bias = (bias - ops.convert_to_numpy(norm.moving_mean)) * scale + ops.convert_to_numpy(norm.beta)
        target.kernel.assign(kernel)
        target.bias.assign(bias)
