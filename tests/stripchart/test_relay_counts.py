from typing import Any

import pytest

from speeddata.stripchart.relay_counts import Missing, RelayCounts


def channel(
    gaps: int = 0, late: int = 0, drops: int = 0, skipped: int = 0, life: str = "1"
) -> dict[str, Any]:
    sequence = {"gaps": gaps, "reordered": late, "duplicates": 0}
    stats = {"sequence": sequence, "kernel_drops": drops, "decimate_skipped_blocks": skipped, "since": life}
    return {"name": "c", "stats": stats}


def found(*looks: dict[str, Any]) -> list[Missing | None]:
    counts = RelayCounts()
    return [counts.look([told], n * 10**9).get("c") for n, told in enumerate(looks)]


def test_what_was_lost_before_the_first_look_is_not_told() -> None:
    assert found(channel(gaps=7, drops=2), channel(gaps=7, drops=2)) == [None, None]


def test_what_was_lost_between_two_looks() -> None:
    assert found(channel(), channel(gaps=3), channel(gaps=3)) == [None, Missing(3, False, 10**9), None]
    assert found(channel(), channel(drops=3)) == [None, Missing(0, True, 10**9)]
    assert found(channel(), channel(gaps=1, skipped=1)) == [None, Missing(1, True, 10**9)]


def test_what_comes_late_is_not_missing_once_more() -> None:
    looks = (
        channel(),
        channel(gaps=3),
        channel(gaps=3, late=3),
        channel(gaps=6, late=3),
        channel(gaps=7, late=3),
    )
    assert found(*looks) == [None, Missing(3, False, 10**9), None, None, Missing(1, False, 10**9)]


def test_a_relay_that_began_anew_counts_from_there() -> None:
    looks = channel(gaps=9), channel(gaps=1, life="2"), channel(gaps=2, life="2")
    assert found(*looks) == [None, None, Missing(1, False, 10**9)]


@pytest.mark.parametrize("stats", [None, {}, {"sequence": None}, "none", {"sequence": {"gaps": 1}}])
def test_a_channel_without_counters_lost_nothing_that_is_known(stats: Any) -> None:
    assert found(channel(), {"name": "c", "stats": stats}, channel(gaps=5)) == [None, None, None]
