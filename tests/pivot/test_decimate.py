import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.pivot.decimate import Decimation, decimate, decimated_columns, parse_width
from speeddata.pivot.export_column import Column
from speeddata.table import Table

COLUMNS = [
    Column("real", "double", "V"),
    Column("small", "float"),
    Column("whole", "long", "1"),
    Column("maybe", "int", nullable=True),
    Column("word", "string"),
    Column("flag", "boolean"),
]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("every:10", Decimation("every", count=10)),
        ("mean:1", Decimation("mean", count=1)),
        ("mean:10Hz", Decimation("mean", width_ns=100_000_000)),
        ("minmax:50hz", Decimation("minmax", width_ns=20_000_000)),
        ("min-max:2kHz", Decimation("minmax", width_ns=500_000)),
        ("mean:3Hz", Decimation("mean", width_ns=333_333_333)),
        ("mean:1s", Decimation("mean", width_ns=10**9)),
        ("mean:0.5ms", Decimation("mean", width_ns=500_000)),
        ("every:PT1M", Decimation("every", width_ns=60 * 10**9)),
        ("mean:1d", Decimation("mean", width_ns=86400 * 10**9)),
    ],
)
def test_what_a_parameter_says(text, made):
    assert Decimation.parse(text) == made


@pytest.mark.parametrize(
    "text",
    ["", "mean", "mean:", "mean:0", "median:5", "mean:-1", "mean:1.5", "mean:0Hz", "mean:1y", "mean:1e9s", "mean:PT",
     "mean:9999999999999999999999", "mean:999999999999999d", "mean:\u0661", "mean:3THz", "every:10 Hz s"],
)  # fmt: skip
def test_what_no_parameter_says(text):
    assert Decimation.parse(text) is None


def test_rates_faster_than_nanoseconds_are_none():
    assert parse_width("3000MHz") is None
    assert parse_width("1000MHz") == 1


def rows_of(draw_times, values):
    rows = []
    for time, (real, whole, maybe, word) in zip(sorted(draw_times), values, strict=False):
        rows.append((time, real, np.float32(real), whole, maybe, word, bool(whole % 2)))
    return rows


def table_of(rows):
    def maybe(place):
        return np.ma.MaskedArray(
            np.array([row[place] or 0 for row in rows], np.int32), [row[place] is None for row in rows]
        )

    words = np.empty(len(rows), object)
    words[:] = [row[5] for row in rows]
    return Table(
        np.array([row[0] for row in rows], np.int64),
        {
            "real": np.array([row[1] for row in rows], np.float64),
            "small": np.array([row[2] for row in rows], np.float32),
            "whole": np.array([row[3] for row in rows], np.int64),
            "maybe": maybe(4),
            "word": words,
            "flag": np.array([row[6] for row in rows], np.bool_),
        },
    )


RECORDS = st.lists(
    st.tuples(
        st.integers(-50, 50),
        st.sampled_from([0.0, -0.5, 1.25, 1e9, math.nan]),
        st.integers(-(2**40), 2**40),
        st.none() | st.integers(-5, 5),
        st.none() | st.text(max_size=2),
    ),
    max_size=30,
)


def expected(rows, how):
    """Buckets by brute force."""
    buckets = {}
    for number, row in enumerate(rows):
        key = row[0] // how.width_ns if how.width_ns else number // how.count
        buckets.setdefault(key, []).append(row)
    made = []
    for key, inside in buckets.items():
        time = key * how.width_ns if how.width_ns else inside[0][0]
        if how.how == "every":
            made.append(inside[0])
            continue
        numbers = []
        for place in (1, 2, 3, 4):
            known = [
                float(row[place]) for row in inside if row[place] is not None and row[place] == row[place]
            ]
            if how.how == "mean":
                numbers.append(sum(known) / len(known) if known else math.nan)
            else:
                none = None if place == 4 else math.nan
                numbers += [min(known), max(known)] if known else [none, none]
        made.append((time, *numbers, inside[-1][5], inside[-1][6]))
    return made


@given(
    RECORDS,
    st.lists(st.integers(0, 30), max_size=5),
    st.sampled_from(["every", "mean", "minmax"]),
    st.sampled_from(
        [("count", 1), ("count", 3), ("count", 100), ("width", 1), ("width", 7), ("width", 1000)]
    ),
)
def test_it_is_what_brute_force_gives_however_the_tables_are_cut(records, cuts, how, size):
    records = sorted(records, key=lambda record: record[0])
    rows = rows_of([record[0] for record in records], [record[1:] for record in records])
    wanted = Decimation(how, count=size[1]) if size[0] == "count" else Decimation(how, width_ns=size[1])
    cuts = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    tables = [table_of(rows[a:b]) for a, b in zip(cuts, cuts[1:], strict=False)]
    found = []
    names = [column.name for column in decimated_columns(COLUMNS, how)]
    for table in decimate(tables, COLUMNS, wanted):
        assert list(table.columns) == names
        for row in range(len(table)):
            found.append((int(table.time_ns[row]), *(_plain(table.columns[name][row]) for name in names)))
    assert len(found) == len(expected(rows, wanted))
    for one, other in zip(found, expected(rows, wanted), strict=True):
        for a, b in zip(one, other, strict=True):
            assert a == b or (a != a and b != b) or a == pytest.approx(b, rel=1e-6), (one, other)


def _plain(value):
    return None if value is np.ma.masked else value


def test_columns_say_what_they_became():
    mean = decimated_columns(COLUMNS, "mean")
    assert [(column.name, column.kind, column.unit) for column in mean[:3]] == [
        ("real", "double", "V"),
        ("small", "double", None),
        ("whole", "double", "1"),
    ]
    taken = [Column("x", "int"), Column("x_min", "int")]
    assert [column.name for column in decimated_columns(taken, "minmax")] == [
        "x_min_",
        "x_max",
        "x_min_min",
        "x_min_max",
    ]


def test_a_bucket_over_many_tables_holds_no_records():
    """A day of them would not fit in memory."""
    tables = (Table(np.arange(n * 1000, n * 1000 + 1000), {"v": np.ones(1000)}) for n in range(100))
    (made,) = decimate(tables, [Column("v", "double")], Decimation("mean", width_ns=10**9))
    assert (made.time_ns.tolist(), made.columns["v"].tolist()) == ([0], [1.0])


def test_buckets_at_the_end_of_time_do_not_overflow():
    table = Table(np.array([-(2**63), 2**63 - 1]), {"v": np.array([1, 2])})
    (early, late) = decimate([table], [Column("v", "long")], Decimation("mean", width_ns=3600 * 10**9))
    assert early.time_ns[0] == -(2**63)
    assert 2**63 - 3600 * 10**9 < late.time_ns[0] < 2**63
