"""LPIPS by an ONNX file of the user's: what it is given, what it must be, where it shows."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from common.commands import make_truth, measure_grade
from common.errors import InputError
from common.evaluation.lpips import Lpips
from common.evaluation.report import Cost, Row, answers, markdown, summary
from common.evaluation.scores import score


@pytest.fixture
def write_distance(tmp_path):
    """`write_distance(...)` -> an ONNX model of the mean absolute difference of two pictures, plus an offset."""

    def write(inputs=2, shape=(1, 3, "height", "width"), reduced=True, offset=0.0):
        names = ["photo", "other"][:inputs]
        nodes = [
            helper.make_node("Sub", [names[0], names[-1]], ["difference"]),
            helper.make_node("Abs", ["difference"], ["size"]),
            helper.make_node("ReduceMean", ["size"], ["mean"])
            if reduced
            else helper.make_node("Identity", ["size"], ["mean"]),
            helper.make_node("Add", ["mean", "offset"], ["distance"]),
        ]
        graph = helper.make_graph(
            nodes,
            "distance",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in names],
            [helper.make_tensor_value_info("distance", TensorProto.FLOAT, None)],
            [helper.make_tensor("offset", TensorProto.FLOAT, (), [offset])],
        )
        path = tmp_path / "lpips.onnx"
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
        return path

    return write


def test_the_model_is_given_photos_from_minus_1_to_1(write_distance):
    lpips = Lpips(write_distance())
    black, white = np.zeros((20, 30, 3), np.uint8), np.full((20, 30, 3), 255, np.uint8)
    half = white.copy()
    half[:10] = 0
    assert lpips(white, white) == 0
    assert lpips(white, black) == pytest.approx(2)
    assert lpips(half, black) == pytest.approx(1)
    assert score(half, black, lpips).lpips == pytest.approx(1)


@pytest.mark.parametrize(
    "spoilt",
    [
        {"inputs": 1},
        {"shape": (1, 3, 64, 64)},  # of one size
        {"shape": (1, 1, "height", "width")},  # of grey pictures
        {"reduced": False},  # a number for each pixel
        {"offset": 1.0},  # no distance: a photo is away from itself
    ],
)
def test_a_model_that_is_no_distance_is_one_error(write_distance, spoilt):
    with pytest.raises(InputError, match=r"lpips\.onnx is no LPIPS"):
        Lpips(write_distance(**spoilt))


def test_a_file_that_is_no_model_is_one_error(tmp_path):
    (tmp_path / "lpips.onnx").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"lpips\.onnx is no LPIPS"):
        Lpips(tmp_path / "lpips.onnx")
    with pytest.raises(InputError, match=r"none\.onnx: no such file"):
        Lpips(tmp_path / "none.onnx")


def test_it_is_a_column_of_both_tables_where_it_is_measured(write_distance, rng):
    truth, result = rng.integers(0, 256, (2, 16, 20, 3), np.uint8)
    measures = 0.9, 0.8, 0.1, 0.7
    for lpips, number in ((None, None), (Lpips(write_distance()), "0.321")):
        extra = () if lpips is None else (0.321,)
        rows = [Row("a", "pair", strength, *measures, *extra) for strength in (0.0, 1.0)]
        text = markdown(rows, [summary("a", rows, Cost(1.0, None, 0))], ["a"], "title", "conditions")
        known = answers({"a": {"pair": score(result, truth, lpips)}}, ["a"])
        for table in (text, known):
            lines = [line for line in table.splitlines() if line.startswith("|")][:3]
            assert len({line.count("|") for line in lines}) == 1
            assert ("LPIPS" in lines[0]) == (lpips is not None)
            assert "| nan" not in table
        if lpips:
            assert f"| {number} |" in text
            assert f"| {lpips(result, truth):.3f} |" in known


def test_measure_grade_prints_and_keeps_it(write_distance, photos, tmp_path, capsys):
    folder, figures = tmp_path / "truth", tmp_path / "figures.json"
    assert make_truth.main([str(photos), "-o", str(folder), "--pairs", "2"]) == 0
    assert measure_grade.main([str(folder), "--json", str(figures), "--lpips", str(write_distance())]) == 0
    methods = json.loads(figures.read_text())[str(folder)]["methods"]
    assert 0 < methods["grade"]["lpips"] < methods["untouched"]["lpips"]
    printed = capsys.readouterr().out
    assert "| LPIPS |" in printed
    assert f" {methods['grade']['lpips']:.3f} |" in printed
    assert measure_grade.main([str(folder), "--lpips", str(tmp_path / "none.onnx")]) == 1
    assert "none.onnx: no such file" in capsys.readouterr().err
