"""The networks: sizes, shapes, skips."""

import numpy as np
import pytest
import tensorflow as tf

from common.network.autoencoder import crop_or_pad, high_frequencies
from mobilenet_backbone import student as mobilenet
from vgg_backbone import student as vgg

STUDENTS = {"vgg": vgg, "mobilenet": mobilenet}


@pytest.fixture(scope="module", params=STUDENTS)
def student(request):
    return STUDENTS[request.param].build()


def count(blocks, kind="trainable_variables"):
    return sum(int(np.prod(variable.shape)) for block in blocks for variable in getattr(block, kind))


@pytest.mark.parametrize(
    ("name", "encoder", "decoder", "frozen"), [("vgg", 141_602, 141_622, 12), ("mobilenet", 9_767, 42_975, 0)]
)
def test_parameters_are_as_many_as_published(name, encoder, decoder, frozen):
    model = STUDENTS[name].build()
    assert count(model.encoder_blocks) == encoder
    assert count(model.decoder_blocks) == decoder
    assert count([model], "non_trainable_variables") == frozen


def test_features_have_the_strides_and_widths_of_their_level(student, rng):
    features, skips = student.encode(rng.random((2, 32, 48, 3), np.float32))
    inputs = [3, *student.widths.features]
    for level, (feature, skip) in enumerate(zip(features, skips, strict=True)):
        stride = student.backbone.strides[level]
        assert feature.shape == (2, 32 // stride, 48 // stride, student.widths.features[level])
        assert skip.shape[-1] == inputs[level]


@pytest.mark.parametrize("level", range(4))
def test_reconstruction_has_the_size_of_the_images(student, rng, level):
    images = rng.random((1, 32, 48, 3), np.float32)
    assert student.reconstruct(images, level).shape == images.shape


def test_a_batch_of_several_gives_the_numbers_of_batches_of_one(student, rng):
    images = rng.random((3, 32, 32, 3), np.float32)
    together = student.reconstruct(images)
    for index in range(3):
        np.testing.assert_allclose(together[index], student.reconstruct(images[index : index + 1])[0], atol=1e-4)


def test_images_of_any_size_are_encoded_and_decoded(student, rng):
    features, skips = student.encode(rng.random((1, 37, 45, 3), np.float32))
    x = features[-1]
    for level in (3, 2, 1, 0):
        x = student.decode(level, x, skips[level])
    assert x.shape[-1] == 3


def test_a_network_that_ends_early_says_so(rng):
    widths = vgg.WIDTHS._replace(encoder=vgg.WIDTHS.encoder[:3], decoder=())
    model = vgg.build(widths)
    with pytest.raises(ValueError, match="no encoder block for level 3"):
        model.encode(rng.random((1, 32, 32, 3), np.float32), level=3)
    with pytest.raises(ValueError, match="no decoder block for level 0"):
        model.decode(0, np.zeros((1, 32, 32, 10)), np.zeros((1, 32, 32, 3)))


def test_high_frequencies_are_what_a_symmetric_box_mean_leaves(rng):
    x = rng.random((1, 5, 7, 2), np.float32)
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
    mean = sum(padded[:, i : i + 5, j : j + 7] for i in range(3) for j in range(3)) / 9
    np.testing.assert_allclose(high_frequencies(x), x - mean, atol=1e-6)


@pytest.mark.parametrize("size", [(5, 8), (6, 7), (3, 11), (8, 2)])
def test_crop_or_pad_centres_as_tensorflow_does(rng, size):
    x = rng.random((1, 5, 8, 2), np.float32)
    np.testing.assert_array_equal(crop_or_pad(x, *size), tf.image.resize_with_crop_or_pad(x, *size))
