"""Training on either backend, in a process of its own: a pair from a closed form, graded pairs, the paper's recipe."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mobilenet_backbone import student as mobilenet
from tests.toys import orthonormal, write_eigenbases, write_photos, write_teacher
from vgg_backbone import student as vgg

ROOT = Path(__file__).resolve().parents[2]
STUDENTS = {"vgg": vgg, "mobilenet": mobilenet}
# Of the student; the teacher's features have two channels more at each level.
CHANNELS, WIDTHS = (6, 7), (4, 5)
# What the process does, in the folder that it is given.
SCRIPT = """
import sys
from pathlib import Path
from common.commands import train_distilled_model
from common.distillation import graded_truth, stages
from common.distillation.losses import LOSSES, weighted
from common.distillation.teachers import load_teacher
from common.network import registry
from common.photos import photo_paths

stages.STARTING_BATCHES = 3
folder = Path(sys.argv[1])
student = registry.student("mobilenet")
teacher = load_teacher([str(folder / "mobilenet.weights.h5")], student, None)
for name in ("pair", "graded"):
    (folder / name).mkdir()
course = stages.Course(folder / "pair", photo_paths(folder / "photos"), [], batch_size=2, crop=32, interval=4)
losses = weighted(dict.fromkeys(LOSSES, 1))
stage = stages.Stage("pair_1", (1,), 8, 1e-3, losses, closed_form=True, whiten="patches")
model = student.build(student.widths_of((4, 5)))
stages.train(model, stage, course, teacher, teacher.student.eigenbases)
stage = stages.Stage("both", (0, 1), 4, 1e-3, weighted({"truth": 1}, graded_truth.LOSSES))
course = course._replace(folder=folder / "graded", validation=course.photos[:2])
stages.train(model, stage, course, teacher, teacher.student.eigenbases)

for name in registry.BACKBONES:
    arguments = f"--recipe paper --steps 0 2 --batch-size 2 --crop 32 --interval 2 --dataset {folder}/photos --weights "
    arguments += f"{folder}/{name}.weights.h5 --eigenbases {folder}/{name}.npz --save-to {folder}/{name}"
    assert train_distilled_model.main(name, "", arguments.split()) == 0
"""
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def trained(request, tmp_path_factory):
    """The name of a backend, and the folder in which it has trained."""
    pytest.importorskip(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    write_photos(folder / "photos")
    for name, student in STUDENTS.items():
        write_teacher(folder / f"{name}.weights.h5", student, CHANNELS)
        write_eigenbases(folder / f"{name}.npz", name, orthonormal(CHANNELS, WIDTHS))
    environment = os.environ | {"KERAS_BACKEND": request.param, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", SCRIPT, folder], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return request.param, folder


def rows(path):
    with path.open() as file:
        return [{name: float(value) for name, value in row.items() if value != "NA"} for row in csv.DictReader(file)]


def test_a_whitened_pair_is_trained_from_a_closed_form(trained):
    _, folder = trained
    losses = [row["loss"] for row in rows(folder / "pair/pair_1.csv")]
    assert len(losses) == 2
    assert np.isfinite(losses).all()


def test_graded_pairs_are_trained_and_watched(trained):
    _, folder = trained
    (row,) = rows(folder / "graded/both.csv")
    assert 0 < row["truth_1"] < 100
    assert row["loss"] == pytest.approx(row["truth_1"], rel=0.2)
    assert 0 < row["val_truth_1"] < 100


@pytest.mark.parametrize("name", STUDENTS)
def test_the_papers_recipe_trains_a_pair_on_the_sum_of_all_losses(trained, name):
    backend, folder = trained
    assert json.loads((folder / name / "student.json").read_text())["versions"]["backend"] == backend
    (row,) = rows(folder / name / "pair_1.csv")
    terms = [row[f"{term}_1"] for term in ("distill", "reconstruction", "feature", "perceptual")]
    assert row["loss"] == pytest.approx(sum(terms), rel=0.2)
    assert STUDENTS[name].load(folder / name / "student.weights.h5").widths == STUDENTS[name].widths_of(WIDTHS)
