"""A folder is gone through by several workers, and what fails costs nothing else its result."""

import argparse
import threading

import pytest
from PIL import Image

from common.commands import results
from common.errors import InputError


@pytest.fixture
def contents(tmp_path):
    """Four files, each larger than the one before."""
    paths = [tmp_path / f"{number}.png" for number in range(4)]
    for number, path in enumerate(paths):
        path.write_bytes(b"x" * (number + 1))
    return paths


def go(work, contents, *words, require=lambda *paths: None):
    parser = argparse.ArgumentParser()
    results.add_folder_options(parser)
    outputs = [path.with_suffix(".out") for path in contents]
    return results.for_each(work, contents, outputs, require, parser.parse_args(words))


def test_the_largest_come_first(contents):
    seen = []
    assert go(lambda content, _: seen.append(content.stem) or 0, contents, "--jobs", "1") == 0
    assert seen == ["3", "2", "1", "0"]


def test_so_many_are_under_way_at_a_time(contents):
    """Each waits until as many as there are jobs have come."""
    barrier = threading.Barrier(2, timeout=20)

    def work(content, output):
        barrier.wait()
        return 0

    assert go(work, contents, "--jobs", "2") == 0


def test_resume_leaves_out_what_is_done(contents):
    contents[1].with_suffix(".out").write_text("done")
    seen = []
    assert go(lambda content, _: seen.append(content.stem) or 0, contents, "--resume") == 0
    assert sorted(seen) == ["0", "2", "3"]


def test_failures_are_told_at_the_end_and_cost_no_other_its_result(contents, capsys):
    def work(content, output):
        failures = {
            "1": InputError(f"{content} is no good"),
            "2": OSError(28, "No space left", str(content)),
            "3": MemoryError(),
        }
        if content.stem in failures:
            raise failures[content.stem]
        output.write_text("done")
        return 0

    assert go(work, contents) == 1
    *_, first, second, third = capsys.readouterr().err.strip().splitlines()
    assert first == f"error: {contents[1]} is no good"
    assert second == f"error: {contents[2]}: No space left"
    assert third == f"error: {contents[3]}: too little memory"
    assert contents[0].with_suffix(".out").exists()


def test_the_largest_status_counts(contents):
    assert go(lambda content, _: int(content.stem) + 1, contents) == 4


def test_a_link_to_nothing_costs_no_other_its_result(contents, tmp_path, capsys):
    link = tmp_path / "link.png"
    link.symlink_to(tmp_path / "gone.png")

    def work(content, output):
        content.read_bytes()
        return 0

    assert go(work, [*contents, link]) == 1
    assert capsys.readouterr().err.endswith(f"error: {link}: No such file or directory\n")


def test_ctrl_c_ends_it(contents):
    def work(content, output):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(work, contents, "--jobs", "1")


def test_jobs_are_as_many_as_the_memory_holds(tmp_path, monkeypatch):
    Image.new("L", (1000, 1000)).save(tmp_path / "large.png")
    (tmp_path / "film.mp4").write_bytes(b"no photo")
    monkeypatch.setattr(results.os, "sched_getaffinity", lambda _: range(8))
    for free, jobs in ((100e6, 1), (700e6, 3), (1e12, 8)):
        monkeypatch.setattr(results.psutil, "virtual_memory", lambda free=free: argparse.Namespace(available=int(free)))
        assert results.jobs_for(sorted(tmp_path.iterdir()), bytes_per_pixel=20) == jobs


@pytest.mark.parametrize(
    ("words", "is_folder", "message"),
    [(["--jobs", "2"], False, "go with a folder"), (["--resume", "--overwrite"], True, "give one of both")],
)
def test_options_that_do_nothing_are_refused(words, is_folder, message):
    parser = argparse.ArgumentParser()
    results.add_folder_options(parser)
    parser.add_argument("--overwrite", action="store_true")
    with pytest.raises(InputError, match=message):
        results.require_folder_options(parser.parse_args(words), is_folder)
