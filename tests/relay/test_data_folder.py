import os
from pathlib import Path

import pytest

from speeddata.errors import RelayError
from speeddata.relay.data_folder import DataFolder, lock_holder, take_lock


def test_folders_are_made(tmp_path: Path) -> None:
    data = DataFolder(tmp_path / "a" / "data")
    data.make()
    data.make()
    assert data.run.is_dir()
    assert data.log.is_dir()
    assert data.archive == tmp_path / "a" / "data" / "archive"
    assert data.registry == tmp_path / "a" / "data" / "registry.db"
    assert data.path.stat().st_mode & 0o007 == 0


def test_a_relative_folder_is_below_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert DataFolder(Path("data")).path == tmp_path / "data"


def test_a_lock_has_one_holder_who_is_named(tmp_path: Path) -> None:
    data = DataFolder(tmp_path)
    data.make()
    assert lock_holder(data.lock("relay")) is None
    fd = take_lock(data.lock("relay"))
    with pytest.raises(RelayError, match=f"^{tmp_path} is in use by process {os.getpid()}$"):
        take_lock(data.lock("relay"))
    assert lock_holder(data.lock("relay")) == os.getpid()
    assert lock_holder(data.lock("pivot")) is None
    os.close(fd)
    assert lock_holder(data.lock("relay")) is None
    os.close(take_lock(data.lock("relay")))
