from pathlib import Path

import pytest

from speeddata.relay.data_folder import DataFolder


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
