"""The losses, as published; those that make channels die are `common.pruning.sparsity`'s.

Features are `(batch, height, width, channels)`. Standard deviations are unbiased.
"""

from keras import ops

from adain.network import mean_and_std
from common.pruning.sparsity import channel_loss, norms, uncorrelation_loss, xor_loss


def squared_error(x, y):
    """Mean squared difference."""
    return ops.mean(ops.square(x - y))


def content_loss(output, content):
    """The output's deepest feature against that of the content image (not AdaIN's)."""
    return squared_error(output, content)


def style_loss(outputs, styles):
    """Means and standard deviations of features against the style's: summed, over the square of the number of features."""
    total = 0.0
    for output, style in zip(outputs, styles, strict=True):
        for of_output, of_style in zip(mean_and_std(output), mean_and_std(style), strict=True):
            total += squared_error(of_output, of_style)
    return total / len(outputs) ** 2


def regularisers(content, style, half_alive):
    """The losses that make channels die or differ, by name, as functions without arguments: none is worked out in vain.

    Args:
        content, style: features of the encoder.
        half_alive: norm at which a channel counts half.
    """
    both = ops.concatenate([content, style])
    return {
        # Summed over the images of a batch, as published, and averaged over content and style.
        "uncorrelation": lambda: uncorrelation_loss(both) * ops.cast(ops.shape(content)[0], both.dtype),
        "channel": lambda: channel_loss(both, half_alive),
        "xor": lambda: xor_loss(both, half_alive),
    }


def live_channels(features):
    """How many channels of a feature are not zero throughout an image, averaged over images."""
    return ops.mean(ops.sum(ops.cast(norms(features) > 0, "float32"), axis=1))
