"""The network: parameters, AdaIN, tiles, pretrained weights, files."""

import keras
import numpy as np
import pytest

from adain import network as networks
from adain import weights
from adain.network import Network, adain
from adain.tiles import in_tiles
from common.errors import InputError
from common.network.layers import convolutions


@pytest.mark.parametrize(("feature", "parameters", "stride"), [("relu4_1", 7_010_947, 8), ("relu3_1", 1_110_403, 4)])
def test_it_has_the_published_number_of_parameters(feature, parameters, stride):
    network = Network(feature)
    assert (network.parameters, network.stride) == (parameters, stride)


@pytest.mark.parametrize(("feature", "parameters"), [("relu4_1", 4609), ("relu3_1", 2305)])
def test_each_channel_of_the_feature_has_so_many(feature, parameters):
    assert Network(feature, 20).parameters - Network(feature, 19).parameters == parameters


def test_adain_gives_the_content_the_styles_mean_and_unbiased_deviation(rng):
    content, style = rng.normal(2, 3, (1, 6, 7, 4)), rng.normal(-1, 0.5, (1, 5, 3, 4))
    result = np.asarray(adain(content, style))
    np.testing.assert_allclose(result.mean((1, 2)), style.mean((1, 2)), rtol=1e-4)
    np.testing.assert_allclose(result.std((1, 2), ddof=1), style.std((1, 2), ddof=1), rtol=1e-4)


def test_a_constant_channel_takes_the_styles_mean(rng):
    style = rng.normal(size=(1, 5, 3, 1))
    np.testing.assert_allclose(np.asarray(adain(np.ones((1, 4, 4, 1)), style)), style.mean(), rtol=1e-5)


def test_strength_0_reconstructs_the_content(small, rng):
    content, style = rng.random((24, 32, 3), np.float32), rng.random((16, 16, 3), np.float32)
    padded = np.pad(content, [(32, 32), (32, 32), (0, 0)], mode="reflect")
    expected = np.clip(np.asarray(small.decoder(small.encoder(padded[None])))[0, 32:56, 32:64], 0, 1)
    np.testing.assert_allclose(small.stylize(content, style, 0), expected, atol=1e-6)
    assert np.abs(small.stylize(content, style, 1) - expected).max() > 1e-3


@pytest.mark.parametrize(("height", "width"), [(16, 16), (30, 41)])
def test_the_result_is_as_large_as_the_content(small, rng, height, width):
    result = small.stylize(rng.random((height, width, 3), np.float32), rng.random((17, 50, 3), np.float32))
    assert result.shape == (height, width, 3)
    assert result.dtype == np.float32
    assert result.min() >= 0
    assert result.max() <= 1


def test_a_plain_photo_has_no_frame(small):
    """The encoder pads with zeros, which must not show."""
    result = small.stylize(np.full((40, 48, 3), 0.7, np.float32), np.full((32, 32, 3), 0.2, np.float32), 0)
    np.testing.assert_allclose(result, np.broadcast_to(result[20, 24], result.shape), atol=1e-5)


@pytest.mark.parametrize("feature", ["relu3_1", "relu4_1"])
def test_tiles_change_nothing(feature, rng, monkeypatch):
    network = Network(feature, 8)
    content, style = rng.random((200, 170, 3), np.float32), rng.random((64, 64, 3), np.float32)
    whole = network.stylize(content, style)
    monkeypatch.setattr(networks, "TILE", 64)
    np.testing.assert_allclose(network.stylize(content, style), whole, atol=1e-5)


def test_no_more_than_a_tile_and_its_halo_is_seen_at_once():
    seen = []

    def function(x):
        seen.append(x.shape[1:3])
        return x

    x = np.arange(50 * 30 * 2, dtype=np.float32).reshape(50, 30, 2)
    np.testing.assert_array_equal(in_tiles(function, x, tile=10, halo=3), x)
    assert max(seen) == (16, 16)


def test_pretrained_features_are_those_of_the_weights_but_for_their_scale(vgg, rng):
    """Away from the border: there, preprocessing is padded by what it makes of ImageNet's mean."""
    from vgg_backbone import teacher

    photos = rng.random((2, 64, 64, 3), np.float32)
    encoder = weights.pretrained_encoder(vgg, "relu3_1", photos)
    ours, theirs = (np.asarray(x)[:, 6:-6, 6:-6] for x in (encoder(photos), teacher.load(vgg).encode(photos, 2)[0][2]))
    assert np.sqrt(np.square(np.asarray(encoder(photos))).mean()) == pytest.approx(weights.FEATURE_RMS, rel=1e-4)
    scale = (ours * theirs).sum() / np.square(theirs).sum()
    assert np.abs(ours - scale * theirs).max() < 1e-3 * np.abs(ours).max()


def test_weights_that_do_not_reach_so_far_say_how_far_they_reach(vgg, rng):
    with pytest.raises(InputError, match=r"no weights of conv4_1; --feature relu3_1 is as deep as they reach"):
        weights.pretrained_encoder(vgg, "relu4_1", rng.random((1, 32, 32, 3)))


def test_keras_weights_are_found_under_their_own_names(monkeypatch):
    vgg = keras.applications.VGG19(include_top=False, weights=None)
    monkeypatch.setattr(keras.applications, "VGG19", lambda include_top, weights: vgg)
    arrays = weights.imagenet()
    np.testing.assert_array_equal(arrays["conv3_4/kernel"], np.asarray(vgg.get_layer("block3_conv4").kernel))
    np.testing.assert_allclose(np.array([[1, 0.5, 0]]) @ arrays["preprocess/kernel"][0, 0], [[0, 127.5, 255]])


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 0), (np.float16, 1e-3)])
def test_a_network_is_kept_in_a_file(small, tmp_path, rng, dtype, tolerance):
    weights.save(small, tmp_path / "network.npz", dtype)
    again = weights.load(tmp_path / "network.npz")
    assert (again.feature, again.bottleneck) == ("relu3_1", 8)
    content, style = rng.random((2, 16, 16, 3), np.float32)
    np.testing.assert_allclose(again.stylize(content, style), small.stylize(content, style), atol=tolerance)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("decoder/conv2_1/bias"), "decoder/conv2_1/bias is missing"),
        (lambda arrays: arrays.update({"decoder/conv2_1/bias": np.full(64, np.nan)}), "not finite"),
        (lambda arrays: arrays.update({"encoder/conv1_1/bias": np.zeros(5)}), "shape"),
        (lambda arrays: arrays.pop("encoder/conv3_1/bias"), "how many channels"),
        (lambda arrays: arrays.update({"encoder/conv1_1/bias": np.array(["a"] * 64)}), "other than numbers"),
        (lambda arrays: arrays.update(kind="look"), "of kind 'look'"),
    ],
)
def test_a_damaged_file_is_refused_in_one_sentence(small, tmp_path, change, message):
    path = tmp_path / "network.npz"
    weights.save(small, path)
    with np.load(path) as file:
        arrays = dict(file)
    change(arrays)
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=message):
        weights.load(path)


def test_a_decoder_mirrors_its_encoder():
    network = Network("relu4_1")
    widths = [(layer.kernel.shape[2], layer.kernel.shape[3]) for layer in convolutions(network.decoder)]
    assert widths[:2] == [(512, 256), (256, 256)]
    assert widths == [
        (b, a) for a, b in reversed([(c.kernel.shape[2], c.kernel.shape[3]) for c in convolutions(network.encoder)])
    ]
