"""Losses for training a network of which more can be cut: channels that die, and on every photo the same ones.

A response is what comes out of a ReLU, `(batch, height, width, channels)`. Each loss takes one and gives a scalar in [0, 1],
whose gradient is finite where channels are zero throughout.

The gradient of the channel and xor losses falls with the square of a channel's norm: only what is small already feels them,
and they want large weights, of 1e4 and more, which cost reconstruction.
"""

from keras import ops

from common.distillation.losses import Loss

# Norm at which a channel counts half.
HALF_ALIVE = 1e-5
# Added to the product of two channels' norms before it divides.
SMALLEST_NORMS = 1e-5


def norms(response):
    """The l2 norm over the pixels of one image: `(batch, channels)`; its gradient at a norm of zero is taken to be zero."""
    squares = ops.sum(ops.square(response), axis=(1, 2))
    dead = squares == 0
    return ops.where(dead, 0.0, ops.sqrt(ops.where(dead, 1.0, squares)))  # a root's gradient at zero would be infinite


def aliveness(response, half_alive=HALF_ALIVE):
    """Whether a channel responds to an image, made soft: `(batch, channels)`, 0 where it does not, near 1 where it does."""
    n = norms(response)
    return n / (n + half_alive)


def channel_loss(response, half_alive=HALF_ALIVE):
    """The share of channels that are alive, averaged over the images."""
    return ops.mean(aliveness(response, half_alive))


def xor_loss(response, half_alive=HALF_ALIVE):
    """The share of channels that are alive on one of two images alone, averaged over all pairs of the batch."""
    alive = aliveness(response, half_alive)
    differences = ops.sum(ops.abs(alive[:, None] - alive[None]))  # every pair comes twice
    batch, channels = ops.shape(alive)
    return differences / ops.cast(ops.maximum(batch * (batch - 1) * channels, 1), alive.dtype)


def uncorrelation_loss(response):
    """The mean absolute correlation of two different channels over the pixels of an image, averaged over the images."""
    centred = response - ops.mean(response, axis=(1, 2), keepdims=True)
    n = norms(centred)
    x = ops.reshape(centred, (ops.shape(centred)[0], -1, response.shape[-1]))
    products = ops.abs(ops.matmul(ops.transpose(x, (0, 2, 1)), x))
    correlation = products / (n[:, :, None] * n[:, None] + SMALLEST_NORMS)
    channels = response.shape[-1]
    off_diagonal = correlation * (1 - ops.eye(channels, dtype=x.dtype))
    return ops.mean(ops.sum(off_diagonal, axis=(1, 2))) / max(channels * (channels - 1), 1)


def over_responses(loss):
    """`loss` averaged over the ReLUs of an encoder block that is trained.

    The decoder follows the encoder; made to die by itself, it no longer reconstructs.
    """
    return Loss(lambda seen: sum(map(loss, seen.responses)) / max(len(seen.responses), 1), frozenset({"responses"}))


LOSSES = {
    "channel": over_responses(channel_loss),
    "xor": over_responses(xor_loss),
    "uncorrelation": over_responses(uncorrelation_loss),
}
