"""Distillation: what the student learns from the teacher, objectives and their weights, adapters, and what is refused."""

import json

import keras
import numpy as np
import pytest
from keras import ops

from stargan_v2 import checkpoints, distill, losses
from stargan_v2.batches import batches, domains_in
from stargan_v2.distiller import WEIGHTS, Distiller, adapted_blocks, build_adapters
from stargan_v2.networks import Config

CONFIG = Config(size=16, width=4, cap=8, style_dim=6, hidden=5)
STUDENT = CONFIG._replace(width=2, cap=4, hidden=3, separable=True)


@pytest.fixture
def batch(domains):
    (arrays,) = next(batches(domains_in(domains), 2, 16, 16, seed=0))
    return {name: ops.convert_to_tensor(array) for name, array in arrays.items()}


def distiller(*objectives, student=STUDENT):
    keras.utils.set_random_seed(0)
    teacher, networks = checkpoints.build(CONFIG, CONFIG), checkpoints.build(student, student)
    if "adapters" in objectives:
        networks["adapters"] = build_adapters(networks["generator"], teacher["generator"])
    return Distiller(networks, checkpoints.build(student), teacher, {name: WEIGHTS[name] for name in objectives})


def weights(networks):
    return {name: np.concatenate([x.ravel() for x in network.get_weights()]) for name, network in networks.items()}


def changed(before, after):
    return {name for name in before if (before[name] != after[name]).any()}


def test_objectives_are_the_commands():
    assert set(WEIGHTS) == set(distill.OBJECTIVES)


def test_pixels_alone_need_no_discriminator(batch):
    trainer = distiller("pixel")
    before, taught = weights(trainer.networks), weights(trainer.teacher)
    values = trainer.iterate(batch)
    assert changed(before, weights(trainer.networks)) == {"generator", "mapping", "encoder"}
    assert not changed(taught, weights(trainer.teacher))
    assert set(values) == {"pixel", "style", "generator_total", "mapping_total"}


def test_all_objectives_train_all_networks_of_the_student_and_none_of_the_teachers(batch):
    trainer = distiller(*WEIGHTS)
    before, taught = weights(trainer.networks), weights(trainer.teacher)
    logs = trainer.logs(batch)
    assert changed(before, weights(trainer.networks)) == set(trainer.networks)
    assert not changed(taught, weights(trainer.teacher))
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert set(WEIGHTS) < set(logs)


def test_a_student_that_is_its_teacher_has_nothing_to_learn(batch):
    trainer = distiller("pixel", "perceptual", "gka", "wavelet", "triplet", "adversarial", student=CONFIG)
    for name, network in trainer.networks.items():
        network.set_weights(trainer.teacher[name].get_weights())
    taught = trainer.teach(batch, "reference")
    terms = {name: float(value) for name, (_, value) in trainer.generator_loss(batch, taught).items()}
    assert [terms[name] for name in ("pixel", "perceptual", "wavelet")] == pytest.approx([0, 0, 0], abs=1e-5)
    assert terms["gka"] == pytest.approx(-len(taught["blocks"]), abs=1e-3)
    near = losses.distances(*(trainer.features(trainer.teacher, x, batch) for x in (batch["image"], taught["image"])))
    assert float(trainer.discriminator_loss(batch, taught)["triplet"][1]) == pytest.approx(0.25 * np.mean(near), rel=1e-3)
    parts = {kind: trainer.teach(batch, kind) for kind in ("noise", "reference")}
    assert float(trainer.style_loss(batch, parts)["style"][1]) == pytest.approx(0, abs=1e-6)


def test_both_generators_get_the_teachers_style(batch):
    trainer = distiller("pixel", "cycle")
    taught = trainer.teach(batch, "noise")
    style = trainer.teacher["mapping"]([batch["noise"], batch["target"]])
    np.testing.assert_allclose(taught["style"], style, atol=1e-6)
    image = trainer.networks["generator"]([batch["image"], style])[0]
    expected = np.square(np.asarray(image) - np.asarray(trainer.teacher["generator"]([batch["image"], style])[0])).mean()
    terms = trainer.generator_loss(batch, taught)
    assert float(terms["pixel"][1]) == pytest.approx(expected, rel=1e-4)
    own = trainer.teacher["encoder"]([batch["image"], batch["domain"]])
    back = trainer.networks["generator"]([image, own])[0]
    cycle = np.abs(np.asarray(back) - np.asarray(batch["image"])).mean()
    assert float(terms["cycle"][1]) == pytest.approx(cycle, rel=1e-4)


@pytest.mark.parametrize(("halvings", "chosen"), [(0, [0, 1, 3]), (1, [0, 2, 4, 5]), (2, [1, 3, 5, 7])])
def test_adapters_read_four_blocks_from_first_to_last(halvings, chosen):
    assert adapted_blocks(2 * halvings + 4) == chosen


def test_adapters_bring_features_to_the_teachers_widths():
    trainer = distiller("pixel", "adapters")
    assert [output.shape[-1] for output in trainer.networks["adapters"].outputs] == [4, 4, 4]
    assert [each.shape[-1] for each in trainer.networks["adapters"].inputs] == [2, 2, 2]


# --- the command ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(eagerly, domains, teacher):
    def run(folder, options="", taught_by=teacher, photos=domains):
        arguments = f"--teacher {taught_by} --photos {photos} --save-to {folder} --batch-size 2 --interval 1 --steps 1"
        return distill.main(f"{arguments} {options}".split())

    return run


def test_a_student_can_be_used_from_its_folder(run, tmp_path):
    assert run(tmp_path / "run", "--objectives pixel gka --weight gka=2 --width 2") == 0
    student = checkpoints.load(tmp_path / "run")
    assert student.config == CONFIG._replace(width=2, cap=2, hidden=1, separable=True)
    assert "discriminator" not in student.networks
    record = json.loads((tmp_path / "run/networks.json").read_text())
    assert record["objectives"] == {"pixel": 1.0, "gka": 2.0}
    assert record["teacher_step"] == 1
    assert (tmp_path / "run/samples.png").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--objectives pixel --weight gka=1", "not among the --objectives"),
        ("--objectives pixel triplet", "without adversarial"),
    ],
)
def test_objectives_that_do_not_go_together_are_named(run, tmp_path, capsys, options, message):
    assert run(tmp_path / "run", options) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("weight", ["glow=1", "gka", "gka=much", "gka=nan"])
def test_a_weight_is_a_name_and_a_number(run, tmp_path, capsys, weight):
    with pytest.raises(SystemExit):
        run(tmp_path / "run", f"--weight {weight}")
    assert "--weight" in capsys.readouterr().err


def test_a_student_or_other_domains_cannot_be_taught_from(run, domains, tmp_path, capsys):
    assert run(tmp_path / "student", "--objectives pixel") == 0
    assert run(tmp_path / "run", taught_by=tmp_path / "student") == 1
    assert "holds a student" in capsys.readouterr().err
    other = tmp_path / "other"
    other.mkdir()
    for path, name in zip(sorted(domains.iterdir()), ("night", "noon"), strict=True):
        (other / name).symlink_to(path)
    assert run(tmp_path / "run", photos=other) == 1
    assert "the teacher knows day, dusk" in capsys.readouterr().err
