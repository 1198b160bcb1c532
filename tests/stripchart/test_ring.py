import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.stripchart.ring import Ring


def fill(ring: Ring, start: int, count: int, step_ns: int = 1) -> None:
    numbers = np.arange(start, start + count)
    ring.append(numbers * step_ns, np.vstack([numbers * 1.0, -numbers]))


@given(st.lists(st.integers(0, 500), max_size=20), st.integers(1, 3000))
def test_a_ring_is_a_list_that_forgets(sizes: list[int], limit: int) -> None:
    ring = Ring(2, span_ns=10**18, max_bytes=limit * 8 * 3 * 2)
    total = 0
    for size in sizes:
        fill(ring, total, size)
        total += size
    assert (ring.total, ring.first) == (total, max(0, total - limit))
    assert ring.times(ring.first).tolist() == list(range(ring.first, total))
    assert ring.values(1, ring.first).tolist() == [-n for n in range(ring.first, total)]
    assert ring.nbytes <= limit * 8 * 3 * 2


@given(
    st.lists(st.lists(st.integers(0, 50), max_size=5), max_size=20),
    st.lists(st.integers(-50, 20), max_size=8).map(sorted),
    st.integers(0, 20),
    st.integers(-60, 60),
    st.integers(3, 60),
)
def test_samples_out_of_order_are_found_and_given_in_order(
    batches: list[list[int]], past: list[int], past_at: int, asked: int, limit: int
) -> None:
    ring = Ring(1, span_ns=10**18, max_bytes=limit * 8 * 2 * 2)
    kept: list[int] = []
    for number, batch in enumerate(batches):
        if number == past_at and ring.first == 0:
            ring.put_before(np.array(past, np.int64), np.array([past], np.float64))
            kept = [*past, *kept][-limit:]
        ring.append(np.array(batch, np.int64), np.array([batch], np.float64).reshape(1, -1))
        kept = (kept + batch)[-limit:]
    assert ring.times(ring.first).tolist() == kept
    places = [place for place, time in enumerate(kept) if time >= asked]
    first = places[0] if places else len(kept)
    assert ring.since(asked) == ring.first + first
    times, values = ring.select(asked, [0])
    assert times.tolist() == sorted(kept[max(0, first - 1) :])
    assert values.tolist() == [times.tolist()]


def test_old_samples_go_before_the_ring_grows() -> None:
    ring = Ring(2, span_ns=100)
    for start in range(0, 100_000, 100):
        fill(ring, start, 100)
    assert ring.nbytes <= 1024 * 3 * 8
    assert ring.first <= ring.total - 100


def test_what_is_younger_than_the_span_stays() -> None:
    ring = Ring(2, span_ns=50_000)
    for start in range(0, 100_000, 100):
        fill(ring, start, 100)
    assert ring.first <= 50_000


def test_what_is_gone_cannot_be_read() -> None:
    ring = Ring(2, max_bytes=24 * 2 * 10)
    fill(ring, 0, 100)
    with pytest.raises(AssertionError, match="sample 5 is not kept"):
        ring.times(5)


def test_signals_can_be_added() -> None:
    ring = Ring(2)
    fill(ring, 0, 3)
    assert ring.widen(2) == 2
    ring.append(np.array([3]), np.array([[3.0], [-3.0], [30.0], [300.0]]))
    assert ring.values(2, 3).tolist() == [30.0]
    assert np.isnan(ring.values(3, 0)[:3]).all()
    assert ring.values(0, 0).tolist() == [0, 1, 2, 3]


def test_a_channel_without_numbers_has_times() -> None:
    ring = Ring(0)
    ring.append(np.arange(5000), np.empty((0, 5000)))
    assert len(ring.times(0)) == 5000


def test_what_is_put_before_takes_the_place_of_what_was() -> None:
    ring = Ring(2)
    fill(ring, 100, 10)
    for start in (95, 90, 50):
        times = np.arange(start, 100)
        ring.put_before(times, np.vstack([times * 1.0, -times]))
        assert (ring.first, ring.total) == (start - 100, 10)
        assert ring.times(ring.first).tolist() == list(range(start, 110))
    fill(ring, 110, 5000)
    assert ring.values(1, ring.first).tolist() == [-n for n in range(50, 5110)]


def test_the_newest_of_what_is_put_before_fit() -> None:
    ring = Ring(2, span_ns=10**18, max_bytes=24 * 2 * 100)
    fill(ring, 1000, 40)
    times = np.arange(1000)
    ring.put_before(times, np.vstack([times, -times]))
    assert ring.times(ring.first).tolist() == list(range(940, 1040))
    assert ring.nbytes <= 24 * 2 * 100
    fill(ring, 1040, 90)
    before = ring.times(ring.first).tolist()
    ring.put_before(times, np.vstack([times, -times]))
    assert ring.times(ring.first).tolist() == before
