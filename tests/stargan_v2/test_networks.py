"""The networks of StarGAN v2: how large they are, what shapes they give, and normalisation against NumPy."""

import functools
import itertools

import keras
import numpy as np
import pytest
from keras import ops

from stargan_v2.networks import BUILDERS, AdaIN, Config, HighPass, InstanceNorm, build_generator, decoder_block

FACES = Config(high_pass=1)
STUDENT = FACES._replace(cap=128, hidden=128, separable=True)
SMALL = Config(size=64, width=32, cap=128, style_dim=32, hidden=256)
TINY = Config(size=16, width=4, cap=8, style_dim=6, hidden=5, domains=3)


@functools.cache
def counts(config):
    """Parameters of generator, mapping network, encoder and discriminator."""
    return [builder(config).count_params() for builder in BUILDERS.values()]


def unused(config):
    """Parameters of the 1x1 convolutions that the published networks have where high-pass skips replace the shortcut."""
    widths = config.widths(config.generator_halvings())
    return sum(a * b for a, b in itertools.pairwise(widths) if a != b)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (FACES, [43_467_395, 2_438_272, 20_916_928, 20_852_290]),
        (Config(domains=3), [33_892_995, 3_259_072, 20_949_760, 20_852_803]),
        (STUDENT, [2_355_459, 167_296, 480_448]),
    ],
)
def test_networks_are_as_large_as_the_published_ones(config, expected):
    generator, *others = counts(config)
    if config.high_pass:
        generator += unused(config)
    assert [generator, *others][: len(expected)] == expected


@pytest.mark.slow
def test_the_published_student_is_22_times_smaller():
    teacher, student = (sum(counts(config)[:3]) + unused(config) for config in (FACES, STUDENT))
    assert (teacher, student) == (66_822_595, 3_003_203)
    assert round(teacher / student, 2) == 22.25


@pytest.mark.parametrize(
    ("config", "thousands"),
    [
        (SMALL._replace(width=24, cap=96, hidden=128), [873, 159, 570, 564]),
        (SMALL, [1533, 613, 1011, 1003]),
        (SMALL._replace(size=32, halvings=2), [1533, 613, 715, 707]),
        (SMALL._replace(width=8, cap=32, hidden=64, separable=True), [68, 43, 26, 63]),
    ],
)
def test_small_networks_have_so_many_thousand_parameters(config, thousands):
    assert [round(count / 1000) for count in counts(config)] == thousands


def test_shapes(rng):
    networks = {name: builder(TINY) for name, builder in BUILDERS.items()}
    images, domains = rng.normal(size=(2, 16, 16, 3)), np.eye(3)[[0, 2]]
    style = ops.convert_to_numpy(networks["mapping"]([rng.normal(size=(2, 16)), domains]))
    assert style.shape == networks["encoder"]([images, domains]).shape == (2, 6)
    result, *blocks = networks["generator"]([images, style])
    assert result.shape == (2, 16, 16, 3)
    assert [block.shape[1:] for block in blocks] == [(16, 16, 4)] * 4
    logit, *features = networks["discriminator"]([images, domains])
    assert logit.shape == (2, 1)
    assert [feature.shape[1:] for feature in features] == [(8, 8, 8), (4, 4, 8)]


def test_blocks_halve_to_the_bottleneck_and_double_back():
    sides = [block.shape[1] for block in build_generator(TINY._replace(size=64)).outputs]
    assert sides == [64, 32, 16, 16, 16, 16, 16, 32, 64]


def test_a_domain_has_a_head_of_its_own(rng):
    mapping = BUILDERS["mapping"](TINY)
    noise = np.repeat(rng.normal(size=(1, 16)), 3, axis=0)
    styles = ops.convert_to_numpy(mapping([noise, np.eye(3)]))
    before = styles.copy()
    mapping.get_layer("head1_style").bias.assign(np.ones(6))
    np.testing.assert_allclose(
        ops.convert_to_numpy(mapping([noise, np.eye(3)])) - before, [[0] * 6, [1] * 6, [0] * 6], atol=1e-6
    )


def test_instance_norm_is_numpys(rng):
    x = rng.normal(2, 3, (2, 5, 4, 3)).astype(np.float32)
    layer = InstanceNorm()
    layer.build(x.shape)
    layer.gamma.assign([1, 2, 3])
    layer.beta.assign([0, 0, -1])
    expected = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
    np.testing.assert_allclose(layer(x), expected * [1, 2, 3] + [0, 0, -1], atol=1e-5)


def test_adain_gives_the_standard_deviation_and_mean_asked_for(rng):
    x = rng.normal(2, 3, (2, 16, 16, 3)).astype(np.float32)
    affine = rng.normal(size=(2, 6)).astype(np.float32)
    result = ops.convert_to_numpy(AdaIN()([x, affine]))
    np.testing.assert_allclose(result.mean((1, 2)), affine[:, 3:], atol=1e-4)
    np.testing.assert_allclose(result.std((1, 2)), np.abs(1 + affine[:, :3]), atol=1e-4)


def test_a_high_pass_skip_is_the_edges_of_what_the_mask_leaves(rng):
    x = np.ones((1, 8, 8, 2), np.float32)
    mask = np.ones((1, 8, 8, 1), np.float32)
    inner = ops.convert_to_numpy(HighPass(1.0)([x, mask]))[:, 1:-1, 1:-1]
    np.testing.assert_allclose(inner, 0, atol=1e-6)
    point = np.zeros((1, 8, 8, 1), np.float32)
    point[0, 4, 4] = 1
    result = ops.convert_to_numpy(HighPass(2.0)([x, point]))[0, :, :, 0]
    np.testing.assert_allclose(result[3:6, 3:6], [[-0.5] * 3, [-0.5, 4, -0.5], [-0.5] * 3])


def test_masks_act_on_the_image_through_the_skips(rng):
    generator = build_generator(TINY._replace(size=64, high_pass=1.0))
    keras.utils.set_random_seed(0)
    arrays = [rng.normal(size=(1, 64, 64, 3)), rng.normal(size=(1, 6))]
    blank, full = np.zeros((1, 16, 16, 1)), np.ones((1, 16, 16, 1))
    plain, first, second = (generator([*arrays, *masks])[0] for masks in ((blank, blank), (full, blank), (blank, full)))
    assert np.abs(plain - first).max() > 1e-4
    assert np.abs(plain - second).max() > 1e-4
    assert np.abs(first - second).max() > 1e-4


def test_the_shortcut_and_the_branch_count_the_same(rng):
    """A residual block of two inputs of variance 1 gives one of variance 1: both are divided by the root of 2."""
    image, style = keras.Input((8, 8, 4)), keras.Input((3,))
    block = keras.Model([image, style], decoder_block(image, style, 4, "block"))
    for layer in ("blocka_conv", "blockb_conv"):
        kernel, bias = block.get_layer(layer).get_weights()
        block.get_layer(layer).set_weights([0 * kernel, bias])
    x = rng.normal(size=(1, 8, 8, 4)).astype(np.float32)
    np.testing.assert_allclose(block([x, np.zeros((1, 3))]), x / np.sqrt(2), rtol=1e-5)
