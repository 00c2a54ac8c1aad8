"""Saved looks on other photos, and styles as LUTs: `pcakd apply` and `pcakd lut`."""

import numpy as np
import pytest
from PIL import Image

from common.commands import pcakd
from common.grading import lut as luts
from common.grading.cube import read_cube, write_cube
from common.network.registry import load_network
from common.photos import read_rgb
from common.transfer import Look, Stylizer


@pytest.fixture(scope="module")
def looks(tmp_path_factory):
    """A folder with looks saved at grade 0, 0.5 and 1."""
    folder = tmp_path_factory.mktemp("looks")
    network, rng = load_network("mobilenet"), np.random.default_rng(0)
    content, style = (rng.integers(0, 256, (40, 48, 3), np.uint8) for _ in range(2))
    for grade in (0.0, 0.5, 1.0):
        stylizer = Stylizer(network, grade=grade)
        stylizer.look(content, stylizer.analyze(style)).save(folder / f"{grade:g}.npz")
    return folder


def run(*arguments):
    return pcakd.main([str(argument) for argument in arguments])


def test_a_look_is_applied_to_a_photo(looks, photos, tmp_path):
    assert run("apply", looks / "0.5.npz", photos / "0.png", "-o", tmp_path / "a.png") == 0
    expected = Look.load(looks / "0.5.npz").apply(read_rgb(photos / "0.png"))
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), expected)


def test_a_series_gets_one_look(looks, photos, tmp_path, capsys):
    (photos / "text.jpg").write_text("no photo")
    assert run("apply", looks / "0.5.npz", photos, "-o", tmp_path / "out") == 1
    assert "text.jpg is not a photo" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0.png", "1.png", "2.png"]


def test_its_dial_can_be_turned_as_far_as_it_was_saved(looks, photos, tmp_path, capsys):
    assert run("apply", looks / "0.5.npz", photos / "0.png", "-o", tmp_path / "a.png", "--grade", 1) == 0
    lut = Look.load(looks / "0.5.npz").lut
    np.testing.assert_array_equal(read_rgb(tmp_path / "a.png"), luts.apply(lut, read_rgb(photos / "0.png")))
    for saved, asked, complaint in (("0", 0.5, "holds no grade"), ("1", 0.5, "holds the grade alone")):
        assert run("apply", looks / f"{saved}.npz", photos / "0.png", "-o", tmp_path / "b.png", "--grade", asked) == 1
        assert complaint in capsys.readouterr().err
    assert not (tmp_path / "b.png").exists()


def test_nothing_is_overwritten_unasked(looks, photos, tmp_path, capsys):
    (tmp_path / "a.png").write_bytes(b"mine")
    assert run("apply", looks / "0.npz", photos / "0.png", "-o", tmp_path / "a.png") == 1
    assert "a.png exists; --overwrite replaces it" in capsys.readouterr().err
    assert (tmp_path / "a.png").read_bytes() == b"mine"


def test_a_style_becomes_a_lut_by_way_of_reference_photos(photos, tmp_path, capsys):
    options = "--reference", photos, "--preset", "natural", "--size", 17
    assert run("lut", photos / "0.png", "-o", tmp_path / "style.cube", *options) == 0
    assert "dB from the looks of 3 photos" in capsys.readouterr().out
    assert read_cube(tmp_path / "style.cube").shape == (17, 17, 17, 3)


def test_what_cannot_become_a_lut_is_one_line(photos, tmp_path, capsys):
    for options, complaint in (
        (("-o", tmp_path / "style.lut"), "has to end in .cube"),
        (("-o", tmp_path / "style.cube", "--size", 20), "not one more than a multiple of 4"),
    ):
        assert run("lut", photos / "0.png", "--reference", photos, *options) == 1
        printed = capsys.readouterr().err
        assert complaint in printed
        assert printed.count("\n") == 1


def test_ffmpeg_gives_the_same_pixels(tmp_path, rng):
    av = pytest.importorskip("av")
    nodes = luts.identity(9) ** np.float32(1.3) * np.float32((1, 0.8, 0.6))
    write_cube(nodes, tmp_path / "grade.cube")
    photo = rng.integers(0, 256, (48, 64, 3), np.uint8)
    graph = av.filter.Graph()
    source = graph.add_buffer(width=64, height=48, format="rgb24", time_base=1)
    grade = graph.add("lut3d", f"file={tmp_path / 'grade.cube'}:interp=trilinear")
    sink = graph.add("buffersink")
    source.link_to(grade)
    grade.link_to(sink)
    graph.configure()
    source.push(av.VideoFrame.from_ndarray(photo, "rgb24"))
    result = sink.pull().to_ndarray(format="rgb24")
    assert np.abs(result.astype(int) - luts.apply(nodes, photo)).max() <= 1


def test_pillow_gives_the_same_pixels(tmp_path, rng):
    from PIL import ImageFilter

    nodes = luts.identity(9) ** np.float32(1.3)
    write_cube(nodes, tmp_path / "grade.cube")
    lines = (tmp_path / "grade.cube").read_text().splitlines()
    table = [tuple(map(float, line.split())) for line in lines if line[0].isdigit()]
    photo = rng.integers(0, 256, (20, 30, 3), np.uint8)
    result = np.asarray(Image.fromarray(photo).filter(ImageFilter.Color3DLUT(9, table)))
    np.testing.assert_array_equal(result, luts.apply(nodes, photo))
