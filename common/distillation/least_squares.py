"""A decoder block to start from, in closed form: its first convolution fitted by ridge regression, the others passing on.

The skip brings what is above low-pass in the feature a level up; fitted to what is left of that feature, the first
convolution makes the block right to first order. Level 0 is linear: there the fit is the decoder. Gradient descent is slow
on either, for a feature's channels are correlated and far from centred.
"""

import keras
import numpy as np
from keras import ops

# Ridge penalty as a share of each input's variance: the fit then bears errors of that variance in its input.
RIDGE = 1e-2
# Positions of each batch to fit to: more of the same photos would add little.
POSITIONS = 1024


def start_decoder_block(model, level, batches):
    """Give decoder block `level` of an autoencoder weights to start training from.

    Args:
        model: `common.network.autoencoder.Autoencoder` with encoder blocks 0 to `level` as they will be.
        batches: iterable of one-tuples of images `(batch, height, width, 3)`. Their positions should be many
            times the inputs of the first convolution.
    """
    first, *others = (layer for layer in model.decoder_blocks[level].layers if isinstance(layer, keras.layers.Conv2D))
    inputs = keras.Model(model.decoder_blocks[level].inputs, first.input)
    gram, products, count = 0.0, 0.0, 0
    random = np.random.default_rng(0)
    for (images,) in batches:
        features, skips = model.encode(images, level)
        x = neighbourhoods(ops.convert_to_numpy(inputs([features[level], skips[level]])), first.kernel_size)
        target = features[level - 1] - skips[level] if level else ops.convert_to_tensor(images)
        factor = target.shape[1] // x.shape[1]
        target = ops.convert_to_numpy(ops.average_pool(target, factor, strides=factor)).reshape(-1, target.shape[-1])
        x = x.reshape(-1, x.shape[-1])
        chosen = random.permutation(len(x))[:POSITIONS]
        x, target = x[chosen], target[chosen]
        gram += (x.T @ x).astype(np.float64)
        products += (x.T @ target).astype(np.float64)
        count += len(x)
    kernel, bias = ridge(gram / count, products / count)
    first.kernel.assign(kernel.reshape(first.kernel.shape))
    first.bias.assign(bias)
    for layer in others:
        layer.kernel.assign(identity(layer.kernel.shape))


def neighbourhoods(x, size):
    """The inputs of every position of a 'valid' convolution, in its kernel's order, then a one: `(batch, h, w, n + 1)`."""
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))  # (batch, h, w, channels, *size)
    windows = np.moveaxis(windows, 3, -1).reshape(*windows.shape[:3], -1)
    return np.concatenate([windows, np.ones_like(windows[..., :1])], axis=-1)


def ridge(gram, products):
    """Weights `(inputs, outputs)` and offset of the regression whose mean products, a one as last input, are given."""
    variance = np.maximum(np.diag(gram) - gram[-1] ** 2, 1e-6)
    solution = np.linalg.solve(gram + np.diag(np.append(RIDGE * variance[:-1], 0)), products)
    return solution[:-1], solution[-1]


def identity(shape):
    """The kernel of a convolution that passes its input on, as far as the channels go."""
    kernel = np.zeros(shape, np.float32)
    kernel[shape[0] // 2, shape[1] // 2] = np.eye(*shape[2:])
    return kernel
