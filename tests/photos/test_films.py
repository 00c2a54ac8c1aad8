"""Film files: what is read of every kind, and what is kept when one is written."""

from fractions import Fraction

import av
import numpy as np
import pytest

from common.errors import InputError
from common.photos import film_writer, films
from common.photos.film_writer import require_film_writable, write_film
from common.photos.films import Film
from tests import toy_films


def frames_of(path):
    film = Film(path)
    return film, list(film.frames())


def rewritten(source, target, **options):
    """A film written again with its own frames: the film, its frames, and what was lost."""
    film = Film(source)
    lost = write_film(film.frames(), film, target, **options)
    return *frames_of(target), lost


def difference(frames, others):
    return np.mean([np.abs(a.astype(int) - b).mean() for a, b in zip(frames, others, strict=True)])


def test_frames_come_with_their_times(tmp_path):
    made = toy_films.pan("lake_content", 10)
    film, frames = frames_of(toy_films.write(tmp_path / "film.mp4", made, rate=20))
    assert [float(frame.seconds) for frame in frames] == [index / 20 for index in range(10)]
    assert (film.rate, float(film.seconds), film.damage) == (20, 0.5, None)
    assert difference([frame.pixels for frame in frames], made) < 6


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".ts"])
def test_times_of_a_variable_rate_are_kept(tmp_path, ending):
    times = [0, 40, 130, 150, 400, 433, 900]
    source = toy_films.write(tmp_path / "film.mkv", toy_films.pan("lake_content", 7), times=times)
    _, frames, lost = rewritten(source, tmp_path / f"out{ending}")
    assert [round(1000 * frame.seconds) for frame in frames] == times
    assert lost == []


def test_writing_changes_no_colour(tmp_path):
    """Greys and colours come back to within what the codec takes, without a bias."""
    made = [
        np.full((64, 96, 3), colour, np.uint8) for colour in ((20, 20, 20), (128, 128, 128), (200, 90, 40), (30, 90, 220))
    ]
    source = toy_films.write(tmp_path / "film.mp4", made)
    before = [frame.pixels for frame in frames_of(source)[1]]
    _, frames, _ = rewritten(source, tmp_path / "out.mp4", crf=5)
    assert difference([frame.pixels for frame in frames], before) < 1


@pytest.mark.parametrize("tags", [(1, 1, 1, 1), (5, 2, 5, 6), (9, 1, 9, 14), (2, 0, 2, 2)])
def test_colour_tags_are_kept(tmp_path, tags):
    names = ("colorspace", "color_range", "color_primaries", "color_trc")
    made = toy_films.pan("stream_content", 3)
    source = toy_films.write(tmp_path / "film.mp4", made, tags=dict(zip(names, tags, strict=True)))
    before, frames = frames_of(source)
    after, again, _ = rewritten(source, tmp_path / "out.mp4", crf=5)
    assert before.colour == after.colour == tags
    assert difference([f.pixels for f in again], [f.pixels for f in frames]) < 2


@pytest.mark.skipif(not hasattr(av.VideoStream, "set_display_rotation"), reason="PyAV 17 reads a rotation but writes none")
@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_a_turned_film_comes_upright(tmp_path, degrees):
    made = toy_films.pan("lake_content", 2)
    lying = [np.ascontiguousarray(np.rot90(frame, -round(degrees / 90))) for frame in made]
    source = toy_films.write(tmp_path / "film.mp4", lying, turned=degrees)
    _, frames = frames_of(source)
    assert frames[0].pixels.shape == made[0].shape
    assert difference([frame.pixels for frame in frames], made) < 6
    _, again, _ = rewritten(source, tmp_path / "out.mp4")
    assert again[0].pixels.shape == made[0].shape


@pytest.mark.parametrize(
    ("codec", "pixels", "ending"),
    [
        ("libx264", "yuv420p10le", ".mp4"),
        ("libx264", "yuv444p", ".mp4"),
        ("libx264rgb", "rgb24", ".mkv"),
        ("mjpeg", "yuvj420p", ".avi"),
    ],
)
def test_pixels_of_any_kind_are_read(tmp_path, codec, pixels, ending):
    made = toy_films.pan("lake_content", 4)
    source = toy_films.write(tmp_path / f"film{ending}", made, codec=codec, pixels=pixels)
    _, frames = frames_of(source)
    assert difference([frame.pixels for frame in frames], made) < 8
    _, again, _ = rewritten(source, tmp_path / "out.mp4", crf=5)
    assert difference([f.pixels for f in again], [f.pixels for f in frames]) < 3


def test_an_odd_size_is_filled_up_to_an_even_one(tmp_path):
    made = toy_films.pan("lake_content", 3, width=97, height=63)
    source = toy_films.write(tmp_path / "film.mkv", made, codec="ffv1", pixels="yuv444p")
    _, frames, _ = rewritten(source, tmp_path / "out.mp4")
    assert frames[0].pixels.shape == (64, 98, 3)


def test_a_film_of_one_frame(tmp_path):
    source = toy_films.write(tmp_path / "film.mp4", toy_films.pan("lake_content", 1))
    film, frames, _ = rewritten(source, tmp_path / "out.mp4")
    assert (len(frames), film.damage) == (1, None)


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".ts"])
def test_sound_is_copied_bit_by_bit(tmp_path, ending):
    source = toy_films.write(tmp_path / "film.mp4", toy_films.pan("lake_content", 30), sound=True)
    _, frames, lost = rewritten(source, tmp_path / f"out{ending}")
    assert (len(frames), lost) == (30, [])
    copied = toy_films.packets(tmp_path / f"out{ending}", "audio")
    if ending != ".ts":  # there each packet begins with a header
        assert copied == toy_films.packets(source, "audio")
    assert len(copied) == len(toy_films.packets(source, "audio"))


def test_sound_that_a_container_cannot_hold_is_left_out_and_named(tmp_path):
    source = toy_films.write(tmp_path / "film.mp4", toy_films.pan("lake_content", 5), sound=True)
    assert rewritten(source, tmp_path / "out.webm")[2] == ["sound (aac)"]


def test_subtitles_names_and_chapters_are_kept(tmp_path):
    bare = toy_films.write(tmp_path / "bare.mkv", toy_films.pan("lake_content", 50))
    source = toy_films.with_subtitles(bare, tmp_path / "film.mkv")
    assert rewritten(source, tmp_path / "out.mkv")[2] == []
    assert toy_films.packets(tmp_path / "out.mkv", "subtitle") == toy_films.packets(source, "subtitle") == [b"Hello", b"Bye"]
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.metadata["title"] == "A lake"
        assert container.streams.subtitles[0].language == "deu"
        assert [(chapter["start"], chapter["metadata"]["title"]) for chapter in container.chapters()][:1] == [(0, "One")]
    assert rewritten(source, tmp_path / "out.mp4")[2] == ["subtitles (srt)"]


@pytest.mark.parametrize("kept", [0.5, 0.9])
@pytest.mark.parametrize("sound", [False, True])
def test_a_film_that_breaks_off_gives_what_can_be_read(tmp_path, kept, sound):
    whole = toy_films.write(tmp_path / "film.mkv", toy_films.pan("city_content", 100), options={"g": "10"}, sound=sound)
    assert frames_of(whole)[0].damage is None
    content = whole.read_bytes()
    whole.write_bytes(content[: round(kept * len(content))])
    film, frames = frames_of(whole)
    assert 30 <= len(frames) < 100
    assert "breaks off" in film.damage


def test_damage_in_the_middle_is_passed_over(tmp_path):
    source = toy_films.write(tmp_path / "film.ts", toy_films.pan("city_content", 60), options={"g": "10"})
    content = bytearray(source.read_bytes())
    for start in range(len(content) // 3, len(content) // 2, 7):
        content[start] ^= 0x55
    source.write_bytes(content)
    film, frames = frames_of(source)
    assert len(frames) >= 20
    assert film.damage


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("text.mp4", "text.mp4 is not a film that can be read"),
        ("empty.mp4", "empty.mp4 is not a film that can be read"),
        ("none.mp4", "none.mp4: no such file"),
        ("sound.mp4", "sound.mp4 is a film without pictures"),
        ("folder.mp4", "folder.mp4 is a folder, not a film"),
    ],
)
def test_what_is_no_film_is_said_in_one_sentence(tmp_path, name, complaint):
    (tmp_path / "text.mp4").write_text("no film")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    with av.open(str(tmp_path / "sound.mp4"), "w") as container:
        toy_films.add_hum(container, container.add_stream("aac", rate=48000), 1)
    with pytest.raises(InputError, match=complaint):
        Film(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "codec", "complaint"),
    [
        ("out.txt", None, "cannot write .txt, only .mp4"),
        ("none/out.mp4", None, "no such folder"),
        ("out.mp4", "nonsense", "the codec nonsense is not there"),
        ("out.mp4", "aac", "the codec aac encodes audio, not pictures"),
    ],
)
def test_what_cannot_be_written_is_said_before(tmp_path, name, codec, complaint):
    with pytest.raises(InputError, match=complaint):
        require_film_writable(tmp_path / name, codec)


@pytest.mark.parametrize(
    ("name", "codec", "complaint"),
    [
        ("out.webm", "libx264", "a webm file cannot hold pictures of libx264"),
        ("out.mov", "dvvideo", "out.mov cannot be written with dvvideo: "),
    ],
)
def test_an_encoder_that_fails_is_one_sentence(tmp_path, name, codec, complaint):
    source = toy_films.write(tmp_path / "film.mp4", toy_films.pan("lake_content", 3))
    film = Film(source)
    with pytest.raises(InputError, match=complaint):
        write_film(film.frames(), film, tmp_path / name, codec)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4"]


def test_pixels_that_are_not_square_stay_so(tmp_path):
    made = toy_films.pan("lake_content", 3)
    source = toy_films.write(tmp_path / "film.mp4", made, tags={"sample_aspect_ratio": Fraction(4, 3)})
    assert rewritten(source, tmp_path / "out.mp4")[0].pixel_aspect == Fraction(4, 3)


def test_nothing_is_left_where_writing_fails(tmp_path):
    source = toy_films.write(tmp_path / "film.mp4", toy_films.pan("lake_content", 30))
    film = Film(source)

    def frames():
        yield from list(film.frames())[:20]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_film(frames(), film, tmp_path / "out.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4"]


def test_without_pyav_a_film_is_one_clear_sentence(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(InputError, match="films need PyAV, which is not installed"):
        Film(tmp_path / "film.mp4")


def test_each_container_that_is_written_is_a_film():
    assert set(film_writer.CODECS) <= set(films.FILMS)
