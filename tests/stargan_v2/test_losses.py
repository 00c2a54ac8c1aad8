"""The losses of StarGAN v2 and of its distillation: by hand, by NumPy, by finite differences."""

import numpy as np
import pytest
from keras import ops

from common.distillation.kernels_and_wavelets import details, gka, haar, wavelet_alignments, wavelet_distance
from stargan_v2 import losses
from stargan_v2.gradients import input_gradients


def features(rng, channels, size=8, count=4):
    return rng.normal(size=(count, size, size, channels)).astype(np.float32)


# --- StarGAN v2 ----------------------------------------------------------------------------------------------------------


def test_cross_entropy_of_logits_is_that_of_probabilities(rng):
    logits = rng.normal(size=(5, 1)).astype(np.float32)
    probabilities = 1 / (1 + np.exp(-logits))
    assert float(losses.adversarial(logits, real=True)) == pytest.approx(-np.log(probabilities).mean(), rel=1e-5)
    assert float(losses.adversarial(logits, real=False)) == pytest.approx(-np.log(1 - probabilities).mean(), rel=1e-5)


def test_the_penalty_is_half_the_squared_gradient_by_finite_differences(rng):
    images = rng.normal(size=(2, 2, 2, 3)).astype(np.float32)

    def logits_of(x):
        return ops.sum(ops.sin(x) * ops.roll(x, 1, axis=1), axis=(1, 2, 3))

    step, squares = 1e-2, np.zeros(2)
    for place in np.ndindex(2, 2, 3):
        moved = np.zeros_like(images)
        moved[(slice(None), *place)] = step
        difference = np.asarray(logits_of(images + moved)) - np.asarray(logits_of(images - moved))
        squares += (difference / (2 * step)) ** 2
    assert float(losses.gradient_penalty(logits_of, images)) == pytest.approx(squares.mean() / 2, rel=1e-3)


def test_the_gradient_in_the_input_can_be_differentiated_again():
    x = ops.convert_to_tensor([[2.0, 3.0]])
    second = input_gradients(lambda x: input_gradients(lambda y: y**3, x), x)
    np.testing.assert_allclose(second, [[12, 18]])


def test_styles_and_cycles_are_mean_absolute_errors_and_diversity_is_minus_one():
    ones, thirds = np.ones((2, 4, 4, 3), np.float32), np.full((2, 4, 4, 3), 1 / 3, np.float32)
    assert float(losses.style_reconstruction(ones[:, 0, 0], thirds[:, 0, 0])) == pytest.approx(2 / 3)
    assert float(losses.cycle(ones, thirds)) == pytest.approx(2 / 3)
    assert float(losses.diversity(ones, thirds)) == pytest.approx(-2 / 3)


# --- discriminator's features --------------------------------------------------------------------------------------------


def test_the_perceptual_loss_squares_the_distance_of_each_image():
    feature, taught = np.zeros((2, 2, 2, 4), np.float32), np.ones((2, 2, 2, 4), np.float32)
    taught[1] = 3
    assert float(losses.perceptual(feature, taught)) == pytest.approx((1 + 9) / 2)


@pytest.mark.parametrize(("near", "far", "loss"), [(1, 2, 0), (1.5, 2, 0), (1.8, 2, 0.3), (2, 2, 0.5), (2, 1, 1.5)])
def test_the_triplet_loss_ends_where_the_teacher_is_a_quarter_nearer(near, far, loss):
    anchor = np.zeros((3, 2, 2, 4), np.float32)
    assert float(losses.triplet(anchor, anchor + near, anchor - far)) == pytest.approx(loss, abs=1e-6)


# --- kernel alignment ----------------------------------------------------------------------------------------------------


def test_a_feature_is_aligned_with_itself_rotated_and_scaled(rng):
    x = features(rng, 6)
    rotation = np.linalg.qr(rng.normal(size=(6, 6)))[0].astype(np.float32)
    assert float(gka(x, x)) == pytest.approx(1, abs=1e-5)
    assert float(gka(x, 3 * x @ rotation)) == pytest.approx(1, abs=1e-5)


def test_alignment_is_that_of_the_kernels_of_pixels(rng):
    x, y = features(rng, 3, size=4), features(rng, 5, size=4) + 0.5
    a, b = x.reshape(-1, 3), y.reshape(-1, 5)
    kernels = a @ a.T, b @ b.T
    expected = np.sum(kernels[0] * kernels[1]) / np.prod([np.linalg.norm(kernel) for kernel in kernels])
    assert float(gka(x, y)) == pytest.approx(expected, rel=1e-4)


def test_independent_noise_is_hardly_aligned(rng):
    assert float(gka(features(rng, 4, size=16), features(rng, 7, size=16))) < 0.02


def test_the_alignment_of_zeros_is_zero_and_has_a_gradient(rng):
    x, zeros = features(rng, 4), np.zeros((4, 8, 8, 3), np.float32)
    assert float(gka(x, zeros)) == 0
    assert np.isfinite(input_gradients(lambda y: gka(x, y), ops.convert_to_tensor(zeros))).all()


def test_alignment_of_large_features_is_finite(rng):
    x = 1e4 * features(rng, 4, size=32)
    assert float(gka(x, x)) == pytest.approx(1, abs=1e-4)


def test_alignment_and_adapters_are_summed_over_blocks(rng):
    blocks = [features(rng, 4), features(rng, 6)]
    assert float(losses.alignment(blocks, blocks)) == pytest.approx(-2, abs=1e-4)
    assert float(losses.adapted(blocks, [block + 2 for block in blocks])) == pytest.approx(8, rel=1e-5)


# --- wavelets ------------------------------------------------------------------------------------------------------------


def test_haar_of_one_cell():
    low, bands = haar(np.float32([[1, 2], [3, 6]]).reshape(1, 2, 2, 1))
    assert np.asarray(low).item() == 6
    assert [np.asarray(band).item() for band in bands] == [-3, -2, 1]


def test_haar_keeps_energy(rng):
    x = features(rng, 2, size=8)
    low, bands = haar(x)
    energy = sum(np.square(band).sum() for band in [low, *bands])
    assert energy == pytest.approx(np.square(x).sum(), rel=1e-5)


def test_an_odd_side_is_made_even_by_zeros(rng):
    x = features(rng, 1, size=7)
    for band, padded in zip(details(x, 1), details(np.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0))), 1), strict=True):
        np.testing.assert_allclose(band, padded)


def test_details_are_of_three_levels_each_half_as_large(rng):
    assert [tuple(bands.shape) for bands in details(features(rng, 2, size=16))] == [
        (4, 24, 8, 2),
        (4, 12, 4, 2),
        (4, 6, 2, 2),
    ]
    assert len(details(features(rng, 2, size=4))) == 2


def test_constants_have_no_detail_so_brightness_is_no_distance(rng):
    x = features(rng, 3, size=16)
    assert all(np.abs(bands).max() == 0 for bands in details(np.full((1, 16, 16, 3), 0.7, np.float32)))
    assert float(wavelet_distance(x, x + 0.5)) == pytest.approx(0, abs=1e-5)
    assert float(wavelet_distance(x, 2 * x)) == pytest.approx(sum(np.abs(bands).mean() for bands in details(x)), rel=1e-5)


def test_details_of_features_are_aligned_where_they_are_large_enough(rng):
    x = features(rng, 4, size=32)
    np.testing.assert_allclose(wavelet_alignments(x, 2 * x + 5), [1, 1], atol=1e-3)  # bands of 16 and 8 pixels, not 4
    assert float(losses.feature_wavelet([x, x[:, :8, :8]], [x, x[:, :8, :8]])) == pytest.approx(-2, abs=1e-3)
    assert float(losses.feature_wavelet([x[:, :8, :8]], [x[:, :8, :8]])) == 0
