import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.decoding import ENTRY_DTYPE
from speeddata.rollup import LEVELS, Rollup, Totals, finest_level, level_within

S = 10**9
TIMES = st.lists(st.integers(0, 10**12), min_size=1, max_size=200).map(sorted)


def test_each_level_is_whole_in_the_next():
    assert all(wide % narrow == 0 for narrow, wide in zip(LEVELS, LEVELS[1:], strict=False))


def of(times, width=S, scale=1.0):
    column = np.array(times, np.int64)
    return Rollup.of_records(column, column * scale, width)


def plain(rollup):
    return rollup.start_ns.tolist(), [column.tolist() for column in rollup.rows[:5]]


@given(TIMES)
def test_coarser_rows_are_those_of_the_records(times):
    assert plain(of(times).at(60 * S)) == plain(of(times, 60 * S))
    assert of(times).at(S).start_ns.tolist() == sorted({time // S * S for time in times})


@given(TIMES, TIMES)
def test_merged_rows_are_those_of_all_records(one, other):
    merged = Rollup.merged([of(one), Rollup.empty(S), of(other)])
    assert plain(merged) == plain(of(sorted(one + other)))
    assert merged.nbytes == sum(column.nbytes for column in merged.rows) + merged.start_ns.nbytes


def test_of_nothing_there_is_nothing():
    empty = Rollup.empty(S)
    assert (len(empty), len(empty.at(60 * S)), len(Rollup.merged([empty, empty]))) == (0, 0, 0)
    assert empty.as_real().rows[1].dtype == np.float64


def test_whole_and_real_values_merge_to_real_ones():
    whole = Rollup.of_records(np.array([1]), np.array([5]), S)
    real = Rollup.of_records(np.array([2]), np.array([2.5]), S)
    merged = Rollup.merged([whole, real])
    assert [column.tolist() for column in merged.rows[1:5]] == [[2.5], [5.0], [5.0], [2.5]]
    assert whole.as_real().rows[1].dtype == np.float64


@given(TIMES, st.integers(1, 5))
def test_totals_are_the_same_however_records_come(times, parts):
    edges = np.array([-(10 * S), 0, 7 * S, 100 * S, 10**12 + 1])
    column = np.array(times, np.int64)
    wanted = Totals(edges, True)
    wanted.add_records(column, column / 2)
    found = Totals(edges, True)
    for chunk in np.array_split(column, parts):
        found.add_records(chunk, chunk / 2)
    assert [column.tolist() for column in found.rows[:5]] == [column.tolist() for column in wanted.rows[:5]]
    rolled = Totals(edges[[0, 1, 3, 4]], True)
    rolled.add_rollup(of(times, scale=0.5), 0, 100 * S)
    rolled.add_records(column[column >= 100 * S], column[column >= 100 * S] / 2)
    assert rolled.rows[0].tolist() == [0, *np.add.reduceat(wanted.rows[0], [1, 3]).tolist()]


@pytest.mark.parametrize(
    ("granule", "width"),
    [
        (3600 * S, 3600 * S),
        (900 * S, 60 * S),
        (7 * S, S),
        (86400 * S * 7, 86400 * S),
        (10**6, 10**6),
        (999, None),
    ],
)
def test_the_level_that_no_edge_divides(granule, width):
    level = level_within(granule)
    assert (None if level is None else LEVELS[level]) == width


def entries(*blocks):
    made = np.zeros(len(blocks), ENTRY_DTYPE)
    for place, (count, low, high) in enumerate(blocks):
        made[place]["count"], made[place]["min_ns"], made[place]["max_ns"] = count, low, high
    return made


@pytest.mark.parametrize(
    ("blocks", "width"),
    [
        ([(3600, 0, 3599 * S)], 60 * S),
        ([(1, n * S, n * S) for n in range(3600)], 60 * S),
        ([(60_000, n * S, (n + 1) * S - 1) for n in range(100)], 10**6),
        ([(10, 0, 9 * S)], 10**6),
        ([(1000, n * 86400 * S, n * 86400 * S + 10**5) for n in range(100)], 10**6),
        ([(2, 0, 10**17)], 10**6),
    ],
)
def test_the_finest_level_is_as_fine_as_is_worth_it(blocks, width):
    level = finest_level(entries(*blocks))
    assert level is not None
    assert LEVELS[level] == width


def test_without_records_or_at_the_end_of_time_there_is_no_level():
    assert finest_level(entries()) is None
    assert finest_level(entries((10, -(2**63), 0))) is None
