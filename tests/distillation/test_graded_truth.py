"""The transfer and the look in Keras are those of `common.transfer`, and their error can be trained on."""

import cv2
import keras
import numpy as np
import pytest
from keras import ops

from common.distillation import graded_pairs, graded_truth
from common.distillation.losses import weighted
from common.distillation.trainer import BlockwiseTrainer
from common.grading import grades
from common.photos import photo_paths
from common.transfer.look import Look
from common.transfer.network_pass import NetworkPass
from common.transfer.transforms import affine_map, statistics, transferring
from mobilenet_backbone import student as mobilenet
from tests.toys import write_photos


@pytest.fixture
def crops(rng):
    """Two smooth photos."""
    noise = rng.random((2, 64, 96, 3), np.float32)
    smooth = np.stack([cv2.GaussianBlur(photo, None, 3) for photo in noise])
    return (smooth - smooth.min()) / (smooth.max() - smooth.min())


@pytest.fixture
def student():
    keras.utils.set_random_seed(0)
    return mobilenet.build(mobilenet.widths_of((4, 5)))


# --- pairs ---------------------------------------------------------------------------------------------------------------


def test_every_other_pair_overlaps(crops, monkeypatch):
    monkeypatch.setattr(grades, "measured_grade", lambda random: [])
    contents, styles, answers = np.split(graded_pairs.graded_pairs(crops, None), 3)
    assert contents.shape == (2, 64, 64, 3)  # 72 pixels wide, as a multiple of 16
    np.testing.assert_array_equal(contents, crops[:, :, :64])
    np.testing.assert_array_equal(answers, contents)
    np.testing.assert_array_equal(styles, crops[[0, 0], :, -64:])


def test_the_answer_is_the_content_in_the_grade_of_the_style(crops, rng, monkeypatch):
    stops = iter([-1.0, -0.5, 0.5, 0.25])  # of contents, then of styles
    monkeypatch.setattr(grades, "measured_grade", lambda random: [["exposure", {"stops": next(stops)}]])
    contents, styles, answers = np.split(graded_pairs.graded_pairs(crops, rng), 3)
    for images, lights in ((contents, (-1, -0.5)), (styles, (0.5, 0.25)), (answers, (0.5, 0.25))):
        part = crops[[0, 0], :, -64:] if images is styles else crops[:, :, :64]
        for image, photo, light in zip(images, part, lights, strict=True):
            np.testing.assert_array_equal(image, grades.apply([["exposure", {"stops": light}]], photo))


def test_a_batch_depends_on_the_seed_and_its_step_alone(tmp_path):
    photos = photo_paths(write_photos(tmp_path / "photos"))
    batches = graded_pairs.graded_crops(photos, 2, 32, seed=3)
    later = [next(batches)[0] for _ in range(3)][-1]
    np.testing.assert_array_equal(next(graded_pairs.graded_crops(photos, 2, 32, 3, first_step=2))[0], later)
    watched = graded_pairs.GradedCentreCrops(photos, 3, 64)
    assert watched[0][0].shape == (9, 64, 48, 3)
    np.testing.assert_array_equal(watched[0][0], watched[0][0])


# --- transfer and look ---------------------------------------------------------------------------------------------------


def test_the_root_is_one_and_so_is_its_gradient(rng):
    matrix, other, weight = rng.normal(size=(3, 4, 4))
    matrix, direction = matrix @ matrix.T + np.eye(4), other + other.T
    variable = keras.Variable(matrix[None])

    def value(step=0.0):
        root = graded_truth.square_root(ops.cast(variable + step * direction, "float32"))
        return ops.sum(weight.astype(np.float32) * root), root

    root = value()[1][0]
    np.testing.assert_allclose(root @ ops.transpose(root), matrix, atol=1e-5)
    gradient = gradient_of(lambda x: value(x)[0])
    assert gradient == pytest.approx(float(value(0.01)[0] - value(-0.01)[0]) / 0.02, rel=1e-2)


def gradient_of(function):
    """The derivative of a function of a number, at 0."""
    import tensorflow as tf

    step = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        result = function(step)
    return float(tape.gradient(result, step))


def test_features_are_whitened_and_coloured(rng):
    content, style = rng.normal(2, 3, size=(2, 2, 9, 11, 5)).astype(np.float32)
    ours = graded_truth.whitened_and_coloured(content, style)
    for result, one, other in zip(ours, content, style, strict=True):
        np.testing.assert_allclose(result, affine_map(statistics(one), statistics(other))(one), atol=1e-4)


def test_images_are_transferred_as_elsewhere(student, crops):
    contents, styles = crops[:, :, :48], crops[:, :, 48:]
    features, style_features = student.encode(contents)[0], student.encode(styles)[0]
    ours = graded_truth.transferred(student, contents, features, style_features)
    for index, result in enumerate(ours):
        measured = [statistics(np.asarray(x[index])) for x in style_features]
        network_pass = NetworkPass(student, None, "pad")
        theirs = network_pass.restyle(contents[index], 1.0, lambda share, style=measured: transferring(style))
        np.testing.assert_allclose(result, theirs, atol=1e-4)


@pytest.mark.parametrize("cells", [8, 12])
def test_the_look_is_the_same(crops, cells):
    results = np.clip(crops[..., ::-1] ** 1.5 + 0.2 * crops[:, ::-1], 0, 1)
    ours = graded_truth.through_look(crops, results, cells)
    theirs = [Look.fit(*pair, cells=cells).recolour(pair[0]) for pair in zip(crops, results, strict=True)]
    np.testing.assert_allclose(ours, np.stack(theirs), atol=1e-3)


# --- loss ----------------------------------------------------------------------------------------------------------------


def test_a_student_learns_to_come_nearer_to_the_answers(student, crops):
    losses = weighted({"truth": 1.0}, graded_truth.LOSSES)
    trainer = BlockwiseTrainer(student, (0, 1), losses, student, student.eigenbases or [np.eye(4), np.eye(5)])
    assert [mean.name for mean in trainer.means] == ["psnr_0", "truth_1", "psnr_1"]
    trainer.compile(keras.optimizers.Adam(1e-3))
    images = graded_pairs.graded_pairs(crops, np.random.default_rng(0))
    history = trainer.fit(images, batch_size=len(images), shuffle=False, epochs=40, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]
