"""The evaluate command refuses in one line what it cannot measure."""

import keras
import pytest

from common.commands import evaluate
from common.errors import InputError
from common.network import checkpoints, registry
from mobilenet_backbone import student, teacher


@pytest.fixture
def run(photos, capsys):
    """`run(option, ...)` -> exit status, and what was printed as an error."""

    def command(*options):
        arguments = ["--photos", str(photos), *map(str, options)]
        return evaluate.main("mobilenet", "Measure.", arguments), capsys.readouterr().err

    return command


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A student without eigenbases."""
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("checkpoint") / "model.weights.h5"
    checkpoints.save(student.build(), path)
    return path


def test_what_cannot_be_measured_is_one_line(run, checkpoint):
    for options, complaint in (
        (("--size", 100), "--size: 100 is not a multiple of 16"),
        (("--model", "teacher", "--weights", "a.npz", "b.npz"), "takes one --weights"),
        (("--checkpoint", checkpoint, "--weights", "a.npz"), "no eigenbases"),
    ):
        status, printed = run(*options)
        assert (status, printed.count("\n")) == (1, 1)
        assert complaint in printed


def test_a_student_is_measured_on_photos(run, checkpoint, photos, capsys):
    assert run("--checkpoint", checkpoint, "--size", 64)[0] == 0


def test_a_teacher_without_a_decoder_cannot_stylise(monkeypatch, tmp_path):
    monkeypatch.setattr(teacher, "load", lambda weights: teacher.build(decoder_levels=3))
    with pytest.raises(InputError, match="mobilenet teacher has no decoder"):
        registry.load_network("mobilenet", "teacher", "weights.npz")
