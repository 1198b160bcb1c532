"""Who has a file open for writing, with real files."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from speeddata.open_files import open_for_writing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    if open_for_writing(path) is None:
        pytest.skip("no leases on this file system")
    return path


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND])
def test_a_writer_is_seen_until_it_closes(path: Path, flags: int) -> None:
    assert open_for_writing(path) is False
    fd = os.open(path, flags)
    assert open_for_writing(path) is True
    os.close(fd)
    assert open_for_writing(path) is False


def test_readers_do_not_matter(path: Path) -> None:
    with path.open("rb"):
        assert open_for_writing(path) is False


def test_a_writer_in_another_process_is_seen(path: Path) -> None:
    code = "import sys; file = open(sys.argv[1], 'ab'); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-P", "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        assert open_for_writing(path) is True
        other.stdin.close()
        other.wait(20)
    assert open_for_writing(path) is False


def test_where_nothing_is_told(tmp_path: Path) -> None:
    assert open_for_writing(tmp_path) is None  # a folder
    with pytest.raises(FileNotFoundError):
        open_for_writing(tmp_path / "nothing")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(OSError, match="symbolic links"):
        open_for_writing(tmp_path / "link")
