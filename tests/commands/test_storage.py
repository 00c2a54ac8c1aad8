"""Folders here and in storage that fsspec knows, for which its memory stands in."""

import pickle
import sys
import uuid

import fsspec
import pytest

from common.commands.storage import Folder, local_copy
from common.errors import InputError


@pytest.fixture
def url():
    """The URL of a folder of two files and a folder."""
    files, name = fsspec.filesystem("memory"), f"/{uuid.uuid4().hex}"
    files.makedirs(f"{name}/inner")
    files.pipe({f"{name}/a.txt": b"one", f"{name}/[b].txt": b"three"})
    yield f"memory:/{name}"
    files.rm(name, recursive=True)


@pytest.fixture(params=["path", "url", "file url"])
def folder(request, url, tmp_path):
    """The same folder, named in several ways."""
    if request.param == "url":
        return Folder(url)
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.txt").write_text("one")
    (tmp_path / "[b].txt").write_text("three")
    return Folder(tmp_path if request.param == "path" else tmp_path.as_uri())


def test_files_are_listed_with_their_sizes(folder):
    assert folder.sizes() == {"a.txt": 3, "[b].txt": 5}


def test_a_file_is_read_and_one_is_written(folder):
    folder = pickle.loads(pickle.dumps(folder))
    with folder.reading("[b].txt") as source, folder.writing("new [c].txt") as target:
        target.write_bytes(source.read_bytes())
    assert folder.sizes() == {"a.txt": 3, "[b].txt": 5, "new [c].txt": 5}


def test_a_result_replaces_another(folder):
    with folder.writing("a.txt") as target:
        target.write_text("longer")
    assert folder.sizes()["a.txt"] == 6


def test_an_error_leaves_nothing_in_storage_and_names_the_file_there(url):
    folder = Folder(url)
    with pytest.raises(InputError) as caught, folder.writing("c.txt") as target:  # noqa: PT012
        target.write_text("half")
        raise InputError(f"{target} is no good")
    assert str(caught.value) == f"{url}/c.txt is no good"
    assert set(folder.sizes()) == {"a.txt", "[b].txt"}


def test_a_folder_is_made_with_those_around_it(url):
    folder = Folder(f"{url}/x/y")
    assert (folder.exists(), folder.sizes()) == (False, {})
    folder.make()
    folder.make()
    assert folder.exists()


def test_what_is_missing_is_named(url):
    with pytest.raises(InputError, match=rf"^{url}/none.txt: no such file or folder$"), local_copy(f"{url}/none.txt"):
        pass
    with local_copy(f"{url}/a.txt") as path:
        assert (path.name, path.read_text()) == ("a.txt", "one")
    assert not path.exists()


def test_storage_that_is_not_known_is_one_sentence():
    with pytest.raises(InputError, match=r"^nowhere://bucket: Protocol not known: nowhere$"):
        Folder("nowhere://bucket")


def test_without_fsspec_it_is_said_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(InputError, match='need fsspec, which is not installed: pip install "fsspec>='):
        Folder(tmp_path)
