import csv
import json

import keras
import numpy as np
import pytest
from keras import ops
from PIL import Image

from common.commands import train_teacher
from common.distillation.callbacks import Curves
from common.distillation.least_squares import start_decoder_block
from common.distillation.losses import weighted
from common.distillation.stages import Course, Stage, train
from common.distillation.trainer import BlockwiseTrainer
from common.distillation.whitening import WhitenedConv2D, give_weights, whiten, whitenable
from common.errors import InputError
from common.network import checkpoints
from common.network.backbone import Widths
from common.photos.crops import CentreCrops, random_crops
from mobilenet_backbone import teacher as mobilenet_teacher
from mobilenet_backbone.student import build as mobilenet
from tests.toys import random_mobilenet
from vgg_backbone.student import build as vgg

STUDENT = Widths(encoder=((4,), (4, 6, 6)), decoder=((3,), (4, 4)))
TEACHER = Widths(encoder=((8,), (8, 12, 12)), decoder=((3,), (8, 8)))
NARROW_VGG = Widths(encoder=((4,), (4, 6)), decoder=((3,), (4, 4)))
ALL = {"distill": 1.0, "reconstruction": 1.0, "feature": 1.0, "perceptual": 1.0}
DECODER = {name: weight for name, weight in ALL.items() if name != "distill"}


@pytest.fixture
def course(tmp_path, photos):
    (tmp_path / "run").mkdir()
    return Course(tmp_path / "run", sorted(photos.iterdir()), [], batch_size=2, crop=32, interval=4)


@pytest.fixture
def seeded():
    keras.utils.set_random_seed(0)


def stage(steps, level=0, losses=ALL, **options):
    return Stage(f"block_{level}", (level,), steps, 1e-3, weighted(losses), **{"decay": False} | options)


def weights(model):
    return [array for block in model.encoder_blocks + model.decoder_blocks for array in block.get_weights()]


def copy_weights(source, target):
    for part in ("encoder_blocks", "decoder_blocks"):
        for theirs, ours in zip(getattr(source, part), getattr(target, part), strict=True):
            ours.set_weights(theirs.get_weights())


def first_batch(course, level=0):
    return next(random_crops(course.photos, course.batch_size, course.crop, course.seed, level))[0]


# --- crops ---------------------------------------------------------------------------------------------------------------


def test_crops_are_those_of_their_step_wherever_a_run_begins(course):
    crops = random_crops(course.photos, 2, 32, seed=5)
    third = [next(crops)[0] for _ in range(3)][2]
    np.testing.assert_array_equal(next(random_crops(course.photos, 2, 32, seed=5, first_step=2))[0], third)
    assert third.shape == (2, 32, 32, 3)
    assert third.dtype == np.float32
    assert 0 <= third.min() < third.max() <= 1


def test_a_photo_smaller_than_the_crop_is_enlarged(course):
    crop = next(random_crops(course.photos, 1, 96, seed=0))[0]
    assert crop.shape == (1, 96, 96, 3)


def test_centre_crops_are_read_in_batches(course):
    batches = [batch for (batch,) in CentreCrops(course.photos, batch_size=2, size=64)]
    assert [batch.shape for batch in batches] == [(2, 64, 64, 3), (1, 64, 64, 3)]
    with Image.open(course.photos[2]) as image:
        np.testing.assert_allclose(batches[1][0], np.asarray(image)[4:68, 8:72] / np.float32(255), atol=1e-6)


# --- losses --------------------------------------------------------------------------------------------------------------


def test_the_loss_is_the_papers_sum(seeded, rng):
    student, teacher = mobilenet(STUDENT), mobilenet(TEACHER)
    bases = [rng.random((8, 4), np.float32), rng.random((12, 6), np.float32)]
    images = rng.random((2, 32, 32, 3), np.float32)
    trainer = BlockwiseTrainer(student, (1,), weighted(ALL), teacher, bases)
    trainer.compile("sgd")
    loss = trainer.compute_loss(images, y_pred=trainer(images))

    features, skips = student.encode(images)
    taught, _ = teacher.encode(images)
    decoded = student.decode(1, features[1], skips[1])
    image = student.decode(0, decoded, skips[0])
    s, f = (np.asarray(x) - np.mean(x, axis=(1, 2), keepdims=True) for x in (features[1], taught[1]))
    expected = {
        "distill_1": np.mean((s @ bases[1].T - f) ** 2),
        "reconstruction_1": np.mean((images - image) ** 2),
        "feature_1": np.mean((features[0] - decoded) ** 2),
        "perceptual_1": np.mean((taught[1] - teacher.encode(image)[0][1]) ** 2),
    }
    assert float(loss) == pytest.approx(sum(map(float, expected.values())), rel=1e-5)
    shown = {mean.name: float(mean.result()) for mean in trainer.means}
    assert shown.pop("psnr_1") == pytest.approx(
        np.mean(-10 * np.log10(np.mean((images - np.clip(image, 0, 1)) ** 2, axis=(1, 2, 3)))), rel=1e-5
    )
    assert shown == pytest.approx(expected, rel=1e-5)


def test_each_level_weighs_what_it_is_given(seeded, rng):
    model = mobilenet(STUDENT)
    images = rng.random((2, 32, 32, 3), np.float32)
    trainer = BlockwiseTrainer(model, (0, 1), weighted({"reconstruction": 10}), model, level_weights=(0.5, 3))
    trainer.compile("sgd")
    loss = trainer.compute_loss(images, y_pred=trainer(images))
    errors = [np.mean((images - model.reconstruct(images, level)) ** 2) for level in (0, 1)]
    assert float(loss) == pytest.approx(5 * errors[0] + 30 * errors[1], rel=1e-5)


def test_terms_can_be_left_out(seeded, rng):
    model = mobilenet(STUDENT)
    trainer = BlockwiseTrainer(model, (0, 1), weighted({"reconstruction": 1, "feature": 0}), model)
    assert [mean.name for mean in trainer.means] == ["reconstruction_0", "psnr_0", "reconstruction_1", "psnr_1"]


@pytest.mark.parametrize(("build", "widths"), [(mobilenet, STUDENT), (vgg, NARROW_VGG)])
def test_only_the_pair_in_turn_is_trained(seeded, course, rng, build, widths):
    teacher_widths = TEACHER if build is mobilenet else Widths(((8,), (8, 12)), ())
    student, teacher = build(widths), build(teacher_widths)
    bases = [rng.random((8, 4), np.float32), rng.random((12, 6), np.float32)]
    before = [block.get_weights() for block in student.encoder_blocks + student.decoder_blocks]
    taught = weights(teacher)
    train(student, stage(4, level=1), course, teacher, bases)
    after = [block.get_weights() for block in student.encoder_blocks + student.decoder_blocks]
    changed = [
        any(not np.array_equal(a, b) for a, b in zip(first, second, strict=True))
        for first, second in zip(before, after, strict=True)
    ]
    assert changed == [False, True, False, True]
    for first, second in zip(taught, weights(teacher), strict=True):
        np.testing.assert_array_equal(first, second)


def test_vggs_preprocessing_stays(seeded, course, rng):
    student, teacher = vgg(NARROW_VGG), vgg(Widths(((8,),), ()))
    preprocess = student.encoder_blocks[0].get_layer("preprocess").get_weights()
    train(student, stage(4), course, teacher, [rng.random((8, 4), np.float32)])
    np.testing.assert_array_equal(student.encoder_blocks[0].get_layer("preprocess").get_weights()[0], preprocess[0])


# --- running, and going on ----------------------------------------------------------------------------------------------


class Killed(BaseException):
    pass


def test_a_killed_run_ends_as_if_it_had_not_been(seeded, course, monkeypatch):
    start = mobilenet(STUDENT)
    through, killed = (mobilenet(STUDENT) for _ in range(2))
    for model in (through, killed):
        copy_weights(start, model)
    whole = stage(8, losses=DECODER, decay=True, closed_form=True, whiten="channels")
    train(through, whole, course)
    other = course._replace(folder=course.folder.with_name("killed"))
    other.folder.mkdir()

    def kill(callback, epoch, logs=None):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Curves, "on_epoch_end", kill)
        with pytest.raises(Killed):
            train(killed, whole, other)
    train(killed, whole, other)
    for first, second in zip(weights(through), weights(killed), strict=True):
        np.testing.assert_allclose(first, second, atol=1e-6)
    with (other.folder / "block_0.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["0", "1"]
    assert (other.folder / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_a_loss_that_is_not_finite_ends_the_run_and_keeps_the_last_good_weights(seeded, course):
    model = mobilenet(STUDENT)
    train(model, stage(4, losses=DECODER), course)
    good = weights(model)
    hopeless = stage(12, losses={"reconstruction": float("inf")})
    with pytest.raises(InputError, match=r"block_0: the loss is not finite .*block_0\.weights\.h5"):
        train(model, hopeless, course._replace(kept=("block_0",)))
    train(model, stage(4, losses=DECODER), course)
    for first, second in zip(good, weights(model), strict=True):
        np.testing.assert_array_equal(first, second)


# --- where a decoder block starts, and in which coordinates ---------------------------------------------------------------


def test_a_block_in_closed_form_is_nearly_right_from_the_start(seeded, course):
    model = mobilenet(Widths(((24,), (24, 40, 40)), ((3,), (24, 24))))
    images = first_batch(course)

    def error(level):
        return float(ops.mean(ops.square(images - model.reconstruct(images, level))))

    for level, limit in ((0, 1e-3), (1, 1e-2)):
        start_decoder_block(model, level, [(first_batch(course, index),) for index in range(20)])
        assert error(level) < limit


def test_a_fixed_encoder_block_is_not_trained(seeded):
    model = mobilenet(STUDENT)
    bases = [np.eye(width, dtype=np.float32) for width in STUDENT.features]
    BlockwiseTrainer(model, (0, 1), weighted(ALL), model, bases, fixed=(0,))
    trained = [bool(block.trainable_variables) for block in model.encoder_blocks + model.decoder_blocks]
    assert trained == [False, True, True, True]


@pytest.mark.parametrize("patches", [False, True])
@pytest.mark.parametrize(("build", "widths"), [(mobilenet, STUDENT), (vgg, NARROW_VGG)])
def test_whitening_changes_coordinates_and_nothing_else(seeded, rng, build, widths, patches):
    model = build(widths)
    images = rng.random((2, 64, 64, 3), np.float32)
    expected = model.reconstruct(images, 1)
    whitened = whitenable(model, encoder=True, patches=patches)
    whiten(whitened, 1, [(images,)], floor=1e-6)
    np.testing.assert_allclose(whitened.reconstruct(images, 1), expected, atol=1e-3)
    features, skips = whitened.encode(images)
    encoder, decoder = whitened.encoder_blocks[1], whitened.decoder_blocks[1]
    for block, given in ((encoder, features[0]), (decoder, [features[1], skips[1]])):
        layer = next(layer for layer in block.layers if isinstance(layer, WhitenedConv2D))
        x = layer.observations(np.asarray(keras.Model(block.input, layer.input)(given))) - layer.centre
        covariance = np.cov(x @ np.asarray(layer.matrix), rowvar=False)
        variance = np.diag(covariance).mean()  # the same in every direction
        np.testing.assert_allclose(covariance / variance, np.eye(len(covariance)), atol=0.05)
    give_weights(whitened, model)
    np.testing.assert_allclose(model.reconstruct(images, 1), expected, atol=1e-3)


# --- the command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def teacher_file(tmp_path, seeded):
    np.savez(tmp_path / "teacher.npz", **mobilenet_teacher.arrays_by_name(random_mobilenet()))
    return tmp_path / "teacher.npz"


def command(photos, teacher_file, target, *more):
    options = ["--dataset", photos, "--weights", teacher_file, "--save-to", target, "--batch-size", 1, "--crop", 32]
    return [str(option) for option in (*options, "--interval", 2, *more)]


@pytest.mark.slow
def test_train_teacher_writes_a_decoder_with_its_record(photos, teacher_file, tmp_path, capsys):
    arguments = command(photos, teacher_file, tmp_path / "run", "--steps", 0, 0, 0, 2, 2, "--validation", photos)
    assert train_teacher.main("mobilenet", "", arguments) == 0
    assert "PSNR on 3 photos" in capsys.readouterr().out
    model = mobilenet_teacher.load(teacher_file, tmp_path / "run" / "teacher_decoder.h5")
    assert model.reconstruct(np.zeros((1, 32, 32, 3), np.float32)).shape == (1, 32, 32, 3)
    record = json.loads((tmp_path / "run" / "teacher_decoder.json").read_text())
    assert {name: stage["steps"] for name, stage in record["stages"].items()} == {
        "block_0": 0,
        "block_1": 0,
        "block_2": 0,
        "block_3": 2,
        "joint": 2,
    }
    # The same command again finds all done; --block trains from there on, and adds to nothing.
    assert train_teacher.main("mobilenet", "", [*arguments, "--block", "3"]) == 0
    assert len((tmp_path / "run" / "block_3.csv").read_text().splitlines()) == 2


@pytest.mark.slow
def test_train_teacher_goes_on_from_a_decoder_at_the_levels_of_any_weight(photos, teacher_file, tmp_path):
    given = mobilenet_teacher.load_encoder(teacher_file, decoder_levels=4)
    checkpoints.save_decoder(given, tmp_path / "given.h5")
    options = ["--start", tmp_path / "given.h5", "--steps", 0, 0, 0, 0, 2, "--level-weights", 1, 1, 0, 0]
    assert train_teacher.main("mobilenet", "", command(photos, teacher_file, tmp_path / "run", *options)) == 0
    trained = mobilenet_teacher.load(teacher_file, tmp_path / "run" / "teacher_decoder.h5")
    kernels = [[block.get_weights()[0] for block in model.decoder_blocks] for model in (given, trained)]
    same = [np.array_equal(before, after) for before, after in zip(*kernels, strict=True)]
    assert same == [False, False, True, True]


def test_train_teacher_refuses_what_cannot_work(photos, teacher_file, tmp_path, capsys):
    assert (
        train_teacher.main("mobilenet", "", command(photos, teacher_file, tmp_path / "run", "--steps", 3, 2, 2, 2, 2)) == 1
    )
    assert "--steps: 3 is not a multiple of 2" in capsys.readouterr().err
    assert train_teacher.main("mobilenet", "", command(tmp_path / "none", teacher_file, tmp_path / "run")) == 1
    assert "none: no such folder" in capsys.readouterr().err
    checkpoints.save_decoder(mobilenet_teacher.load_encoder(teacher_file, decoder_levels=1), tmp_path / "level_0.h5")
    for options in (("--level-weights", 0, 0, 0, 0), ("--level-weights", 0, 0, 0, 1, "--start", tmp_path / "level_0.h5")):
        assert train_teacher.main("mobilenet", "", command(photos, teacher_file, tmp_path / "run", *options)) == 1
        assert "--level-weights: none may be below 0, and one at least has to be above" in capsys.readouterr().err
    (photos / "3.jpg").write_bytes(b"not a photo")
    assert train_teacher.main("mobilenet", "", command(photos, teacher_file, tmp_path / "run")) == 1
    assert "3.jpg" in capsys.readouterr().err
