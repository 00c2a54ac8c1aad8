"""The paper's tables: costs are counted, times measured within limits, losses those of the formulas; files are kept."""

import csv

import keras
import numpy as np
import pytest
from PIL import Image

from common.commands import tables
from common.distillation.teachers import LiftedStudent
from common.evaluation.colour_transfer import reinhard
from common.evaluation.losses import features_of, losses
from common.evaluation.methods import colour_transfer
from common.network import checkpoints
from common.network.backbone import CKPTS
from mobilenet_backbone import student
from tests.toys import orthonormal, write_photos

OWN = CKPTS / "mobilenet" / "student.weights.h5"


@pytest.fixture
def run(tmp_path, capfd):
    """`run(argument, ...)` -> exit status, stdout, stderr of the command; tables go to `tmp_path / "tables"`."""

    def run(table, *arguments):
        capfd.readouterr()
        status = tables.main([table, *map(str, arguments), "-o", str(tmp_path / "tables")])
        return status, *capfd.readouterr()

    return run


@pytest.fixture
def rows(tmp_path):
    """`rows(table)`: the lines of its CSV, dicts by model; the last of each."""

    def read(table):
        with (tmp_path / "tables" / f"{table}.csv").open() as file:
            return {line["model"]: line for line in csv.DictReader(file)}

    return read


@pytest.fixture
def pairs(tmp_path):
    """Two pairs laid out as the paper's figures."""
    for seed, part in enumerate(("content", "style")):
        write_photos(tmp_path / "pairs" / part, count=2, seed=seed)
    return tmp_path / "pairs"


# --- cost ----------------------------------------------------------------------------------------------------------------


def test_costs_are_those_that_are_known(run, rows):
    names = ["vgg", "mobilenet", f"mobilenet={OWN}", "vgg-teacher", "mobilenet-teacher", "reinhard"]
    status, text, _ = run("cost", "--models", *names)
    assert status == 0
    found = {
        name: [line[column] for column in ("parameters", "eigenbases", "multiplications")]
        for name, line in rows("cost").items()
    }
    assert found == {
        "vgg": ["283224", "50816", "18832"],
        "mobilenet": ["52742", "20096", "2465"],
        f"mobilenet={OWN}": ["52742", "20096", "2465"],
        "vgg-teacher (random weights)": ["7011028", "0", "482778"],
        "mobilenet-teacher (random weights)": ["717300", "0", "25724"],
        "reinhard": ["", "", ""],
    }
    assert int(rows("cost")["mobilenet"]["file_bytes"]) == (CKPTS / "mobilenet" / "student.onnx.zip").stat().st_size
    assert int(rows("cost")[f"mobilenet={OWN}"]["file_bytes"]) == OWN.stat().st_size
    assert "| vgg-teacher (random weights) | 7,011,028 | - | 482,778 | - |" in text


def test_a_narrower_student_costs_less(run, rows, tmp_path):
    """Its widths are those of its file; by hand, level 0 of the encoder and the decoder, a quarter of the pixels each."""
    keras.utils.set_random_seed(0)
    path = tmp_path / "narrow.weights.h5"
    checkpoints.save(student.build(student.widths_of((4,)), orthonormal((6,), (4,))), path)
    assert run("cost", "--models", f"mobilenet={path}")[0] == 0
    line = rows("cost")[f"mobilenet={path}"]
    assert int(line["multiplications"]) == 9 * 3 * 4 // 4 + 9 * (4 + 3) * 3
    assert int(line["parameters"]) == 9 * 3 * 4 + 4 + 9 * (4 + 3) * 3 + 3
    assert int(line["eigenbases"]) == 6 * 4


# --- speed ---------------------------------------------------------------------------------------------------------------


def test_what_is_measured_is_written_by_size(run, rows):
    status, text, _ = run("speed", "--models", "mobilenet", "histograms", "--sizes", "48x32", "--memory", 2)
    assert status == 0
    found = rows("speed")
    for line in found.values():
        assert line["stopped"] == ""
        assert float(line["whole_seconds"]) > float(line["later_seconds"]) > 0
        assert 50e6 < float(line["memory_bytes"]) < 2e9
    assert 0 < float(found["mobilenet"]["apply_seconds"]) < float(found["mobilenet"]["later_seconds"])
    assert found["histograms"]["apply_seconds"] == ""
    assert text.count("| model | 48x32 |") == 4
    assert text.count("| mobilenet |") == 4
    assert text.count("| histograms |") == 3  # it has no look
    assert "A process may take 2 GB and 600 s." in text


def test_what_is_too_large_does_not_fit(run, rows):
    status, text, _ = run("speed", "--models", "reinhard", "--sizes", "32x24", "--memory", 0.02)
    assert status == 0
    assert rows("speed")["reinhard"]["stopped"] == "memory"
    assert rows("speed")["reinhard"]["whole_seconds"] == ""
    assert text.count("| reinhard | does not fit |") == 3


def test_a_table_is_gone_on_with(run, rows, tmp_path):
    smaller = ("speed", "--models", "reinhard", "--memory", 0.02, "--sizes", "32x24")
    assert run(*smaller)[0] == 0
    path = tmp_path / "tables" / "speed.csv"
    path.write_text(path.read_text().replace("reinhard,32x24,memory,,,", "reinhard,32x24,,77.5,3e9,"))
    assert run(*smaller)[:2] == (1, "")  # neither --resume nor --overwrite
    assert "77.5" in path.read_text()
    status, text, _ = run(*smaller, "48x24", "--resume")
    assert status == 0
    assert "| reinhard | 77.50 | does not fit |" in text
    assert "| reinhard | 3.00 | does not fit |" in text

    status, _, error = run("speed", "--models", "reinhard", "--memory", 0.03, "--sizes", "32x24", "--resume")
    assert (status, error.count("\n")) == (1, 1)
    assert "measured with --memory 0.02 --timeout 600; --resume takes the same" in error


def test_more_memory_than_is_free_cannot_be_allowed(run, tmp_path):
    status, _, error = run("speed", "--models", "reinhard", "--memory", 1e9)
    assert (status, error.count("\n")) == (1, 1)
    assert "--memory 1e+09: " in error
    assert not (tmp_path / "tables" / "speed.csv").exists()


def test_another_table_is_not_gone_on_with(run, tmp_path):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "speed.csv").write_text("model,price\nreinhard,3\n")
    status, _, error = run("speed", "--models", "reinhard", "--resume")
    assert status == 1
    assert "speed.csv is not a table of speed to go on with" in error


# --- losses --------------------------------------------------------------------------------------------------------------


def test_losses_are_those_of_the_formulas(run, rows, pairs, tmp_path):
    status, text, _ = run("losses", pairs, "--models", "reinhard", "--weights", f"mobilenet={OWN}")
    assert status == 0
    content, style = (np.array(Image.open(pairs / part / "1.png").convert("RGB")) for part in ("content", "style"))
    judge = LiftedStudent(student.load(OWN))
    result = colour_transfer(reinhard)(content, style)(1.0)
    expected = losses(*(features_of(judge, photo) for photo in (result, content, style)))
    found = rows("losses")["reinhard"]
    assert found["pair"] == "1"
    assert [float(found[column]) for column in expected._fields] == pytest.approx(expected, rel=1e-4)
    untouched = rows("losses")["untouched"]
    assert float(untouched["content"]) == 0
    assert float(untouched["gram"]) > 0
    with (tmp_path / "tables" / "losses.csv").open() as file:
        values = [float(line["gram"]) for line in csv.DictReader(file) if line["model"] == "reinhard"]
    assert f"| {np.mean(values):.4g} (" in text
    assert (tmp_path / "tables" / "losses.md").read_text() == text


# --- all -----------------------------------------------------------------------------------------------------------------


def test_nothing_is_overwritten(run, tmp_path):
    (tmp_path / "tables").mkdir()
    for name in ("cost.md", "speed.csv", "losses.csv"):
        path = tmp_path / "tables" / name
        path.write_text("mine")
        table = name.partition(".")[0]
        status, _, error = run(table, *(["pairs"] if table == "losses" else []), "--models", "reinhard")
        assert (status, error) == (1, f"error: {path} exists; --overwrite replaces it\n")
        assert path.read_text() == "mine"
    assert run("cost", "--models", "reinhard", "--overwrite")[0] == 0
    assert "| reinhard |" in (tmp_path / "tables" / "cost.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("cost", "--models", "mobilenet=none.weights.h5"), "none.weights.h5: no such checkpoint"),
        (("speed", "--models", "mobilenet=none.weights.h5"), "none.weights.h5: no such checkpoint"),
        (("losses", "nowhere", "--models", "reinhard"), "nowhere"),
    ],
)
def test_what_is_missing_is_one_line_and_no_table(run, tmp_path, arguments, complaint):
    status, _, error = run(*arguments)
    assert status == 1
    assert error.splitlines()[-1].startswith("error: ")
    assert complaint in error.splitlines()[-1]
    assert "Traceback" not in error
    assert not list(tmp_path.glob("tables/*.*"))


@pytest.mark.parametrize("table", ["cost", "speed", "losses"])
def test_every_table_has_its_help(table, capsys):
    with pytest.raises(SystemExit) as caught:
        tables.main([table, "--help"])
    assert caught.value.code == 0
    assert "--models" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("cost", "--models", "resnet"),
        ("cost", "--models", "resnet-teacher"),
        ("speed", "--models", "mobilenet@glossy"),
        ("speed", "--sizes", "huge"),
        ("speed", "--sizes", "8x3000"),
        ("speed", "--memory", "0"),
        ("speed", "--memory", "nan"),
        ("speed", "--resume", "--overwrite"),
        ("losses", "pairs", "--models", "vgg-teacher"),  # of random weights: its losses mean nothing
        ("losses", "pairs", "--weights", "vgg"),
        ("prices",),
    ],
)
def test_a_name_that_is_none_is_a_usage_error(run, arguments):
    with pytest.raises(SystemExit) as caught:
        run(*arguments)
    assert caught.value.code == 2
