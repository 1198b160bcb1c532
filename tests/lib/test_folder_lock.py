from pathlib import Path

import pytest

from speeddata.folder_lock import alone_in


def test_one_at_a_time(tmp_path: Path) -> None:
    with alone_in(tmp_path) as first, alone_in(tmp_path) as second:
        assert (first, second) == (True, False)
    with alone_in(tmp_path) as again:
        assert again


def test_another_folder_is_another_matter(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    with alone_in(tmp_path) as first, alone_in(tmp_path / "below") as second:
        assert first
        assert second


def test_what_fails_within_lets_go(tmp_path: Path) -> None:
    with pytest.raises(KeyError), alone_in(tmp_path):
        raise KeyError
    with alone_in(tmp_path) as alone:
        assert alone


def test_a_folder_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), alone_in(tmp_path / "nothing"):
        pass
