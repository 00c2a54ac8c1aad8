"""The command that measures a predictor where the right answer is known."""

import json

import pytest

from common.commands import make_truth, measure_grade


@pytest.fixture
def folder(photos, tmp_path):
    out = tmp_path / "truth"
    assert make_truth.main([str(photos), "-o", str(out), "--pairs", "3"]) == 0
    return out


def test_a_table_with_every_method_is_printed_and_kept(folder, tmp_path, capsys):
    assert measure_grade.main([str(folder), "--json", str(tmp_path / "a.json")]) == 0
    printed = capsys.readouterr().out
    figures = json.loads((tmp_path / "a.json").read_text())[str(folder)]
    assert figures["pairs"] == 3
    assert set(figures["methods"]) == {"untouched", "Reinhard", "Monge-Kantorovich", "grade"}
    for name, row in figures["methods"].items():
        assert f"| {name}" in printed
        assert row["interval"][0] <= row["ciede2000"] <= row["interval"][1]
    assert figures["checks"]["ramp falls"]["worst"] == 0
    assert figures["checks"]["graded like itself"]["worst"] < 0.05


def test_with_one_grade_untouched_is_right(photos, tmp_path):
    out = tmp_path / "truth"
    assert make_truth.main([str(photos), "-o", str(out), "--pairs", "2", "--one-grade"]) == 0
    assert measure_grade.main([str(out), "--json", str(tmp_path / "a.json")]) == 0
    methods = json.loads((tmp_path / "a.json").read_text())[str(out)]["methods"]
    assert methods["untouched"]["ciede2000"] == 0
    assert methods["untouched"]["won"] == 0


def test_what_is_missing_is_named(folder, photos, tmp_path, capsys):
    assert measure_grade.main([str(folder), "--predictor", str(tmp_path / "none.zip")]) == 1
    assert "none.zip: no such file" in capsys.readouterr().err
    assert measure_grade.main([str(photos)]) == 1
    assert "holds no pair" in capsys.readouterr().err
