"""Which convolutions share channels, read from Keras graphs that are no autoencoder of this project's."""

import itertools

import keras
import pytest

from common.pruning.axes import Axis, ChannelGraph, Fold, image_parts


def relu(width, name, x):
    return keras.layers.Conv2D(width, 3, padding="same", activation="relu", name=name)(x)


@pytest.fixture
def encoder():
    """VGG-like: image to a feature of 6 channels, a fourth of its size."""
    image = keras.Input((None, None, 3))
    x = keras.layers.MaxPooling2D(2)(relu(4, "conv1", image))
    x = keras.layers.MaxPooling2D(2)(relu(5, "conv2", x))
    return keras.Model(image, relu(6, "conv3", x), name="encoder")


@pytest.fixture
def decoder():
    """Its mirror, without skips."""
    feature = keras.Input((None, None, 6))
    x = keras.layers.UpSampling2D(2)(relu(5, "conv1", feature))
    x = keras.layers.UpSampling2D(2)(relu(4, "conv2", x))
    return keras.Model(feature, keras.layers.Conv2D(3, 3, padding="same", name="conv3")(x), name="decoder")


def test_plain_models_have_an_axis_for_every_tensor_but_the_images(encoder, decoder):
    graph = ChannelGraph()
    feature = graph.walk(encoder, [image_parts()], level=0)
    image = graph.walk(decoder, [feature], level=0)
    graph.join(image, image_parts())
    chain = ["encoder conv1", "encoder conv2", "encoder conv3", "decoder conv1", "decoder conv2", "decoder conv3"]
    assert graph.axes() == [
        Axis(0, [writer], {reader: 0}, [Fold((writer,), [reader])]) for writer, reader in itertools.pairwise(chain)
    ]


def test_what_is_added_stands_or_falls_together():
    image = keras.Input((None, None, 3))
    first = relu(4, "first", image)
    added = keras.layers.Add()([first, relu(4, "second", first)])
    graph = ChannelGraph()
    graph.walk(keras.Model(image, relu(2, "last", added), name="block"), [image_parts()], level=1)
    shared, last = graph.axes()
    assert shared.writers == ["block first", "block second"]
    assert shared.readers == {"block second": 0, "block last": 0}
    assert shared.folds == [
        Fold(("block first",), ["block second"]),
        Fold(("block first", "block second"), ["block last"]),
    ]
    assert last == Axis(1, ["block last"], {}, [])


def test_of_what_is_concatenated_each_part_has_its_place():
    image = keras.Input((None, None, 3))
    both = keras.layers.Concatenate()([relu(4, "first", image), relu(5, "second", image)])
    graph = ChannelGraph()
    graph.walk(keras.Model(image, relu(2, "last", both), name="block"), [image_parts()], level=0)
    assert [axis.readers for axis in graph.axes()] == [{"block last": 0}, {"block last": 4}, {}]


def test_a_depthwise_convolution_writes_along_the_axis_that_it_reads():
    image = keras.Input((None, None, 3))
    x = keras.layers.DepthwiseConv2D(3, name="depthwise")(relu(4, "first", image))
    graph = ChannelGraph()
    graph.walk(keras.Model(image, relu(2, "last", x), name="block"), [image_parts()], level=0)
    assert graph.axes()[0].writers == ["block first", "block depthwise"]
    assert graph.axes()[0].folds == [Fold(("block depthwise",), ["block last"])]


@pytest.mark.parametrize("layer", [keras.layers.LayerNormalization, keras.layers.Flatten, lambda: keras.layers.Dense(3)])
def test_a_layer_whose_channels_cannot_be_followed_is_refused(layer):
    image = keras.Input((8, 8, 3))
    layer = layer()
    block = keras.Model(image, layer(relu(4, "first", image)), name="block")
    with pytest.raises(ValueError, match=f"block {layer.name} is of a kind, {type(layer).__name__}, whose channels cannot"):
        ChannelGraph().walk(block, [image_parts()], level=0)
