"""Files appear whole or not at all, and nothing of the user's is replaced unasked."""

import os
import subprocess
import sys

import pytest

from common import files
from common.errors import InputError
from common.files import require_absent, written_whole


def test_a_file_is_there_when_it_is_whole(tmp_path):
    path = tmp_path / "result.txt"
    with written_whole(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        temporary.write_text("whole")
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), written_whole(tmp_path / "result.txt") as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_cleared_by_the_next_write(tmp_path):
    code = (
        "import os, pathlib, sys; from common.files import written_whole\n"
        "with written_whole(pathlib.Path(sys.argv[1])) as t: t.write_text('half'); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "result.txt"], cwd=os.path.dirname(os.path.dirname(__file__)))
    assert len(list(tmp_path.iterdir())) == 1
    with written_whole(tmp_path / "other.txt") as temporary:
        temporary.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["other.txt"]


def test_what_another_machine_writes_to_a_shared_folder_is_left_alone(tmp_path, monkeypatch):
    """Its processes cannot be seen from here."""
    with written_whole(tmp_path / "theirs.txt") as theirs:
        theirs.write_text("half")
        monkeypatch.setattr(files.platform, "node", lambda: "another")
        monkeypatch.setattr(files.psutil, "pid_exists", lambda process: False)
        with written_whole(tmp_path / "ours.txt") as ours:
            ours.write_text("whole")
        assert theirs.exists()


def test_a_name_as_long_as_there_may_be_can_be_written(tmp_path):
    path = tmp_path / f"{'x' * 251}.txt"
    with written_whole(path) as temporary:
        assert temporary.suffix == ".txt"
        temporary.write_text("whole")
    assert path.read_text() == "whole"


def test_a_link_to_nothing_is_not_replaced_unasked(tmp_path):
    (tmp_path / "link.txt").symlink_to(tmp_path / "nothing")
    with pytest.raises(InputError, match="exists; --overwrite replaces it"):
        require_absent(tmp_path / "link.txt", overwrite=False)
