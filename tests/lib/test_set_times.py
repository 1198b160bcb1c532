import datetime

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.errors import TimeError
from speeddata.set_times import duration_of, gap_rows, is_stamp, rows_between, stamp_of

NOON = 1_767_268_800 * 10**9  # 2026-01-01T12:00:00Z


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-01T12:00:00Z",
        "2026-01-01T13:00:00+01:00",
        datetime.datetime(2026, 1, 1, 12),
        datetime.datetime(2026, 1, 1, 13, tzinfo=datetime.timezone(datetime.timedelta(hours=1))),
        np.datetime64("2026-01-01T12:00"),
        pandas.Timestamp("2026-01-01T13:00", tz="Europe/Berlin"),
        NOON,
        NOON // 10**3,
        NOON // 10**6,
        NOON / 1e9,
        np.int64(NOON),
        np.float64(NOON // 10**9),
    ],
)
def test_a_time_in_every_notation(value):
    assert stamp_of(value) == NOON


def test_nanoseconds_survive():
    assert stamp_of(pandas.Timestamp(NOON + 1, tz="UTC")) == NOON + 1
    assert stamp_of(np.datetime64(NOON + 1, "ns")) == NOON + 1
    assert stamp_of("2026-01-01T12:00:00.000000001") == NOON + 1
    assert stamp_of(-1.5) == -1_500_000_000


@pytest.mark.parametrize(
    ("value", "word"),
    [("noon", "noon"), (None, "None"), (True, "True"), (np.datetime64("NaT"), "NaT"), (float("nan"), "nan"),
     (np.datetime64("9999-01-01"), "9999"), (datetime.datetime(9999, 1, 1), "9999"), (float("inf"), "inf")],
)  # fmt: skip
def test_what_is_no_time_is_told(value, word):
    with pytest.raises(TimeError, match=word):
        stamp_of(value)


@pytest.mark.parametrize(
    ("value", "ns"),
    [("100ms", 10**8), ("1.5s", 1_500_000_000), ("15m", 900 * 10**9), ("1h", 3600 * 10**9), ("1d", 86400 * 10**9),
     ("PT1M", 60 * 10**9), (2, 2 * 10**9), (0.001, 10**6), (datetime.timedelta(milliseconds=5), 5 * 10**6),
     (np.timedelta64(7, "us"), 7000), ("250ns", 250), ("3 min", 180 * 10**9)],
)  # fmt: skip
def test_a_duration_in_every_notation(value, ns):
    assert duration_of(value) == ns


@pytest.mark.parametrize("value", ["soon", 0, -1, "0s", None, float("nan"), "PT0S", 1e12])
def test_what_is_no_duration_is_told(value):
    with pytest.raises(TimeError):
        duration_of(value)


@given(st.lists(st.integers(0, 30), max_size=20), st.integers(-1, 31), st.integers(-1, 31))
def test_rows_are_those_of_the_half_open_range(times, start, end):
    time_ns = np.array(times, np.int64) * 10**9
    rows = np.arange(len(times))[rows_between(time_ns, start, end)]
    assert rows.tolist() == [row for row, time in enumerate(times) if start <= time < end]


def test_open_ends_and_order():
    times = np.arange(5) * 10**9
    assert rows_between(times) == slice(0, 5)
    assert rows_between(times, 2) == slice(2, 5)
    assert rows_between(times, None, 2) == slice(0, 2)
    assert rows_between(times, 4, 1) == slice(4, 4)


def test_gaps_are_steps_much_longer_than_the_others():
    assert gap_rows(np.array([0, 1, 2, 9, 10, 11]) * 10**6).tolist() == [2]
    assert gap_rows(np.arange(2)).tolist() == []
    assert gap_rows(np.arange(20)).tolist() == []


def test_only_some_types_can_only_be_times():
    assert is_stamp("2026-01-01")
    assert is_stamp(np.datetime64("2026"))
    assert is_stamp(5.5)
    assert not is_stamp(5)
