"""The engine as a whole, against what the records tell by hand."""

import numpy as np
import pandas as pd
import pytest
import rolled
import segments as made
from hypothesis import given
from hypothesis import strategies as st

from speeddata.buckets import Buckets, parse_every
from speeddata.pivot import query as module
from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.problem import Problem
from speeddata.pivot.query import Engine
from speeddata.pivot.query_words import Limits, Query
from speeddata.pivot.where import parse_where
from speeddata.rollup_file import make_rollup

S = 10**9
START = made.START
END = START + 2 * 10**12


def nothing():
    pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    made.write_segment(folder / "example", [made.records(500, n) for n in range(0, 5000, 500)])
    make_rollup(rolled.segment(folder / "slow", 0, rolled.steady_rows(600)), nothing)
    rolled.segment(folder / "slow", 1, rolled.steady_rows(600, 700))
    (folder / "empty").mkdir()
    return folder


@pytest.fixture(scope="module")
def engine(folder):
    return Engine(Catalogue(folder, None))


def run(engine, channel="slow", **more):
    query = Query(
        (channel,) if isinstance(channel, str) else channel,
        more.pop("start", START),
        more.pop("end", END),
        **more,
    )
    return engine.run(query, nothing)


def column(engine, name, **more):
    values = run(engine, signals=(name.rpartition(".")[0],), aggregates=(name.rpartition(".")[2],), **more)
    return values.series[0].columns[name].tolist()


AGGREGATES = ("avg", "sum", "min", "max", "count", "first", "last", "stddev", "median", "p90", "rate", "twa")


@given(
    st.integers(0, 1_300),
    st.integers(0, 1_300),
    st.sampled_from([1, 7, 60, 300]),
    st.sampled_from(["UTC", "Asia/Kathmandu"]),
)
def test_aggregates_are_those_of_pandas(engine, one, other, width, zone):
    start, end = START + min(one, other) * S, START + max(one, other) * S
    buckets = Buckets(width * S, 0, zone)
    series = run(
        engine, start=start, end=end, every=buckets, signals=("real",), aggregates=AGGREGATES, fill="null"
    ).series[0]
    rows = [
        row
        for row in [*rolled.steady_rows(600), *rolled.steady_rows(600, 700)]
        if start <= row["time"] <= end
    ]
    edges = buckets.edges(start, end)
    assert series.time_ns.tolist() == edges[:-1].tolist()
    place = np.searchsorted(edges, [row["time"] for row in rows], "right") - 1
    groups = pd.DataFrame({"bucket": place, "real": [row["real"] for row in rows]}).groupby("bucket")["real"]
    told = {
        "avg": "mean",
        "sum": "sum",
        "min": "min",
        "max": "max",
        "first": "first",
        "last": "last",
        "stddev": "std",
        "median": "median",
    }
    for name, method in told.items():
        wanted = getattr(groups, method)().reindex(range(len(edges) - 1)).to_numpy(np.float64)
        np.testing.assert_allclose(series.columns[f"real.{name}"], wanted, rtol=1e-12, atol=1e-12)
    assert (
        series.columns["real.count"].tolist()
        == groups.count().reindex(range(len(edges) - 1), fill_value=0).tolist()
    )


def test_both_ends_are_included(engine):
    times = run(engine, start=START + 2 * S, end=START + 4 * S).series[0].time_ns
    assert times.tolist() == [START + n * S for n in (2, 3, 4)]
    assert column(engine, "real.count", start=START + 2 * S, end=START + 4 * S) == [3]


def test_what_is_there_by_itself(engine):
    series = run(engine, every=parse_every("10m")).series[0]
    assert [name for name in series.columns if name.startswith("real")] == [
        "real.avg",
        "real.min",
        "real.max",
    ]
    series = run(engine, width=10).series[0]
    assert list(series.columns) == [
        f"{name}.{of}" for name in ("real", "whole", "flag") for of in ("min", "max")
    ]
    assert len(series.time_ns) <= 10
    assert series.units == {"real": "V", "whole": None, "flag": None}
    assert run(engine).series[0].columns["whole"].tolist() == [*range(600), *range(700, 1300)]


@pytest.mark.parametrize(
    ("fill", "wanted"),
    [
        ("none", [5, 5, 5, 5]),
        ("null", [5, 5, 0, 5, 5]),
        ("previous", [5, 5, 0, 5, 5]),
        ("linear", [5, 5, 0, 5, 5]),
    ],
)
def test_empty_buckets(tmp_path, fill, wanted):
    rows = [row for n in (0, 5, 15, 20) for row in rolled.steady_rows(5, n)]
    rolled.segment(tmp_path / "c", 0, rows)
    engine = Engine(Catalogue(tmp_path, None))
    edges = {"start": START, "end": START + 25 * S - 1, "every": Buckets(5 * S)}
    series = run(engine, "c", signals=("whole",), aggregates=("count", "avg"), fill=fill, **edges).series[0]
    assert series.columns["whole.count"].tolist()[: len(wanted)] == wanted
    gap = {"none": 17.0, "null": None, "previous": 7.0, "linear": 12.0}[fill]
    told = [None if value != value else value for value in series.columns["whole.avg"].tolist()]
    assert told[2] == gap


def test_conditions(engine):
    condition = parse_where("real > 1 and slow.flag = true and whole not in (8, 10)")
    assert column(engine, "whole.first", where=condition) == [6]
    assert column(engine, "whole.count", where=parse_where("whole < 100")) == [100]
    raw = run(engine, where=condition, limit=2, signals=("real",)).series[0]
    assert {name: column.tolist() for name, column in raw.columns.items()} == {"real": [1.5, 3.0]}


def test_words_and_numbers_side_by_side(engine):
    series = run(
        engine, "example", aggregates=("count", "mode", "distinct", "max"), every=Buckets(5 * S)
    ).series[0]
    assert [name for name in series.columns if name.startswith("message")] == [
        "message.count",
        "message.mode",
        "message.distinct",
    ]
    assert series.columns["message.distinct"].tolist() == [5000]
    assert series.columns["counter.mode"].tolist() == [0]
    assert column(engine, "message.first", channel="example") == ["m0"]


def test_several_channels(engine):
    series = run(
        engine, ("slow", "example", "empty"), aggregates=("count",), signals=("slow.real", "voltage")
    ).series
    assert [(one.channel, list(one.columns)) for one in series] == [
        ("slow", ["real.count"]), ("example", ["voltage.count"]), ("empty", []),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "status", "words"),
    [
        ({"channel": "nosuch"}, 404, "Channel not found"),
        ({"signals": ("nosuch",)}, 404, "Signal not found"),
        ({"where": parse_where("nosuch > 1")}, 404, "Signal not found"),
        ({"channel": "example", "signals": ("message",), "aggregates": ("avg",)}, 400, "has no avg"),
        ({"every": Buckets(1)}, 413, "ask for a larger every"),
        ({"limit": 10**6}, 413, "smaller limit"),
    ],
)
def test_what_cannot_be_answered(engine, more, status, words):
    with pytest.raises(Problem) as caught:
        run(engine, **more)
    assert caught.value.status == status
    assert words in caught.value.body["error"]


def test_the_estimate_comes_before_the_work(folder, monkeypatch):
    engine = Engine(Catalogue(folder, None), Limits(points=100))
    monkeypatch.setattr("speeddata.rollup_channel.Reader", None)
    for every in (Buckets(1), Buckets(10 * S)):
        with pytest.raises(Problem) as caught:
            run(engine, every=every)
        assert (caught.value.status, caught.value.body["max_points"]) == (413, 100)


def test_channels_are_remembered_within_bounds(folder, monkeypatch):
    engine = Engine(Catalogue(folder, None))
    monkeypatch.setattr(module, "MAX_CHANNELS", 2)
    first = engine.channels(["slow"])["slow"]
    assert engine.channels(["slow"])["slow"] is first
    engine.channels(["example", "empty"])
    assert engine.channels(["slow"])["slow"] is not first


def test_the_token_changes_with_the_records_of_the_range(tmp_path):
    rolled.segment(tmp_path / "c", 0, rolled.steady_rows(100), parts=1)
    engine = Engine(Catalogue(tmp_path, None))
    early, late = (
        Query(("c",), START + first * S, START + last * S) for first, last in ((0, 50), (200, 300))
    )
    before = engine.token(early), engine.token(late)
    rolled.segment(tmp_path / "c", 1, rolled.steady_rows(10, 250))
    after = engine.token(early), engine.token(late)
    assert (before[0] == after[0], before[1] == after[1]) == (True, False)
