"""How a channel's samples are encoded: as they are, in columns, row by row."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.stripchart import frames
from speeddata.stripchart.ring import Ring
from speeddata.stripchart.rows import RowRing
from speeddata.stripchart.serving import (
    LIVE_ROWS,
    LIVE_SAMPLES,
    MERGED_COLUMNS,
    MERGED_ROWS,
    MERGED_SAMPLES,
    WINDOW_COLUMNS,
    WINDOW_NUMBERS,
    WINDOW_SAMPLES,
    Arrays,
    InColumns,
    Samples,
    Serving,
)
from speeddata.stripchart.signals import LiveSignal

MS = 1_000_000
TYPES = ("double", "float")
SIGNALS = [LiveSignal(5 + n, "", "c", "", "", None, kind, None, None, n) for n, kind in enumerate(TYPES)]


def blocks(encoded: list[bytes]) -> list[frames.Block]:
    return frames.parse(frames.frame(1, 0.0, encoded)).blocks


def ring_of(times_ms: list[float], values: list[float] | None = None, **options: Any) -> Ring:
    ring = Ring(2, **options)
    add(ring, times_ms, values)
    return ring


def add(ring: Ring, times_ms: list[float], values: list[float] | None = None) -> None:
    times = (np.array(times_ms) * MS).astype(np.int64)
    row = np.array(times_ms if values is None else values, np.float64)
    ring.append(times, np.vstack([row, -row]))


def test_samples_share_their_times() -> None:
    times, double, single = blocks(Samples(3, ring_of([0, 1, 2, 3])).news(1, SIGNALS, False))
    assert [one.kind for one in (times, double, single)] == [1, 2, 3]
    assert (times.id, times.data.tolist()) == (3, [1, 2, 3])
    assert (single.id, single.data.tolist(), single.flags) == (6, [-1, -2, -3], 0)


@pytest.mark.parametrize(("is_merged", "limit"), [(False, LIVE_SAMPLES), (True, MERGED_SAMPLES)])
def test_too_many_samples_are_their_extremes(is_merged: bool, limit: int) -> None:
    values = np.random.default_rng(1).normal(size=3 * limit).tolist()
    ring = ring_of(list(range(3 * limit)), values)
    times, reduced, *_ = blocks(Samples(3, ring).news(0, SIGNALS, is_merged))
    assert len(reduced.data) == len(times.data) <= limit
    assert (reduced.count, reduced.flags) == (3 * limit, frames.FLAG_REDUCED)
    assert (reduced.data.min(), reduced.data.max()) == (min(values), max(values))


def test_a_block_of_samples_is_in_the_order_of_its_times() -> None:
    ring = ring_of([0, 1, 4, 5])
    add(ring, [2, 3])
    assert blocks(Samples(3, ring).window(MS, SIGNALS))[0].data.tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("start_ms", "first"), [(-600, 0), (1000, 1000), (1980, 1980), (5000, 1980)])
def test_a_window_has_at_least_the_newest(start_ms: int, first: int) -> None:
    ring = ring_of([20 * n for n in range(100)])
    found = blocks(Samples(3, ring).window(start_ms * MS, SIGNALS))
    assert all(block.flags == frames.FLAG_RESET for block in found)
    assert found[0].data[0] == first
    axis, *_ = blocks(InColumns(3, ring, 40 * MS).window(start_ms * MS, SIGNALS))
    assert (axis.data[0], axis.flags) == (first // 40 * 40, frames.FLAG_RESET)


@pytest.mark.parametrize("serving", [Samples(3, Ring(2)), InColumns(3, Ring(2), MS), Arrays(3, RowRing())])
def test_of_nothing_the_window_is_empty(serving: Serving) -> None:
    assert serving.total == 0
    for block in blocks(serving.window(0, SIGNALS[:1])):
        assert (block.flags, block.data.size) == (frames.FLAG_RESET, 0)


@pytest.mark.parametrize("width", [0, 40 * MS])
def test_what_the_ring_no_longer_has_is_a_gap(width: int) -> None:
    ring = ring_of(list(range(100)), max_bytes=24 * 2 * 10)
    serving: Serving = InColumns(3, ring, width) if width else Samples(3, ring)
    found = blocks(serving.news(5, SIGNALS, False))
    assert all(block.flags == frames.FLAG_GAP for block in found)


Columns = dict[float, tuple[float, ...]]


def columns(found: list[frames.Block], signal_id: int = 5) -> Columns:
    """First, min, max, last and count by the start of each column."""
    axis = next(block for block in found if block.kind == frames.KIND_AXIS)
    own = next(block for block in found if block.id == signal_id)
    assert own.counts is not None
    rows = zip(axis.data.tolist(), own.data.T.tolist(), own.counts.tolist(), strict=True)
    return {start: (*values, count) for start, values, count in rows if count}


BATCHES = st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=8), min_size=1, max_size=15)


@given(BATCHES, st.integers(1, 90), st.data())
def test_window_and_news_make_the_columns_of_all_samples(
    batches: list[list[int]], width: int, data: st.DataObject
) -> None:
    """Whenever a client comes, and however late samples are: it ends up with the columns of all of its window."""
    ring, values = Ring(2), itertools.count()
    serving = InColumns(3, ring, width * MS)
    came = data.draw(st.integers(0, len(batches) - 1))
    held: Columns = {}
    served = 0
    for number, batch in enumerate(batches):
        add(ring, sorted(batch), [float(next(values) * 37 % 101) for _ in batch])
        if number == came:
            held = columns(blocks(serving.window(0, SIGNALS)))
        elif number > came:
            held |= columns(blocks(serving.news(served, SIGNALS, False)))
        served = ring.total
    times, rows = ring.ordered(0, [0])
    expected: dict[float, list[float]] = {}
    for time, value in zip((times // MS).tolist(), rows[0].tolist(), strict=True):
        expected.setdefault(time // width * width, []).append(value)
    assert held == {start: (own[0], min(own), max(own), own[-1], len(own)) for start, own in expected.items()}


def test_a_late_sample_has_only_its_own_column_sent_again() -> None:
    ring = ring_of([n * 10 for n in range(100)])
    add(ring, [55, 1000], [777, 1])
    axis, double, single = blocks(InColumns(3, ring, 20 * MS).news(100, SIGNALS, False))
    assert axis.data.tolist() == [40, 1000]
    assert double.data[:, 0].tolist() == [40, 40, 777, 777]
    assert single.data[:, 0].tolist() == [-40, -777, -40, -777]
    assert double.counts is not None
    assert double.counts.tolist() == [3, 1]


@pytest.mark.parametrize(("is_merged", "limit"), [(True, MERGED_COLUMNS), (False, WINDOW_COLUMNS)])
def test_too_many_columns_are_merged_to_wider_ones_with_all_peaks(is_merged: bool, limit: int) -> None:
    values = np.random.default_rng(2).normal(size=3 * limit)
    ring = ring_of([20 * n for n in range(len(values))], values.tolist())
    axis, double, _ = blocks(InColumns(3, ring, 20 * MS).news(0, SIGNALS, is_merged))
    assert (axis.width, axis.count) == (80, 4)
    assert len(axis.data) <= limit
    for start, _, low, high, _ in zip(axis.data, *double.data, strict=True):
        own = values[int(start) // 20 : int(start) // 20 + 4]
        assert (low, high) == (own.min(), own.max())


def test_a_break_is_marked_where_the_trace_begins_anew() -> None:
    ring = ring_of([0, 10, 20, 40, 40, 60], [0, 1, 2, math.nan, 3, 4])
    _, double, _ = blocks(InColumns(3, ring, 20 * MS).news(1, SIGNALS, False))
    assert double.marks is not None
    assert double.marks.tolist() == [frames.MARK_BROKEN, 0, frames.MARK_BROKEN, 0]


def test_arrays_row_by_row() -> None:
    rows = RowRing()
    serving = Arrays(3, rows)
    rows.append(np.arange(100) * MS, [np.array([n, n / 2]) for n in range(100)])
    times, arrays = blocks(serving.window(97 * MS, SIGNALS[:1]))
    assert (times.id, times.data.tolist(), times.flags) == (3, [97, 98, 99], frames.FLAG_RESET)
    assert (arrays.id, arrays.count, arrays.data.tolist()) == (5, 2, [[97, 48.5], [98, 49], [99, 49.5]])
    for is_merged, most in ((False, LIVE_ROWS), (True, MERGED_ROWS)):
        times, arrays = blocks(serving.news(0, SIGNALS[:1], is_merged))
        assert (times.flags, len(times.data) <= most, arrays.data.shape) == (0, True, (len(times.data), 2))
        assert times.data[0] == 0
        assert arrays.data.max(axis=0).tolist() == [99, 49.5], "the largest, be they of rows left out"
    times, _ = blocks(serving.news(98, SIGNALS[:1], False))
    assert (times.data.tolist(), times.flags) == ([98, 99], 0)


def test_all_arrays_of_a_window_are_in_it_or_their_largest_numbers() -> None:
    rows = RowRing()
    rows.append(np.arange(600) * MS, [np.full(300, n) for n in range(600)])
    times, arrays = blocks(Arrays(3, rows).window(0, SIGNALS[:1]))
    assert arrays.data[:, 7].tolist() == list(range(600))
    rows.append(np.arange(600, 1200) * MS, [np.full(300, n) for n in range(600, 1200)])
    times, arrays = blocks(Arrays(3, rows).window(0, SIGNALS[:1]))
    assert WINDOW_NUMBERS / 2 < arrays.data.size <= WINDOW_NUMBERS
    assert (times.data.tolist(), arrays.data[:, 7].tolist()) == ([*range(0, 1200, 2)], [*range(1, 1200, 2)])


def test_arrays_that_the_ring_no_longer_has_are_a_gap() -> None:
    rows = RowRing(max_bytes=10 * 264)
    rows.append(np.arange(100) * MS, [np.array([n, n / 2]) for n in range(100)])
    times, arrays = blocks(Arrays(3, rows).news(0, SIGNALS[:1], False))
    assert (times.data.tolist(), arrays.flags) == ([*range(90, 100)], frames.FLAG_GAP)


def test_a_window_of_samples_has_a_limit() -> None:
    values = np.arange(2 * WINDOW_SAMPLES, dtype=np.float64).tolist()
    _, reduced, *_ = blocks(Samples(3, ring_of(values)).window(0, SIGNALS))
    assert len(reduced.data) <= WINDOW_SAMPLES < reduced.count
