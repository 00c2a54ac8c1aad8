"""What is measured of images and networks, as functions of arrays."""

import time

import keras
import numpy as np

# Timed calls, after so many that are not.
TIMED, WARM_UP = 20, 3


def l1(images, others):
    """Mean absolute difference of images in [-1, 1], on the scale of [0, 1]."""
    return float(np.mean(np.abs(images - others)) / 2)


def psnr(images, others):
    """Peak signal-to-noise ratio in dB of images in [-1, 1], averaged over images; what is beyond is clipped."""
    errors = np.square((np.clip(images, -1, 1) - np.clip(others, -1, 1)) / 2).mean(axis=(1, 2, 3))
    return float(np.mean(-10 * np.log10(np.maximum(errors, 1e-10))))


def frechet(features, others):
    """The Frechet distance of two normal distributions fitted to features `(count, channels)`."""
    means, covariances = zip(*((x.mean(axis=0), np.cov(x, rowvar=False)) for x in (features, others)), strict=True)
    values, vectors = np.linalg.eigh(covariances[0])
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    overlap = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ covariances[1] @ root), 0)).sum()
    return float(np.square(means[0] - means[1]).sum() + sum(map(np.trace, covariances)) - 2 * overlap)


def mean_pairwise(distance, outputs):
    """`distance(a, b)`, an array `(batch,)`, averaged over the batch and over all pairs of `outputs`."""
    pairs = [(a, b) for index, a in enumerate(outputs) for b in outputs[:index]]
    return float(np.mean([distance(a, b) for a, b in pairs]))


def linear_fit(codes, values, new_codes, new_values):
    """R^2 on new codes `(count, dims)` of a linear fit from codes to values `(count, numbers)`, for each number."""

    def with_one(x):
        return np.concatenate([x, np.ones((len(x), 1))], axis=1)

    solution = np.linalg.lstsq(with_one(codes), values, rcond=None)[0]
    errors = np.square(with_one(new_codes) @ solution - new_values).sum(axis=0)
    return 1 - errors / np.square(new_values - new_values.mean(axis=0)).sum(axis=0)


def macs(network):
    """Multiplications and additions, as pairs, of the convolutions and dense layers of a network on one input."""
    total = 0
    for layer in network.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
            kernel = layer.kernel.shape
            total += layer.output.shape[1] * layer.output.shape[2] * int(np.prod(kernel))
        elif isinstance(layer, keras.layers.Dense):
            total += int(np.prod(layer.kernel.shape))
    return total


def milliseconds(network):
    """Median time in which a generator makes one image of noise."""
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(1, *layer.shape[1:])).astype(np.float32) for layer in network.inputs]
    image = keras.Model(network.inputs, network.outputs[0])
    times = []
    for _ in range(WARM_UP + TIMED):
        start = time.perf_counter()
        image.predict_on_batch(inputs)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times[WARM_UP:]))
