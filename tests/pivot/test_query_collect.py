import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.pivot import query_collect as module
from speeddata.pivot.problem import Problem
from speeddata.pivot.query_collect import MOMENTS, Moments, Quantiles, Weighted, Words, quantile_of

NAN = float("nan")
EDGES = np.array([0, 100, 200, 300, 400], np.int64)
RECORDS = st.lists(
    st.tuples(st.integers(0, 399), st.one_of(st.floats(-1e3, 1e3), st.just(NAN))), max_size=120
)


def fed(collector, records, parts):
    records = sorted(records, key=lambda pair: pair[0])
    for chunk in np.array_split(np.arange(len(records)), parts):
        times = np.array([records[n][0] for n in chunk], np.int64)
        collector.add(times, np.array([records[n][1] for n in chunk], np.float64))
    return collector.columns()


def inside(records, bucket):
    found = [value for time, value in sorted(records, key=lambda pair: pair[0]) if time // 100 == bucket]
    return np.array([value for value in found if value == value])


@given(RECORDS, st.integers(1, 4))
def test_quantiles_are_numpys(records, parts):
    columns = fed(Quantiles(EDGES, ["median", "p0", "p99.9", "p100"]), records, parts)
    for bucket in range(4):
        values = inside(records, bucket)
        for name, percent in (("median", 50), ("p0", 0), ("p99.9", 99.9), ("p100", 100)):
            wanted = np.percentile(values, percent) if len(values) else NAN
            assert columns[name][bucket] == pytest.approx(wanted, rel=1e-9, abs=1e-9, nan_ok=True)


@given(RECORDS, st.integers(1, 4))
def test_moments_are_numpys(records, parts):
    columns = fed(Moments(EDGES, "double", MOMENTS), records, parts)
    for bucket in range(4):
        values = inside(records, bucket)
        told = {name: columns[name][bucket] for name in MOMENTS}
        assert told["count"] == len(values)
        if not len(values):
            assert all(told[name] != told[name] for name in MOMENTS if name != "count")
            continue
        assert (told["min"], told["max"]) == (values.min(), values.max())
        assert (told["first"], told["last"]) == (values[0], values[-1])
        assert told["avg"] == pytest.approx(values.mean(), rel=1e-9, abs=1e-9)
        wanted = np.std(values, ddof=1) if len(values) > 1 else NAN
        assert told["stddev"] == pytest.approx(wanted, rel=1e-7, abs=1e-6, nan_ok=True)


def test_rate_is_from_the_first_to_the_last_value():
    seconds = np.array([0, 10**9, 4 * 10**9, 10**10, 2 * 10**10])
    collector = Moments(np.array([0, 5 * 10**9, 15 * 10**9, 3 * 10**10]), "long", ["rate"])
    collector.add(seconds, np.array([2**60, 2**60 + 1, 2**60 + 2, 7, 8]))
    assert collector.columns()["rate"].tolist()[0] == 0.5
    assert np.isnan(collector.columns()["rate"][1:]).all()


def test_whole_numbers_and_flags_stay_what_they_are():
    collector = Moments(EDGES, "boolean", ["min", "last", "avg"])
    collector.add(np.array([1, 2]), np.array([True, False]))
    columns = collector.columns()
    assert columns["last"].tolist() == [False, None, None, None]
    assert columns["avg"][0] == 0.5
    assert columns["min"].dtype == np.bool_


@given(RECORDS, st.integers(1, 4))
def test_weighted_averages_hold_each_value_until_the_next(records, parts):
    column = fed(Weighted(EDGES), records, parts)["twa"]
    step = np.full(400, NAN)
    for time, value in sorted(records, key=lambda pair: pair[0]):
        if value == value:
            step[time:] = value
    for bucket in range(4):
        held = step[bucket * 100 : bucket * 100 + 100]
        wanted = np.nanmean(held) if np.isfinite(held).any() else NAN
        assert column[bucket] == pytest.approx(wanted, rel=1e-9, abs=1e-9, nan_ok=True)


def test_what_holds_before_the_range_counts_from_its_beginning():
    collector = Weighted(EDGES, 5.0)
    collector.add(np.array([50]), np.array([7.0]))
    assert collector.columns()["twa"].tolist() == [6.0, 7.0, 7.0, 7.0]


WORDS = st.lists(st.tuples(st.integers(0, 399), st.sampled_from(["a", "b", b"a", None, 1, 2.5])), max_size=60)


@given(WORDS, st.integers(1, 4))
def test_words(records, parts):
    records = sorted(records, key=lambda pair: pair[0])
    collector = Words(EDGES, ["first", "last", "count", "distinct", "mode"])
    for chunk in np.array_split(np.arange(len(records)), parts):
        values = np.empty(len(chunk), object)
        values[:] = [records[n][1] for n in chunk]
        collector.add(np.array([records[n][0] for n in chunk], np.int64), values)
    columns = collector.columns()
    for bucket in range(4):
        values = [value for time, value in records if time // 100 == bucket and value is not None]
        told = {name: column[bucket] for name, column in columns.items()}
        assert (told["count"], told["distinct"]) == (len(values), len(set(values)))
        assert (told["first"], told["last"]) == ((values[0], values[-1]) if values else (None, None))
        best = max(values, key=lambda value: (values.count(value), -values.index(value)), default=None)
        assert told["mode"] == best


def test_lists_and_maps_are_values_too():
    collector = Words(EDGES, ["distinct", "mode"])
    values = np.empty(3, object)
    values[:] = [[1], {"a": 1}, [1]]
    collector.add(np.array([1, 2, 3]), values)
    assert collector.columns()["mode"].tolist() == [[1], None, None, None]


def test_memory_is_bounded(monkeypatch):
    monkeypatch.setattr(module, "MAX_HELD", 10)
    monkeypatch.setattr(module, "MAX_PAIRS", 10)
    for collector in (Quantiles(EDGES, ["median"]), Words(EDGES, ["mode"])):

        def fill(collector=collector):
            for time in range(20):
                collector.add(np.array([time]), np.array([float(time)]))

        with pytest.raises(Problem) as caught:
            fill()
        assert caught.value.status == 413


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("median", 0.5), ("p50", 0.5), ("p99.9", 0.999), ("p100", 1), ("p101", None), ("pp", None), ("p", None)],
)
def test_names_of_quantiles(name, wanted):
    told = quantile_of(name)
    assert told is None if wanted is None else math.isclose(told, wanted)
