"""Pairs whose right answer is known: what they hold, their files, and how a result is measured against them."""

import json

import numpy as np
import pytest
from PIL import Image

from common.commands import make_truth
from common.errors import InputError
from common.evaluation.pairs import PST50, pairs_in
from common.grading import grades, truth
from common.photos import photo_paths


def made(photos, kind="overlapping", count=4, seed=0, **options):
    return list(truth.make(photo_paths(photos), kind, grades.family("training"), count, seed, 640, **options))


def test_where_crops_overlap_the_answer_is_the_style(photos):
    for pair in made(photos):
        shared = pair.truth.shape[1] // 3  # crops of 60 % share a third of themselves
        left, right = (pair.truth, pair.style) if pair.record["content_side"] == "left" else (pair.style, pair.truth)
        np.testing.assert_array_equal(left[:, -shared:], right[:, :shared])
        assert pair.content.shape == pair.truth.shape
        assert (pair.content != pair.truth).any()


def test_unrelated_photos_are_two(photos):
    for pair in made(photos, "unrelated", 9):
        assert pair.record["content"] != pair.record["style"]


def test_the_answer_is_the_styles_grade_on_the_contents_photo(photos):
    pair = made(photos, "unrelated", 1)[0]
    original = np.asarray(Image.open(photos / pair.record["content"]))
    np.testing.assert_array_equal(truth.graded(pair.record["content_grade"], original), pair.content)
    np.testing.assert_array_equal(truth.graded(pair.record["style_grade"], original), pair.truth)


def test_a_seed_makes_the_same_pairs_however_many_are_asked_for(photos):
    first, again, other = made(photos), made(photos, count=2), made(photos, seed=1)
    for pair, same in zip(first, again, strict=False):
        np.testing.assert_array_equal(pair.truth, same.truth)
        assert pair.record == same.record
    assert first[0].record != other[0].record


def test_with_one_grade_the_content_is_the_answer(photos):
    for pair in made(photos, "unrelated", one_grade=True):
        np.testing.assert_array_equal(pair.content, pair.truth)


def test_unrelated_pairs_need_two_photos(photos):
    one = photo_paths(photos)[:1]
    with pytest.raises(InputError, match="two photos"):
        list(truth.make(one, "unrelated", grades.family("training"), 1, 0, 640))


def test_the_command_writes_pairs_that_can_be_read_back(photos, tmp_path, capsys):
    out = tmp_path / "truth"
    arguments = [str(photos), "-o", str(out), "--pairs", "3", "--family", "testing", "--seed", "5"]
    assert make_truth.main(arguments) == 0
    expected = list(truth.make(photo_paths(photos), "overlapping", grades.family("testing"), 3, 5, 640))
    pairs = pairs_in(out)
    assert [pair.name for pair in pairs] == ["0000", "0001", "0002"]
    for pair, same in zip(pairs, expected, strict=True):
        for picture, part in zip((*pair.read(), pair.read_truth()), same[:3], strict=True):
            np.testing.assert_array_equal(picture, part)
    record = json.loads((out / "truth.json").read_text())
    assert record["pairs"]["0001"] == expected[1].record

    assert make_truth.main(arguments) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert make_truth.main([*arguments, "--pairs", "2", "--overwrite"]) == 0
    assert len(pairs_in(out)) == 2


def test_a_users_luts_are_a_family(photos, tmp_path, rng):
    from common.grading.cube import write_cube
    from common.grading.lut import identity

    write_cube(identity(3)[::-1, ::-1, ::-1], tmp_path / "negative.cube")
    out = tmp_path / "truth"
    assert make_truth.main([str(photos), "-o", str(out), "--pairs", "1", "--family", str(tmp_path)]) == 0
    (pair,) = pairs_in(out)
    content, answer = pair.read()[0], pair.read_truth()
    np.testing.assert_array_equal(content, answer)  # one LUT, so both have it
    name, parameters = json.loads((out / "truth.json").read_text())["pairs"]["0000"]["style_grade"][0]
    assert (name, parameters["size"]) == ("lut", 3)


def test_the_folders_of_pst50_are_read_too(tmp_path, rng):
    for part in PST50:
        (tmp_path / part).mkdir()
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).save(tmp_path / part / "1.png")
    (pair,) = pairs_in(tmp_path)
    assert pair.truth == tmp_path / "paired_gt" / "1.png"


def test_a_pair_that_lacks_a_picture_is_an_input_error(photos, tmp_path):
    with pytest.raises(InputError, match="holds no pair"):
        pairs_in(photos)
    make_truth.main([str(photos), "-o", str(tmp_path / "a"), "--pairs", "1"])
    (tmp_path / "a" / "0000_style.png").unlink()
    with pytest.raises(InputError, match="has no style"):
        pairs_in(tmp_path / "a")
