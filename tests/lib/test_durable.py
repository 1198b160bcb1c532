import os
import stat

import pytest

from speeddata.durable import sync_folder, take_after


def test_a_file_takes_after_another(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.touch(0o600)
    other.touch()
    other.chmod(0o604)
    with one.open("wb") as file:
        take_after(file.fileno(), other.stat())
    assert stat.S_IMODE(one.stat().st_mode) == 0o604


def test_an_owner_that_may_not_be_given_is_not(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    (tmp_path / "one").touch()
    with (tmp_path / "one").open("wb") as file:
        take_after(file.fileno(), tmp_path.stat())


def test_a_folder_is_brought_to_the_disk(tmp_path, monkeypatch):
    synced, real = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append(os.readlink(f"/proc/self/fd/{fd}")) or real(fd))
    sync_folder(tmp_path)
    assert synced == [str(tmp_path)]
    with pytest.raises(OSError):
        sync_folder(tmp_path / "none")
