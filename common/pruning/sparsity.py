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
# Added to a variance before its root is taken.
SMALLEST_VARIANCE = 1e-8


def norms(response):
    """The l2 norm over the pixels of one image: `(batch, channels)`; its gradient at a norm of zero is taken to be zero."""
    squares = ops.sum(ops.square(response), axis=(1, 2))
    dead = squares == 0
    return ops.where(dead, 0.0, ops.sqrt(ops.where(dead, 1.0, squares)))  # a root's gradient at zero would be infinite


def aliveness(response):
    """Whether a channel responds to an image, made soft: `(batch, channels)`, 0 where it does not, near 1 where it does."""
    n = norms(response)
    return n / (n + HALF_ALIVE)


def channel_loss(response):
    """The share of channels that are alive, averaged over the images."""
    return ops.mean(aliveness(response))


def xor_loss(response):
    """The share of channels that are alive on one of two images alone, averaged over all pairs of the batch."""
    alive = aliveness(response)
    differences = ops.sum(ops.abs(alive[:, None] - alive[None]))  # every pair comes twice
    batch, channels = ops.shape(alive)
    return differences / ops.cast(ops.maximum(batch * (batch - 1) * channels, 1), alive.dtype)


def uncorrelation_loss(response):
    """The mean absolute correlation of two different channels over all pixels of the batch."""
    centred = response - ops.mean(response, axis=(0, 1, 2), keepdims=True)
    x = centred / ops.sqrt(ops.mean(ops.square(centred), axis=(0, 1, 2), keepdims=True) + SMALLEST_VARIANCE)
    x = ops.reshape(x, (-1, response.shape[-1]))
    correlation = ops.matmul(ops.transpose(x), x) / ops.cast(ops.shape(x)[0], x.dtype)
    channels = response.shape[-1]
    off_diagonal = ops.abs(correlation) * (1 - ops.eye(channels, dtype=x.dtype))
    return ops.sum(off_diagonal) / max(channels * (channels - 1), 1)


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
