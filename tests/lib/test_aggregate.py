import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.aggregate import find_runs, merge_rows, reduce_values, weigh

KINDS = [np.float64, np.float32, np.int64, np.int32, np.bool_]
VALUES = st.lists(st.one_of(st.floats(-1e6, 1e6, width=32), st.just(math.nan)), max_size=1500)


def brute(values, times):
    """One row of aggregates, of valid values."""
    if not len(values):
        return (0,)
    real = values.astype(np.float64)
    m2 = float(((real - real.mean()) ** 2).sum())
    return (
        len(values),
        values.min(),
        values.max(),
        values[0],
        values[-1],
        math.fsum(real),
        m2,
        times[0],
        times[-1],
    )


def same(row, wanted):
    if wanted[0] == 0:
        return row[0] == 0
    exact = (0, 1, 2, 3, 4, 7, 8)
    size = max(abs(wanted[1]), abs(wanted[2])) * wanted[0] + 1e-300
    return (
        all(row[place] == wanted[place] for place in exact)
        and abs(row[5] - wanted[5]) <= 1e-12 * float(size)
        and abs(row[6] - wanted[6]) <= 1e-9 * abs(wanted[6]) + 1e-12 * float(size) ** 2
    )


def rows_of(made):
    return [tuple(column[place] for column in made) for place in range(len(made[0]))]


@pytest.mark.parametrize("kind", KINDS)
@given(values=VALUES, cuts=st.lists(st.integers(0, 1500), max_size=6), nulls=st.booleans())
def test_runs_are_reduced_and_merged_as_by_hand(kind, values, cuts, nulls):
    column = np.array(values, np.float64)
    if kind not in (np.float64, np.float32):
        column = np.nan_to_num(column)
    column = column.astype(kind)
    mask = np.arange(len(column)) % 3 == 0 if nulls else None
    times = np.cumsum(np.arange(len(column)) % 4).astype(np.int64)
    bounds = np.array(sorted({0, len(column), *(min(cut, len(column)) for cut in cuts)}), np.int64)
    valid = ~np.isnan(column.astype(np.float64)) & (True if mask is None else ~mask)
    made = reduce_values(column, mask, times, bounds)
    for place, row in enumerate(rows_of(made)):
        part = slice(bounds[place], bounds[place + 1])
        assert same(row, brute(column[part][valid[part]], times[part][valid[part]]))
    merged = merge_rows(made, np.array([0, len(bounds) - 1], np.int64))
    assert same(rows_of(merged)[0], brute(column[valid], times[valid]))
    assert made[1].dtype == (np.float64 if np.dtype(kind).kind == "f" else np.int64)


def test_of_equal_times_the_first_and_the_last_to_arrive_count():
    bounds = np.array([0, 1, 2, 3], np.int64)
    times = np.array([5, 5, 5], np.int64)
    rows = reduce_values(np.array([1.0, 2.0, 3.0]), None, times, bounds)
    merged = rows_of(merge_rows(rows, np.array([0, 3], np.int64)))[0]
    assert merged[3:5] == (1.0, 3.0)


def test_large_sums_keep_their_last_digits():
    values = np.full(1_000_000, 0.1)
    values[::2] = 1e9
    count = len(values)
    row = rows_of(reduce_values(values, None, np.arange(count), np.array([0, count], np.int64)))[0]
    assert row[5] == pytest.approx(math.fsum(values), rel=1e-15)
    assert math.sqrt(row[6] / count) == pytest.approx(np.std(values), rel=1e-12)


def test_deviations_do_not_drown_in_a_large_mean():
    values = 1e9 + np.tile([0.0, 1.0], 2000)
    row = rows_of(reduce_values(values, None, np.arange(4000), np.array([0, 4000], np.int64)))[0]
    assert row[6] == pytest.approx(1000, rel=1e-12)


def test_infinite_values_stay_infinite():
    row = rows_of(reduce_values(np.array([1.0, math.inf]), None, np.arange(2), np.array([0, 2], np.int64)))[0]
    assert row[:6] == (2, 1.0, math.inf, 1.0, math.inf, math.inf)


@given(
    st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=50),
    st.sampled_from([1, 7, 1000, 86400 * 10**9]),
)
def test_runs_are_of_one_bucket_each(times, width):
    column = np.array(sorted(times), np.int64)
    starts, bounds = find_runs(column, width)
    assert [time // width * width for time in sorted(set(column // width * width))] == starts.tolist()
    for place, start in enumerate(starts.tolist()):
        assert set((column[bounds[place] : bounds[place + 1]] // width * width).tolist()) == {start}
    assert find_runs(np.empty(0, np.int64), width)[1].tolist() == [0]


@pytest.mark.parametrize(
    ("values", "bounds", "error"),
    [(np.zeros(2), [0, 3], ValueError), (np.zeros(2), [1, 0], ValueError), (np.zeros(2), [], ValueError),
     (np.zeros(3), [0, 2], ValueError), (np.zeros(2, "S1"), [0, 2], TypeError), (np.zeros(2), [-1, 2], ValueError)],
)  # fmt: skip
def test_what_does_not_fit_is_refused(values, bounds, error):
    with pytest.raises(error):
        reduce_values(values, None, np.arange(2), np.array(bounds, np.int64))
    with pytest.raises(ValueError):
        find_runs(np.arange(2), 0)


def held(values, times, edges, parts=1):
    edges = np.array(edges, np.int64)
    area, weight = np.zeros(len(edges) - 1), np.zeros(len(edges) - 1)
    state = (math.nan, int(edges[0]))
    for chunk in np.array_split(np.arange(len(times)), parts):
        if len(chunk):
            until = int(np.array(times)[chunk][-1])
            state = weigh(
                np.array(values, float)[chunk],
                np.array(times, np.int64)[chunk],
                edges,
                area,
                weight,
                *state,
                until,
            )
    weigh(np.empty(0), np.empty(0, np.int64), edges, area, weight, *state, int(edges[-1]))
    return area.tolist(), weight.tolist()


def test_a_value_holds_until_the_next_over_the_edges_of_buckets():
    assert held([1, 3], [5, 25], [0, 10, 20, 30]) == ([5, 10, 20], [5, 10, 10])
    assert held([1, math.nan, 3], [5, 7, 25], [0, 10, 20, 30]) == ([5, 10, 20], [5, 10, 10])
    assert held([], [], [0, 10]) == ([0], [0])


@given(st.lists(st.integers(0, 99), min_size=1, max_size=30), st.integers(1, 5))
def test_how_records_are_split_makes_no_difference(times, parts):
    times = sorted(times)
    values = [float(n) for n in range(len(times))]
    area, weight = held(values, times, [0, 13, 40, 41, 100], parts)
    step = np.full(100, np.nan)
    for time, value in zip(times, values, strict=True):
        step[time:] = value
    for place, (low, high) in enumerate([(0, 13), (13, 40), (40, 41), (41, 100)]):
        assert weight[place] == np.isfinite(step[low:high]).sum()
        assert area[place] == pytest.approx(np.nansum(step[low:high]))


@pytest.mark.parametrize("values", [(0.1, 0.2, 0.4), (0.1, 0.2, 0.7)])
def test_every_machine_comes_to_the_same_digits(values):
    """Each product and each sum is rounded by itself, though some processors have an instruction for both."""
    mean = (values[0] + values[1] + values[2]) / 3
    squares = 0.0
    for value in values:
        squares += (value - mean) * (value - mean)
    made = reduce_values(np.array(values), None, np.arange(3), np.array([0, 3]))
    assert made[6][0] == squares
