"""Training pairs, the loss, the files of a predictor, and the command that trains one."""

import json

import numpy as np
import pytest
from keras import ops

from common.commands import train_grade
from common.errors import InputError
from common.grading import descriptor, grades, lut, packing, pairs, predictor, training
from common.grading.runtime import DEFAULT, GradePredictor


@pytest.fixture
def small_photos(photos):
    return pairs.small_photos(sorted(photos.iterdir()))


def identities(count):
    return np.stack([lut.identity(predictor.NODES)] * count)


# --- pairs ---------------------------------------------------------------------------------------------------------------


def test_a_batch_depends_on_seed_and_step_alone(small_photos):
    straight = pairs.batches(small_photos, 2, seed=3)
    next(straight)
    (second,), (again,) = next(straight), next(pairs.batches(small_photos, 2, seed=3, first_step=1))
    for name in second:
        np.testing.assert_array_equal(second[name], again[name])


def test_styles_are_the_other_crop_and_one_of_another_photo(small_photos, rng):
    styles = pairs.batch(small_photos, 3, rng)["styles"]
    np.testing.assert_array_equal(styles[:, 0], [1, 0, 3, 2, 5, 4])
    assert (styles[:, 1] // 2 != np.arange(6) // 2).all()


def test_with_one_grade_for_all_the_pixels_are_their_own_answers(small_photos, rng):
    grade = grades.training_grade(rng)
    batch = pairs.batch(small_photos, 3, rng, draw=lambda random: grade)
    for style in range(2):
        np.testing.assert_allclose(batch["answers"][:, style], batch["pixels"], atol=1e-6)


def test_one_photo_is_not_enough(photos):
    with pytest.raises(InputError, match="pairs need two"):
        pairs.small_photos(sorted(photos.iterdir())[:1])


# --- loss ----------------------------------------------------------------------------------------------------------------


def test_a_lut_that_does_nothing_is_smooth_and_rises():
    assert float(training.roughness(identities(2))) == pytest.approx(0, abs=1e-9)
    assert float(training.falling(identities(2))) == 0
    assert float(training.falling(identities(2)[:, ::-1, ::-1, ::-1])) > 1


def test_the_loss_is_small_for_the_right_answer(small_photos, rng):
    trainer = training.GradeTrainer(*training.build())
    batch = pairs.batch(small_photos, 3, rng)
    right = batch | {"answers": np.stack([batch["pixels"]] * 2, axis=1)}
    assert float(trainer.compute_loss(x=right, y_pred=ops.convert_to_tensor(identities(12)))) < 0.1
    assert float(trainer.compute_loss(x=batch, y_pred=ops.convert_to_tensor(identities(12)))) > 1


def test_an_untrained_predictor_gives_the_identity_for_a_photo_and_itself(small_photos, rng):
    encoder, mapper = training.build()
    batch = pairs.batch(small_photos, 3, rng)
    read = np.concatenate([batch["statistics"], encoder(batch["copies"])], axis=1)
    same = ops.convert_to_numpy(mapper([read, read, batch["transports"][:, 0]]))
    np.testing.assert_allclose(same, identities(6), atol=1e-4)


# --- files ---------------------------------------------------------------------------------------------------------------


def test_onnx_and_keras_agree_on_what_is_shipped(rng):
    encoder, mapper = packing.read_keras(DEFAULT.with_name(train_grade.WEIGHTS))
    shipped = GradePredictor.load()
    content, style = rng.integers(0, 256, (2, 64, 64, 3), np.uint8)
    descriptors = [shipped.describe(photo) for photo in (content, style)]
    seen = ops.convert_to_numpy(encoder(content[None].astype(np.float32) / 255))[0]
    np.testing.assert_allclose(descriptors[0][: predictor.READ][-predictor.SEEN :], seen, atol=1e-4)
    transport = descriptor.transport(*(vector[None, predictor.READ :] for vector in descriptors))
    expected = ops.convert_to_numpy(mapper([*(vector[None, : predictor.READ] for vector in descriptors), transport]))[0]
    np.testing.assert_allclose(shipped.predicted(*descriptors), expected, atol=1e-3)


def test_rounded_weights_are_kept_as_they_are(tmp_path, rng):
    encoder, mapper = training.build()
    packing.round_weights(encoder, mapper)
    packing.write_keras(encoder, mapper, tmp_path / "a.npz")
    for model, read in zip((encoder, mapper), packing.read_keras(tmp_path / "a.npz"), strict=True):
        for weight, same in zip(model.weights, read.weights, strict=True):
            np.testing.assert_allclose(weight, same, rtol=1e-5, atol=1e-8)


def test_rounding_errs_by_half_a_step_at_most(rng):
    matrix = rng.normal(0, 1, (50, 40)).astype(np.float32)
    whole, scales = packing.rounded(matrix)
    assert whole.dtype == np.int8
    assert np.abs(whole * scales - matrix).max() <= 0.501 * np.abs(matrix).max() / 127


def test_a_file_of_other_weights_is_an_input_error(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(3))
    (tmp_path / "b.npz").write_bytes(b"nothing")
    for name in ("a.npz", "b.npz", "none.npz"):
        with pytest.raises(InputError, match=name):
            packing.read_keras(tmp_path / name)


def test_weights_that_are_not_finite_are_refused(tmp_path):
    encoder, mapper = training.build()
    encoder.weights[1].assign(np.full(encoder.weights[1].shape, np.nan))  # a bias, which is not rounded
    packing.write_keras(encoder, mapper, tmp_path / "a.npz")
    with pytest.raises(InputError, match=r"a\.npz does not hold the weights"):
        packing.read_keras(tmp_path / "a.npz")


def test_what_is_shipped_is_small_and_has_a_record():
    files = list(DEFAULT.parent.iterdir())
    assert sum(path.stat().st_size for path in files) < 1.1e6
    record = json.loads(DEFAULT.with_name(train_grade.RECORD).read_text())
    assert {"command", "photos_sha256", "steps", "seed", "versions", "figures"} <= set(record)


# --- the command ---------------------------------------------------------------------------------------------------------


def command(photos, run, steps=2, seed=0):
    options = {"--dataset": photos, "--save-to": run, "--steps": steps, "--interval": 1, "--batch-size": 2, "--seed": seed}
    return train_grade.main([str(word) for pair in options.items() for word in pair] + ["--random-bases"])


def test_a_run_made_from_something_else_is_left_alone(photos, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(training, "train", lambda *arguments: None)
    monkeypatch.setattr(packing, "write_onnx", lambda *arguments: None)
    assert command(photos, tmp_path) == 0
    assert command(photos, tmp_path) == 0
    assert command(photos, tmp_path, seed=1) == 1
    assert "a run made from other seed" in capsys.readouterr().err
    (photos / "0.png").write_bytes((photos / "1.png").read_bytes())
    assert command(photos, tmp_path) == 1
    assert "photos sha256" in capsys.readouterr().err


def test_a_run_whose_origin_is_damaged_is_left_alone(photos, tmp_path, capsys):
    for text in ("{", "[]", "7"):
        (tmp_path / train_grade.RUN).write_text(text)
        assert command(photos, tmp_path) == 1
        assert "run.json is damaged" in capsys.readouterr().err


def test_a_run_can_go_on_from_weights(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "train", lambda encoder, mapper, course: started.append((encoder, course.trained)))
    monkeypatch.setattr(packing, "write_onnx", lambda *arguments: None)
    started, shipped = [], DEFAULT.with_name(train_grade.WEIGHTS)
    arguments = ["--dataset", str(photos), "--save-to", str(tmp_path), "--start", str(shipped)]
    assert train_grade.main(arguments) == 0
    ((encoder, trained),) = started
    assert trained
    np.testing.assert_allclose(encoder.weights[0], packing.read_keras(shipped)[0].weights[0], rtol=1e-5)


@pytest.mark.parametrize("steps", [0, 7])
def test_wrong_numbers_are_answered_at_once(photos, tmp_path, steps):
    arguments = ["--dataset", str(photos), "--save-to", str(tmp_path), "--steps", str(steps), "--interval", "5"]
    if steps:
        assert train_grade.main(arguments) == 1
    else:
        with pytest.raises(SystemExit):
            train_grade.main(arguments)


@pytest.mark.slow
def test_a_run_that_was_cut_short_ends_as_if_it_had_not_been(photos, tmp_path, monkeypatch, without_xla):
    assert command(photos, tmp_path / "whole") == 0

    class CutError(Exception):
        """The machine stops."""

    end_of_epoch = training.Backup.on_epoch_end

    def cut(self, epoch, logs=None):
        end_of_epoch(self, epoch, logs)
        raise CutError

    monkeypatch.setattr(training.Backup, "on_epoch_end", cut)
    with pytest.raises(CutError):
        command(photos, tmp_path / "cut")
    monkeypatch.setattr(training.Backup, "on_epoch_end", end_of_epoch)
    assert command(photos, tmp_path / "cut") == 0
    whole, resumed = (packing.read_keras(tmp_path / name / train_grade.WEIGHTS) for name in ("whole", "cut"))
    for model, same in zip(whole, resumed, strict=True):
        for weight, other in zip(model.weights, same.weights, strict=True):
            np.testing.assert_allclose(weight, other, atol=1e-4)
    record = json.loads((tmp_path / "cut" / train_grade.RECORD).read_text())
    assert record["steps"] == 2
    GradePredictor.load(tmp_path / "cut" / train_grade.ONNX)
