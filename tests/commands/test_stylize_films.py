"""The stylize command on films: what it writes, and what it says of what is no good."""

import numpy as np
import pytest
from PIL import Image

from common.commands import stylize
from common.photos import film_writer
from common.photos.films import Film
from tests import toy_films


@pytest.fixture
def run(tmp_path, capfd):
    """`run("film.mp4", ...)` -> exit status and stderr; the content is below `tmp_path`."""

    def run(content, *options):
        arguments = [
            str(tmp_path / content),
            str(toy_films.PHOTOS / "rocket_launch.jpg"),
            "--size",
            "96",
            *map(str, options),
        ]
        capfd.readouterr()
        status = stylize.main("mobilenet", "Stylise.", arguments)
        return status, capfd.readouterr().err

    return run


@pytest.fixture
def film(tmp_path):
    """A film of twelve frames with sound."""
    return toy_films.write(tmp_path / "film.mp4", toy_films.pan("lake_content", 12), sound=True)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_film_becomes_a_film_with_its_sound(run, film, tmp_path):
    assert run("film.mp4") == (0, "")
    result = Film(tmp_path / "film.stylized.mp4")
    frames, before = list(result.frames()), list(Film(film).frames())
    assert [frame.seconds for frame in frames] == [frame.seconds for frame in before]
    assert toy_films.packets(result.path, "audio") == toy_films.packets(film, "audio")
    changed = np.mean([np.abs(a.pixels.astype(int) - b.pixels).mean() for a, b in zip(frames, before, strict=True)])
    assert changed > 10
    assert run("film.mp4") == (1, f"error: {result.path} exists; --overwrite replaces it\n")


@pytest.mark.parametrize("options", [("--every", "4"), ("--smoothing", "0"), ("--crf", "30"), ("--codec", "libx265")])
def test_options_of_films(run, film, tmp_path, options):
    assert run("film.mp4", "-o", tmp_path / "out.mp4", *options) == (0, "")
    assert len(list(Film(tmp_path / "out.mp4").frames())) == 12


def test_an_ending_that_is_not_written_becomes_mp4(run, film, tmp_path):
    toy_films.write(tmp_path / "old.avi", toy_films.pan("lake_content", 3), codec="mpeg4")
    assert run("old.avi") == (0, "")
    assert "old.stylized.mp4" in names(tmp_path)


def test_a_folder_of_photos_and_films(run, film, tmp_path):
    """Each by itself; the one that is no good is named, and the status is 1."""
    Image.fromarray(toy_films.view("lake_content")).save(tmp_path / "photo.png")
    (tmp_path / "text.mkv").write_text("no film")
    status, printed = run("", "-o", tmp_path / "out")
    assert status == 1
    assert f"error: {tmp_path / 'text.mkv'} is not a film that can be read" in printed
    assert names(tmp_path / "out") == ["film.mp4", "photo.png"]


def test_a_film_that_breaks_off_has_a_status_of_its_own(run, tmp_path):
    film = toy_films.write(tmp_path / "film.mkv", toy_films.pan("city_content", 60), options={"g": "10"})
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])
    status, printed = run("film.mkv")
    assert status == 3
    assert printed.startswith(f"warning: {film} breaks off after")
    assert len(list(Film(tmp_path / "film.stylized.mkv").frames())) > 10


def test_sound_that_cannot_be_kept_is_named(run, film, tmp_path):
    status, printed = run("film.mp4", "-o", tmp_path / "out.webm")
    assert (status, printed) == (0, f"warning: {tmp_path / 'out.webm'} has no sound (aac): a .webm file cannot hold it\n")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--finish", "guided"), "films take --finish look, not guided"),
        (("--fit", "resize"), "films take --fit pad, not resize"),
        (("--save-look", "x.npz"), "--save-look takes one photo"),
        (("--codec", "nonsense"), "the codec nonsense is not there"),
        (("-o", "out.jpg"), "out.jpg: cannot write .jpg, only .mp4"),
        (("-o", "none/out.mp4"), "no such folder to write out.mp4 to"),
    ],
)
def test_what_does_not_go_with_films_is_one_line(run, film, tmp_path, options, complaint):
    status, printed = run("film.mp4", *options)
    assert (status, printed.count("\n")) == (1, 1)
    assert complaint in printed
    assert names(tmp_path) == ["film.mp4"]


def test_interrupted_nothing_is_left(run, film, tmp_path, monkeypatch):
    add, count = film_writer.Writer.add, []

    def interrupted(writer, frame):
        count.append(0)
        if len(count) == 5:
            raise KeyboardInterrupt
        add(writer, frame)

    monkeypatch.setattr(film_writer.Writer, "add", interrupted)
    assert run("film.mp4") == (130, "interrupted\n")
    assert names(tmp_path) == ["film.mp4"]
