"""A folder is stylised on a Ray cluster as it is without one, whatever happens to a worker."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from common.commands import pcakd, stylize_on_ray
from common.commands.storage import Folder
from tests import toy_films

ROOT = Path(__file__).resolve().parents[2]
STYLE = toy_films.PHOTOS / "rocket_launch.jpg"
# As Ray titles a process that is at such a task.
AT_WORK = f"ray::{stylize_on_ray.stylize_on_worker.__name__}"
# In seconds: many times what anything here takes.
LONG = 120


@pytest.fixture(scope="module")
def environment():
    """Variables of processes: clusters have a token of their own."""
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": uuid.uuid4().hex}
    return os.environ | token | {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONPATH": str(ROOT)}


@pytest.fixture
def start(environment, tmp_path):
    """`start("holiday", ...)`: the command as a process of its own, in `tmp_path`."""

    def start(content, *options, style=STYLE):
        command = [sys.executable, "-m", "common.commands.pcakd", "stylize", content, str(style), *options]
        pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen(command, cwd=tmp_path, env=environment, **pipe)

    return start


@pytest.fixture
def holiday(tmp_path):
    """A folder of six photos of a megapixel."""
    folder = tmp_path / "holiday"
    folder.mkdir()
    for number in range(6):
        photo = toy_films.view("summer_palace", 1200 + 8 * number, 900)
        Image.fromarray(np.roll(photo, 100 * number, axis=1)).save(folder / f"{number}.jpg")
    return folder


@pytest.fixture
def cluster(environment):
    """The address of a cluster of two workers."""
    port, of_clients = free_ports(2)
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--num-cpus=2"]
    command += [f"--port={port}", f"--ray-client-server-port={of_clients}", "--include-dashboard=false"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: process.poll() is not None or answers(port))
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.wait(LONG)


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def run(process):
    """Exit status and what is printed, as lines, without those of the bar."""
    printed = process.communicate(timeout=LONG)[0].splitlines()
    return process.returncode, [line for line in printed if line and "photo/s" not in line and "s/photo" not in line]


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def until(condition):
    """What `condition()` gives once that is true."""
    end = time.monotonic() + LONG
    while not (result := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return result


def is_at_work(process):
    with contextlib.suppress(psutil.Error):
        return process.cmdline()[:1] == [AT_WORK]
    return False


def stopped_at_work(ancestor):
    """A worker, a descendant of the process `ancestor`, stopped while it is at a photo; None where there is none."""
    for worker in filter(is_at_work, psutil.Process(ancestor.pid).children(recursive=True)):
        worker.suspend()
        if is_at_work(worker):  # still so, and so it stays
            return worker
        worker.resume()
    return None


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(start, holiday, tmp_path):
    running = start("holiday", "-o", "stylized", "--ray", "local", "--jobs", "2")
    until(lambda: any((tmp_path / "stylized").glob("*.jpg")))
    worker = until(lambda: stopped_at_work(running))
    assert len(list((tmp_path / "stylized").glob("*.jpg"))) < 6
    worker.kill()
    assert run(running) == (0, [])
    assert run(start("holiday", "-o", "expected")) == (0, [])
    assert contents(tmp_path / "stylized") == contents(tmp_path / "expected")


@pytest.mark.slow
def test_urls_failures_and_resuming_on_a_cluster_that_is_there(start, cluster, holiday, tmp_path):
    """A photo that is none costs no other its result, and is told at the end; what is there is not done again."""
    for path in sorted(holiday.iterdir())[3:]:
        path.unlink()
    (holiday / "text.jpg").write_text("no photo")
    toy_films.write(holiday / "film.webm", toy_films.pan("lake_content", 4), codec="libvpx-vp9")
    urls, out = holiday.as_uri(), (tmp_path / "stylized").as_uri()
    command = urls, "-o", out, "--ray", cluster, "--size", "128"
    failure = [f"error: {urls}/text.jpg is not a photo that can be read"]
    assert run(start(*command, style=STYLE.as_uri())) == (1, failure)
    first = contents(tmp_path / "stylized")
    assert set(first) == {"0.jpg", "1.jpg", "2.jpg", "film.webm"}
    assert run(start("holiday", "-o", "expected", "--size", "128"))[0] == 1
    for name in ("0.jpg", "1.jpg", "2.jpg"):
        assert first[name] == (tmp_path / "expected" / name).read_bytes()
    refused = [f"error: {out}/{name} exists; --overwrite replaces it" for name in sorted(first)]
    assert run(start(*command)) == (1, refused + failure)

    (tmp_path / "stylized/1.jpg").unlink()
    (tmp_path / "stylized/0.jpg").write_text("kept")
    assert run(start(*command, "--resume", "--jobs", "1")) == (1, failure)
    assert contents(tmp_path / "stylized") == first | {"0.jpg": b"kept"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("photos", "style.jpg", "--ray", "nonsense"), "--ray nonsense: give local, auto, HOST:PORT or ray://HOST:PORT"),
        (("photos", "style.jpg", "--ray", "host:99999"), "--ray host:99999: give local, auto, HOST:PORT or ray://HOST:PORT"),
        (("photos", "style.jpg", "--ray", "localhost:1"), "no Ray cluster answers at localhost:1"),
        (("photos/0.png", "style.jpg", "--ray", "local"), "--ray takes a folder of photos: photos/0.png is none"),
        (("none", "style.jpg", "--ray", "local"), "--ray takes a folder of photos: none is none"),
        (("empty", "style.jpg", "--ray", "local"), "empty holds no photo"),
        (("photos", "none.jpg", "--ray", "local"), "none.jpg: no such file"),
        (("photos", "nowhere://b/c.jpg", "--ray", "local"), "nowhere://b: Protocol not known: nowhere"),
        (("photos", "style.jpg", "--ray", "local", "--mask", "style.jpg"), "--mask is of one photo, not of a folder"),
        (("photos", "style.jpg", "--ray", "local", "--save-look", "look.npz"), "--save-look takes one photo"),
        (("photos", "style.jpg", "--ray", "local", "--resume", "--overwrite"), "give one of both"),
        (("memory://photos", "style.jpg"), "memory://photos: URLs go with --ray"),
        (("photos", "style.jpg", "-o", "s3://bucket/out"), "s3://bucket/out: URLs go with --ray"),
        (("photos", "style.jpg", "--mix", "s3://bucket/a.jpg=0.5"), "s3://bucket/a.jpg: URLs go with --ray"),
    ],
)
def test_what_cannot_be_done_is_one_line(photos, tmp_path, monkeypatch, capfd, words, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    Image.open(photos / "0.png").save("style.jpg")
    before = sorted(tmp_path.rglob("*"))
    assert pcakd.main(["stylize", *words]) == 1
    printed = capfd.readouterr().err
    assert printed.startswith("error: ")
    assert printed.count("\n") == 1
    assert message in printed
    assert sorted(tmp_path.rglob("*")) == before


def test_without_ray_it_is_said_how_to_get_it(photos, monkeypatch, capfd):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert pcakd.main(["stylize", str(photos), str(STYLE), "--ray", "local"]) == 1
    assert capfd.readouterr().err.startswith('error: --ray needs Ray, which is not installed: pip install "ray>=')


def test_a_photo_that_loses_every_worker_is_told(tmp_path):
    lost = stylize_on_ray.outcomes([(("a.jpg", "a.jpg"), None)], Folder(tmp_path))
    assert list(lost) == [("a.jpg", 1, f"{tmp_path}/a.jpg: 4 workers were lost with it")]


def test_warnings_of_a_worker_are_told_with_the_names_of_the_files_in_storage(tmp_path, monkeypatch, capfd):
    """Without a cluster: what a worker does, called here."""
    film = toy_films.write(tmp_path / "film.mkv", toy_films.pan("city_content", 60), options={"g": "10"})
    film.write_bytes(film.read_bytes()[: film.stat().st_size // 2])

    def here(ray, work, job, pairs, jobs):
        return ((pair, work(job, *pair)) for pair in pairs)

    monkeypatch.setattr(stylize_on_ray.ray_cluster, "joined", lambda *_: contextlib.nullcontext())
    monkeypatch.setattr(stylize_on_ray.ray_cluster, "results", here)
    url = tmp_path.as_uri()
    assert pcakd.main(["stylize", url, str(STYLE), "-o", f"{url}/out", "--ray", "local", "--size", "96"]) == 3
    printed = capfd.readouterr().err
    assert f"warning: {url}/film.mkv breaks off" in printed
    assert f"; {url}/out/film.mkv holds what could be read\n" in printed


def test_where_nothing_is_left_to_do_no_cluster_is_joined(photos, monkeypatch):
    command = ["stylize", str(photos), str(STYLE), "-o", str(photos), "--ray", "local", "--resume"]
    monkeypatch.setattr(stylize_on_ray.ray_cluster, "joined", lambda *_: pytest.fail("joined"))
    assert pcakd.main(command) == 0
