"""The network: VGG-19's first convolutions, AdaIN, and a decoder that mirrors them.

Images are RGB in [0, 1] on either side; within, they are normalised by ImageNet's mean and spread.
"""

import keras
import numpy as np
from keras import ops

from adain.tiles import in_tiles
from common.network.layers import ReflectPad
from common.photos import IMAGE_CHANNELS, as_floats, pad_to_multiple

# Convolutions of VGG-19 and their widths, poolings between them.
LAYERS = (
    ("conv1_1", 64),
    ("conv1_2", 64),
    ("pool1", None),
    ("conv2_1", 128),
    ("conv2_2", 128),
    ("pool2", None),
    ("conv3_1", 256),
    ("conv3_2", 256),
    ("conv3_3", 256),
    ("conv3_4", 256),
    ("pool3", None),
    ("conv4_1", 512),
)
# The last convolution, by the name of the feature that AdaIN works on; the publication's is relu4_1.
DEEPEST = {"relu3_1": "conv3_1", "relu4_1": "conv4_1"}
# Where the losses look: after the first convolution at each size.
TAPS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1")
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406])
IMAGENET_STD = np.array([0.229, 0.224, 0.225])
# Added to the content's standard deviation before it divides.
EPSILON = 1e-5
# Sides of a tile, and of what is read around it, in image pixels: more than any convolution sees.
TILE, HALO = 512, 64
# Reflected around a content, in pixels, and cut off again: the encoder pads with zeros, which shows as a frame.
MARGIN = 32


def layers_to(feature):
    """The entries of `LAYERS` up to the convolution that `feature`, relu3_1 or relu4_1, comes from."""
    names = [name for name, _ in LAYERS]
    return LAYERS[: names.index(DEEPEST[feature]) + 1]


def build_encoder(feature, bottleneck=None, name="encoder"):
    """Images `(batch, height, width, 3)` to `feature`, at a fourth or an eighth of the size; weights are random.

    Args:
        bottleneck: channels of the feature; None: VGG-19's.
    """
    x = inputs = keras.Input((None, None, IMAGE_CHANNELS))
    x = keras.layers.Rescaling(1 / IMAGENET_STD, -IMAGENET_MEAN / IMAGENET_STD, name="normalise")(x)
    for layer, width in layers_to(feature):
        if width is None:
            x = keras.layers.MaxPooling2D(2, name=layer)(x)
        else:
            filters = bottleneck or width if layer == DEEPEST[feature] else width
            x = keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer="he_normal", name=layer)(x)
            x = keras.layers.Activation("relu", name=f"{layer}_relu")(x)
    return keras.Model(inputs, x, name=name)


def build_decoder(feature, bottleneck=None):
    """What `build_encoder` gives to images, of its channels; values may lie outside of [0, 1]."""
    layers = layers_to(feature)
    widths = [width for _, width in layers]
    x = inputs = keras.Input((None, None, bottleneck or widths[-1]))
    # Backwards, a convolution has the width of the one before it in the encoder.
    for index in range(len(layers) - 1, -1, -1):
        name = layers[index][0]
        if widths[index] is None:
            x = keras.layers.UpSampling2D(2, name=name.replace("pool", "up"))(x)
            continue
        before = next((width for width in reversed(widths[:index]) if width), IMAGE_CHANNELS)
        x = keras.layers.Conv2D(
            before, 3, kernel_initializer=fan_in_uniform(), bias_initializer=fan_in_uniform(9 * x.shape[-1]), name=name
        )(ReflectPad(name=f"{name}_pad")(x))
        if index:
            x = keras.layers.Activation("relu", name=f"{name}_relu")(x)
    x = keras.layers.Rescaling(IMAGENET_STD, IMAGENET_MEAN, name="denormalise")(x)
    return keras.Model(inputs, x, name="decoder")


def fan_in_uniform(fan_in=None):
    """An initialiser, uniform within 1 / sqrt(fan in), that of the kernel unless given; as published."""
    if fan_in is None:
        return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    return keras.initializers.RandomUniform(-(fan_in**-0.5), fan_in**-0.5)


def mean_and_std(x):
    """Mean and unbiased standard deviation over pixels: `(batch, 1, 1, channels)` each.

    The gradient of the standard deviation of what is constant is taken to be zero; it would be infinite.
    """
    mean = ops.mean(x, axis=(1, 2), keepdims=True)
    count = ops.cast(ops.shape(x)[1] * ops.shape(x)[2] - 1, x.dtype)
    variance = ops.sum(ops.square(x - mean), axis=(1, 2), keepdims=True) / ops.maximum(count, 1)
    constant = variance <= 0
    return mean, ops.where(constant, 0.0, ops.sqrt(ops.where(constant, 1.0, variance)))


def adain(content, style):
    """Features `content` with the mean and the standard deviation of `style`, channel by channel (Huang and Belongie)."""
    (mean, std), (style_mean, style_std) = mean_and_std(content), mean_and_std(style)
    return (content - mean) / (std + EPSILON) * style_std + style_mean


class Network:
    """Encoder and decoder.

    Args:
        feature: "relu3_1" or "relu4_1".
        bottleneck: channels of that feature; None: VGG-19's, 256 or 512.
    """

    def __init__(self, feature="relu4_1", bottleneck=None):
        self.feature = feature
        self.encoder, self.decoder = build_encoder(feature, bottleneck), build_decoder(feature, bottleneck)

    @property
    def bottleneck(self):
        """Channels of the feature that AdaIN works on."""
        return self.encoder.output.shape[-1]

    @property
    def stride(self):
        """Pixels of the image for one of the feature."""
        return 2 ** sum(width is None for _, width in layers_to(self.feature))

    @property
    def parameters(self):
        return self.encoder.count_params() + self.decoder.count_params()

    @property
    def last_convolution(self):
        """The encoder's last: its filters are the channels that are cut."""
        return self.encoder.get_layer(DEEPEST[self.feature])

    @property
    def variables(self):
        """Kernels and biases by name, `encoder/conv1_1/kernel`."""
        parts = ((part, layer) for part in (self.encoder, self.decoder) for layer in part.layers if layer.weights)
        return {f"{part.name}/{layer.name}/{v.name}": v for part, layer in parts for v in layer.weights}

    def encode(self, pixels):
        """The feature of one image, `(height / stride, width / stride, bottleneck)`, tile by tile.

        Args:
            pixels: `(height, width, 3)`, uint8 or floats in [0, 1]; padded by reflection to a multiple of the stride.
        """
        padded = pad_to_multiple(as_floats(pixels), self.stride)
        return in_tiles(self.encoder, padded, TILE // self.stride, HALO // self.stride, scale_in=self.stride)

    def decode(self, feature):
        """The image of one feature, float32, not clipped, tile by tile."""
        return in_tiles(self.decoder, feature, TILE // self.stride, HALO // self.stride, scale_out=self.stride)

    def stylize(self, content, style, strength=1.0):
        """The content in the style, `(height, width, 3)` of the content's size, float32 in [0, 1].

        Args:
            content, style: images as for `encode`, of any sizes from 16x16 on.
            strength: 0 is the content as the autoencoder has it, 1 the style's full mean and deviation.
        """
        feature = self.encode(np.pad(content, [(MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)], mode="reflect"))
        target = np.asarray(adain(feature[None], self.encode(style)[None]))[0]
        height, width = content.shape[:2]
        image = self.decode((1 - strength) * feature + strength * target)
        return np.clip(image[MARGIN : MARGIN + height, MARGIN : MARGIN + width], 0, 1)
