import math

import numpy as np
import pytest

from speeddata.stripchart.rows import LONGEST, WIDTH_MAX, RowRing, reduced


@pytest.mark.parametrize("length", [1, 2, 511, 512, 513, 1000, 1024, 4095, 4096])
def test_no_line_of_a_spectrum_is_lost(length: int) -> None:
    array = np.random.default_rng(length).normal(size=length)
    row = reduced(array)
    assert row is not None
    assert len(row) <= WIDTH_MAX
    run = -(-length // len(row))
    assert row.tolist() == [np.float32(array[n : n + run].max()) for n in range(0, length, run)]


@pytest.mark.parametrize(
    "array", [None, "text", np.empty(0), np.zeros((2, 2)), np.zeros(LONGEST + 1), np.array(["a"]), [1.0]]
)
def test_what_is_no_array_of_numbers_is_no_row(array: object) -> None:
    assert reduced(array) is None
    rows = RowRing()
    rows.append(np.array([5]), [array])
    assert rows.total == 0


def test_rows_are_those_of_the_last_minute_within_their_bytes() -> None:
    rows = RowRing(span_ns=100, max_bytes=40 * (8 + 256))
    for n in range(0, 1000, 5):
        rows.append(np.array([n]), [np.array([n, n + 0.5])])
    assert (rows.total, rows.first) == (200, 200 - 21)
    for n in range(1000, 1100):
        rows.append(np.array([n]), [np.array([n, n + 0.5])])
    assert (rows.total, rows.first, rows.nbytes) == (300, 260, 40 * (8 + 256))
    assert rows.since(1090) == 290
    assert rows.since(5000) == 299
    times, found = rows.read(298)
    assert (times.tolist(), found.tolist()) == ([1098, 1099], [[1098, 1098.5], [1099, 1099.5]])


def test_of_arrays_of_several_lengths_those_like_the_newest_are_read() -> None:
    rows = RowRing()
    assert rows.read(0)[1].shape == (0, 0)
    rows.append(np.arange(4), [np.zeros(2), np.ones(3), np.zeros(2), np.ones(3)])
    times, found = rows.read(0)
    assert (times.tolist(), found.tolist()) == ([1, 3], [[1, 1, 1], [1, 1, 1]])


def test_what_is_beyond_float32_is_infinite() -> None:
    rows = RowRing()
    rows.append(np.array([1]), [np.array([1e308, -1e308])])
    assert rows.read(0)[1].tolist() == [[math.inf, -math.inf]]
