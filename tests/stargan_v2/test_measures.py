"""What is measured of images and networks, against NumPy and by hand."""

import keras
import numpy as np
import pytest

from stargan_v2 import measures
from stargan_v2.networks import BUILDERS, Config

PUBLISHED = {
    "teacher with skips": (Config(high_pass=1), {"generator": 47.0, "encoder": 16.6, "discriminator": 16.6}),
    "teacher": (Config(domains=3), {"generator": 48.6}),
    "student": (Config(high_pass=1, cap=128, hidden=128, separable=True), {"generator": 15.8, "encoder": 1.6}),
}
SMALL = Config(size=64, width=32, cap=128, style_dim=32, hidden=256)


def unused(config):
    """Operations of the 1x1 convolutions that high-pass skips leave without use, counted in the figures for 256 pixels."""
    widths = config.widths(config.generator_halvings())
    sides = [config.size // 2**level for level in range(len(widths))]
    return sum(a * b * side**2 for a, b, side in zip(widths, widths[1:], sides, strict=False) if a != b)


@pytest.mark.slow
@pytest.mark.parametrize("name", PUBLISHED)
def test_so_many_billion_operations_at_256_pixels(name):
    config, billions = PUBLISHED[name]
    for network, expected in billions.items():
        count = measures.macs(BUILDERS[network](config))
        if config.high_pass and network == "generator":
            count += unused(config)
        assert count / 1e9 == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize(
    ("config", "generator", "encoder"),
    [(SMALL, 679, 193), (SMALL._replace(width=8, cap=32, separable=True), 29.4, 3.8)],
)
def test_so_many_million_operations_at_64_pixels(config, generator, encoder):
    assert measures.macs(BUILDERS["generator"](config)) / 1e6 == pytest.approx(generator, rel=0.01)
    assert measures.macs(BUILDERS["encoder"](config)) / 1e6 == pytest.approx(encoder, rel=0.015)


def test_differences_are_on_the_scale_of_zero_to_one():
    black, white = np.full((2, 4, 4, 3), -1.0), np.full((2, 4, 4, 3), 1.0)
    assert measures.l1(black, white) == 1
    assert measures.psnr(black, white) == pytest.approx(0)
    assert measures.psnr(black, black + 0.2) == pytest.approx(20)
    assert measures.psnr(white, white + 5) == pytest.approx(100)


def test_the_frechet_distance_of_normal_distributions(rng):
    a = rng.normal(size=(20_000, 2))
    b = rng.normal(size=(20_000, 2)) * [3, 1] + [0, 2]
    assert measures.frechet(a, a) == pytest.approx(0, abs=1e-6)
    assert measures.frechet(a, b) == pytest.approx(4 + (3 - 1) ** 2, rel=0.05)


def test_diversity_is_the_mean_over_all_pairs_of_outputs():
    outputs = [np.full((3, 2), value) for value in (0.0, 1.0, 3.0)]
    assert measures.mean_pairwise(lambda a, b: np.abs(a - b).mean(axis=1), outputs) == pytest.approx(2)


def test_a_linear_fit_is_measured_on_new_codes(rng):
    codes, new = rng.normal(size=(200, 3)), rng.normal(size=(50, 3))
    known, unknown = codes @ [1, 2, 3] + 4, rng.normal(size=200)
    fits = measures.linear_fit(
        codes, np.stack([known, unknown], 1), new, np.stack([new @ [1, 2, 3] + 4, rng.normal(size=50)], 1)
    )
    assert fits[0] == pytest.approx(1)
    assert fits[1] < 0.1


def test_the_time_of_an_image_is_more_than_nothing():
    generator = BUILDERS["generator"](Config(size=16, width=2, cap=2, style_dim=3))
    assert 0 < measures.milliseconds(generator) < 10_000


def test_operations_of_one_convolution_and_one_dense_layer():
    image = keras.Input((5, 6, 3))
    x = keras.layers.Conv2D(4, 3, padding="same")(image)
    x = keras.layers.DepthwiseConv2D(3, padding="same")(x)
    x = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x))
    assert measures.macs(keras.Model(image, x)) == 30 * 9 * 3 * 4 + 30 * 9 * 4 + 4 * 2
