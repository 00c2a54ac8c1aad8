import dataclasses
import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from common.commands import download
from common.errors import InputError
from common.network import backbone, registry


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A local stand-in for the paper's repository, with one file of VGG's."""
    folder = tmp_path / "repository" / "VGG backbone" / "ckpts"
    folder.mkdir(parents=True)
    (folder / "sencoder.index").write_bytes(b"published")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=folder.parents[1]))
    monkeypatch.setattr(SimpleHTTPRequestHandler, "log_message", lambda *arguments: None)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(download, "REPOSITORY", f"http://127.0.0.1:{server.server_port}/")
    yield folder
    server.shutdown()


@pytest.fixture
def vgg():
    """The backbone, as if its checkpoint were that one file."""
    found = registry.backbone("vgg")
    sha256 = {"sencoder.index": hashlib.sha256(b"published").hexdigest()}
    return dataclasses.replace(found, released=found.released._replace(sha256=sha256))


def test_a_file_is_fetched_and_verified(repository, vgg, tmp_path):
    for _ in range(2):  # the second time it is there
        download.download(vgg, tmp_path / "here")
        assert (tmp_path / "here/sencoder.index").read_bytes() == b"published"
        (repository / "sencoder.index").unlink(missing_ok=True)


def test_what_was_not_published_is_refused(repository, vgg, tmp_path):
    (repository / "sencoder.index").write_bytes(b"tampered")
    with pytest.raises(InputError, match="is not the published file"):
        download.download(vgg, tmp_path / "here")
    assert not any((tmp_path / "here").iterdir())


def test_a_missing_file_is_named(repository, vgg, tmp_path):
    (repository / "sencoder.index").unlink()
    with pytest.raises(InputError, match=r"fetch sencoder.index from there by hand"):
        download.download(vgg, tmp_path / "here")


def test_without_network_there_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(download, "REPOSITORY", "http://127.0.0.1:9/")
    monkeypatch.setattr(backbone, "CKPTS", tmp_path)
    assert download.main(["vgg"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: cannot reach")
    assert error.count("\n") == 1
