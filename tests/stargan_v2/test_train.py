"""Training: what an iteration changes, running averages, optimizers, resuming, and what cannot be trained."""

import itertools
import json
import shutil

import keras
import numpy as np
import pytest
from keras import ops

from common.errors import InputError
from stargan_v2 import checkpoints
from stargan_v2.batches import augment, batches, domains_in
from stargan_v2.networks import Config
from stargan_v2.trainer import GanTrainer, Optimizers

CONFIG = Config(size=16, width=4, cap=8, style_dim=6, hidden=5)


@pytest.fixture
def trainer():
    keras.utils.set_random_seed(0)
    return GanTrainer(checkpoints.build(CONFIG, CONFIG), checkpoints.build(CONFIG), diversity=(2.0, 10))


@pytest.fixture
def batch(domains):
    (arrays,) = next(batches(domains_in(domains), 2, 16, 16, seed=0))
    return {name: ops.convert_to_tensor(array) for name, array in arrays.items()}


def weights(networks):
    return {name: np.concatenate([x.ravel() for x in network.get_weights()]) for name, network in networks.items()}


def changed(before, after):
    return {name for name in before if (before[name] != after[name]).any()}


# --- batches -------------------------------------------------------------------------------------------------------------


def test_a_batch_depends_on_seed_and_step_alone(domains):
    found = domains_in(domains)
    _, (second,) = itertools.islice(batches(found, 2, 16, 5, seed=3), 2)
    (again,) = next(batches(found, 2, 16, 5, seed=3, first_step=1))
    (other,) = next(batches(found, 2, 16, 5, seed=4, first_step=1))
    for name in second:
        np.testing.assert_array_equal(second[name], again[name])
    assert (second["noise"] != other["noise"]).any()


def test_domains_are_drawn_evenly_and_partners_stay(domains, tmp_path):
    folder = shutil.copytree(domains, tmp_path / "domains")
    for path in sorted((folder / "day").iterdir())[1:]:
        path.unlink()
    drawn = [batch for (batch,) in itertools.islice(batches(domains_in(folder), 8, 16, 5, seed=0), 25)]
    assert 0.35 < np.mean([batch["domain"][:, 0] for batch in drawn]) < 0.65
    for batch in drawn:  # the only photo of its domain is its own partner, another crop at most
        own = batch["target"][:, 0] == 1
        means = (batch[name][own].mean((1, 2, 3)) for name in ("reference", "reference2"))
        np.testing.assert_allclose(*means, atol=0.1)


def test_augmented_photos_are_whole_or_cropped_and_mirrored(rng):
    photo = np.zeros((32, 64, 3), np.uint8)
    photo[:, :32] = 255
    made = [augment(photo, 16, rng) for _ in range(40)]
    assert {image.shape for image in made} == {(16, 16, 3)}
    assert 10 < sum(image[8, 0, 0] > 0 for image in made) < 30
    assert min(image.min() for image in made) == -1
    assert max(image.max() for image in made) == 1


# --- an iteration --------------------------------------------------------------------------------------------------------


def test_averages_begin_as_the_networks_are(trainer):
    for name, average in weights(trainer.averages).items():
        np.testing.assert_array_equal(average, weights(trainer.networks)[name])


def test_an_average_moves_by_a_thousandth_to_what_the_network_has_become(trainer, batch):
    before = weights(trainer.averages)
    trainer.logs(batch)
    for name, average in weights(trainer.averages).items():
        expected = 0.999 * before[name] + 0.001 * weights(trainer.networks)[name]
        np.testing.assert_allclose(average, expected, atol=1e-7)
        assert (average != before[name]).any()
    assert int(trainer.step) == 1


@pytest.mark.parametrize(("kind", "trained"), [("noise", {"generator", "mapping", "encoder"}), ("reference", {"generator"})])
def test_a_step_changes_the_networks_it_is_for(trainer, batch, kind, trained):
    before = weights(trainer.networks)
    trainer.update(sorted(trained), lambda: trainer.generator_loss(batch, kind))
    assert changed(before, weights(trainer.networks)) == trained
    before = weights(trainer.networks)
    trainer.update(["discriminator"], lambda: trainer.discriminator_loss(batch, kind))
    assert changed(before, weights(trainer.networks)) == {"discriminator"}


def test_losses_are_those_of_the_images(trainer, batch):
    made = trainer.made(batch["image"], trainer.style(batch, "reference"))
    other = trainer.made(batch["image"], trainer.style(batch, "reference2"))
    trainer.step.assign(4)
    weight, diversity = trainer.generator_loss(batch, "reference")["diversity"]
    assert float(weight) == pytest.approx(2 * 0.6)
    assert float(diversity) == pytest.approx(-np.abs(np.asarray(made) - np.asarray(other)).mean(), rel=1e-4)
    logits = np.asarray(trainer.logits(made, batch["target"]))
    assert float(trainer.generator_loss(batch, "reference")["generator"][1]) == pytest.approx(
        np.log1p(np.exp(-logits)).mean(), rel=1e-4
    )


def test_the_optimizer_is_adam_with_decay_in_the_gradient():
    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    (variable,) = network.trainable_variables
    variable.assign([[2.0]])
    optimizers = Optimizers({"one": network}, {"one": 0.1})
    expected, second = 2.0, 0.0
    for step, gradient in enumerate((0.5, -0.2), start=1):
        optimizers.apply("one", [ops.convert_to_tensor([[gradient]])], [variable])
        decayed = gradient + 1e-4 * expected
        second = 0.99 * second + 0.01 * decayed**2
        expected -= 0.1 * decayed / (np.sqrt(second / (1 - 0.99**step)) + 1e-8)
        assert variable.numpy().item() == pytest.approx(expected, rel=1e-4)


def test_half_precision_trains_too(batch):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        trainer = GanTrainer(checkpoints.build(CONFIG, CONFIG), checkpoints.build(CONFIG))
        logs = trainer.logs(batch)
    finally:
        keras.mixed_precision.set_global_policy("float32")
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert {variable.dtype for variable in trainer.trainable_variables} == {"float32"}


# --- runs ----------------------------------------------------------------------------------------------------------------


def arrays(folder):
    with np.load(folder / "networks.npz") as file:
        return {name: file[name] for name in file.files if name not in ("description", "kind", "version")}


@pytest.mark.slow
def test_a_run_that_was_cut_short_goes_on_to_the_same_weights(train, tmp_path):
    assert train(tmp_path / "straight", "--steps 2") == 0
    assert train(tmp_path / "resumed", "--steps 1") == 0
    first = arrays(tmp_path / "resumed")
    assert train(tmp_path / "resumed", "--steps 2") == 0
    straight, resumed = arrays(tmp_path / "straight"), arrays(tmp_path / "resumed")
    for name in straight:
        np.testing.assert_allclose(straight[name], resumed[name], rtol=1e-4, atol=1e-6)
    assert any((first[name] != resumed[name]).any() for name in first)


def test_a_run_leaves_networks_samples_log_and_record(teacher):
    assert {path.name for path in teacher.iterdir()} == {
        *("networks.npz", "networks.json", "samples.png", "log.csv", "backup.weights.h5", "run.json")
    }
    trained = checkpoints.load(teacher)
    assert trained.domains == ("day", "dusk")
    assert trained.step == 1
    assert trained.config == Config(size=16, width=4, cap=8, style_dim=6, hidden=5)
    record = json.loads((teacher / "networks.json").read_text())
    assert record["command"].startswith("python -m stargan_v2.train --photos")


def test_what_is_loaded_makes_what_was_saved(teacher, trainer, tmp_path, batch):
    networks = trainer.averages
    checkpoints.save(tmp_path / "networks.npz", checkpoints.Trained(("a", "b"), CONFIG, networks, None, 7))
    again = checkpoints.load(tmp_path).networks
    inputs = [batch["image"], ops.ones((2, 6))]
    for x, y in zip(networks["generator"](inputs), again["generator"](inputs), strict=True):
        np.testing.assert_allclose(x, y, atol=1e-6)


def fails(train, capsys, folder, message, *arguments, **options):
    capsys.readouterr()
    assert train(folder, *arguments, **options) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_another_run_is_not_gone_on_with(train, teacher, capsys):
    fails(train, capsys, teacher, "made from other seed", "--steps 2 --seed 1")
    fails(train, capsys, teacher, "made from other networks", "--steps 2 --width 5")


def test_a_damaged_backup_is_named(train, teacher, capsys, tmp_path):
    folder = shutil.copytree(teacher, tmp_path / "run")
    (folder / "backup.weights.h5").write_bytes(b"nothing")
    fails(train, capsys, folder, "backup.weights.h5 is damaged", "--steps 2")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--size 48", "power of two"),
        ("--size 16 --halvings 3", "does not leave"),
        ("--steps 3 --interval 2", "multiple of 2"),
    ],
)
def test_numbers_that_do_not_fit_are_named(train, capsys, tmp_path, options, message):
    fails(train, capsys, tmp_path / "run", message, options)
    assert not (tmp_path / "run").exists()


def test_photos_that_cannot_be_used_are_named(train, domains, capsys, tmp_path):
    fails(train, capsys, tmp_path / "run", "no such folder", photos=tmp_path / "nowhere")
    folder = shutil.copytree(domains, tmp_path / "domains")
    (folder / "day/text.jpg").write_text("not a photo")
    fails(train, capsys, tmp_path / "run", "text.jpg is not a photo", photos=folder)
    shutil.rmtree(folder / "day")
    fails(train, capsys, tmp_path / "run", "holds 1 folders", photos=folder)
    (folder / "empty").mkdir()
    fails(train, capsys, tmp_path / "run", "holds no photo", photos=folder)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("damage", [lambda file: file[:1000], lambda file: b"text", lambda file: b""])
def test_damaged_networks_are_named(teacher, tmp_path, damage):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "networks.npz").write_bytes(damage((teacher / "networks.npz").read_bytes()))
    with pytest.raises(InputError, match=r"networks\.npz"):
        checkpoints.load(folder)


def test_a_folder_without_networks_is_named(tmp_path):
    with pytest.raises(InputError, match=r"holds no networks\.npz"):
        checkpoints.load(tmp_path)
