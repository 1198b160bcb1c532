"""How fast an archive grows, and what follows for the disk."""

import pytest

from speeddata.relay.disk_space import Space
from speeddata.relay.growth import Growth, forecast

GB = 10**9


def grown(*seen: tuple[float, int]) -> float | None:
    growth = Growth()
    for now, size in seen:
        growth.add(now, size)
    return growth.rate()


def test_one_look_tells_no_rate() -> None:
    assert Growth().rate() is None
    assert grown((100.0, GB)) is None
    assert grown((100.0, GB), (101.0, 2 * GB)) is None


def test_the_rate_is_that_of_the_hour() -> None:
    looks = [(10.0 * n, 1000 * n) for n in range(500)]
    assert grown(*looks) == pytest.approx(100.0)


def test_what_began_lately_counts() -> None:
    looks = [(10.0 * n, 0 if n < 300 else 5000 * (n - 299)) for n in range(360)]
    assert grown(*looks) == pytest.approx(500.0, rel=0.01)


def test_what_compression_saved_a_moment_ago_is_no_shrinking() -> None:
    looks = [(10.0 * n, 1000 * n - (100_000 if n >= 350 else 0)) for n in range(360)]
    assert grown(*looks) == pytest.approx((359_000 - 100_000) / 3590)
    assert grown((0.0, GB), (20.0, 0)) == 0.0


def test_the_room_at_a_rate() -> None:
    told = forecast(Space(100 * GB, 40 * GB), 1e6, 10)
    assert (told["free_bytes"], told["size_bytes"], told["growth_bytes_per_s"]) == (40 * GB, 100 * GB, 10**6)
    assert (told["full_in_s"], told["deletes_in_s"]) == (40_000, 30_000)


@pytest.mark.parametrize("rate", [None, 0.0])
def test_a_disk_that_does_not_fill(rate: float | None) -> None:
    told = forecast(Space(100 * GB, 40 * GB), rate, 10)
    assert (told["full_in_s"], told["deletes_in_s"]) == (None, None)


def test_without_a_floor_nothing_is_deleted_and_below_it_at_once() -> None:
    assert forecast(Space(100 * GB, 40 * GB), 1e6, 0)["deletes_in_s"] is None
    assert forecast(Space(100 * GB, 5 * GB), 1e6, 10)["deletes_in_s"] == 0
