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


def test_since() -> None:
    ring = Ring(2)
    fill(ring, 0, 10, step_ns=1000)
    assert [ring.since(t) for t in (-5, 0, 1, 9000, 9001)] == [0, 0, 1, 9, 10]
    assert Ring(2).since(0) == 0


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
