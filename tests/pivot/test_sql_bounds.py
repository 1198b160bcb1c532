import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.pivot.sql_bounds import FINE_NS, TIME, bounds
from speeddata.reader import EARLIEST, LATEST

FIELDS = pa.schema({"time": TIME, "v": pa.float64(), "time_ns": pa.int64()})
SECOND = 10**9
TIMED, EXACT, VALUE = ds.field("time"), ds.field("time_ns"), ds.field("v")


def at(second):
    return pa.scalar(second * 10**6, TIME)


def test_nothing_asked_is_everything():
    assert bounds(None, FIELDS) == (EARLIEST, LATEST)


@pytest.mark.parametrize(
    ("wanted", "low", "high"),
    [
        ((at(5) <= TIMED) & (at(7) >= TIMED), 5 * SECOND, 7 * SECOND),
        (at(5) == TIMED, 5 * SECOND, 5 * SECOND),
        (TIMED.isin([at(9), at(3)]), 3 * SECOND, 9 * SECOND),
        ((EXACT > 5 * SECOND) & (EXACT < 6 * SECOND) & (VALUE > 3), 5 * SECOND, 6 * SECOND),
        ((at(5) < TIMED) & (EXACT < 6 * SECOND) & TIMED.is_valid(), 5 * SECOND, 6 * SECOND),
        ((at(1) == TIMED) | (at(8) == TIMED) & (VALUE < 1), 1 * SECOND, 8 * SECOND),
        (~(at(4) > TIMED) & ~(at(6) < TIMED), 4 * SECOND, 6 * SECOND),
        (at(-3) == TIMED, -3 * SECOND, -3 * SECOND),
    ],
)
def test_times_of_a_filter(wanted, low, high):
    first, last = bounds(wanted, FIELDS)
    assert low - FINE_NS <= first <= low
    assert high <= last <= high + FINE_NS


@pytest.mark.parametrize("wanted", [VALUE > 3, (at(5) > TIMED) | (VALUE > 3), ds.scalar(True)])
def test_what_does_not_speak_of_time_bounds_nothing(wanted):
    assert bounds(wanted, FIELDS) == (EARLIEST, LATEST)


@pytest.mark.parametrize("wanted", [(at(5) < TIMED) & (at(4) > TIMED), ds.scalar(False), TIMED.is_null()])
def test_nothing_can_pass(wanted):
    assert bounds(wanted, FIELDS) is None


times = st.integers(EARLIEST, LATEST)
atoms = st.one_of(
    times.map(lambda ns: ns <= EXACT),
    times.map(lambda ns: ns > EXACT),
    times.map(lambda ns: pa.scalar(ns // 1000, TIME) <= TIMED),
    times.map(lambda ns: pa.scalar(ns // 1000, TIME) == TIMED),
    st.floats(-1, 1).map(lambda value: value < VALUE),
)
filters = st.recursive(
    atoms,
    lambda below: st.one_of(
        st.tuples(below, below).map(lambda pair: pair[0] & pair[1]),
        st.tuples(below, below).map(lambda pair: pair[0] | pair[1]),
        below.map(lambda one: ~one),
    ),
    max_leaves=5,
)


@given(filters, st.lists(times, min_size=1))
def test_what_passes_is_within(wanted, stamps):
    rows = pa.table(
        {
            "time": pa.array([ns // 1000 for ns in stamps], pa.int64()).cast(TIME),
            "v": pa.array([0.0] * len(stamps)),
            "time_ns": stamps,
        }
    )
    span = bounds(wanted, FIELDS)
    for ns in rows.filter(wanted)["time_ns"].to_pylist():
        assert span is not None
        assert span[0] <= ns <= span[1]
