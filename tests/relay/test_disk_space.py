from pathlib import Path

import pytest

from speeddata.relay.disk_space import Space, measure


@pytest.mark.parametrize(
    ("free", "percent", "lacking"), [(100, 10, 0), (99, 10, 1), (0, 10, 100), (0, 0, 0), (5, 99, 985)]
)
def test_what_is_lacking(free: int, percent: float, lacking: int) -> None:
    assert Space(1000, free).lacking(percent) == lacking


def test_a_share() -> None:
    assert Space(1000, 125).free_percent == 12.5
    assert Space(0, 0).free_percent == 100.0


def test_this_disk(tmp_path: Path) -> None:
    space = measure(tmp_path)
    assert 0 < space.free <= space.size
    assert measure(tmp_path / "not" / "made").size == space.size
