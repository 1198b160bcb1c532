import datetime
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.columns import decode
from speeddata.plan import Plan
from speeddata.rows import encode_record
from speeddata.rows_json import MAX_ERRORS, RowEncoder
from speeddata.schema import Schema
from speeddata.times import format_time, parse_time

TIME = {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}}
INNER = {
    "type": "record",
    "name": "inner",
    "fields": [{"name": "x", "type": "double"}, {"name": "n", "type": ["null", "int"]}],
}
ALL = [
    TIME,
    {"name": "i", "type": "int"},
    {"name": "l", "type": ["null", "long"]},
    {"name": "f", "type": "float"},
    {"name": "d", "type": ["double", "null"]},
    {"name": "b", "type": "boolean"},
    {"name": "s", "type": ["null", "string"], "default": None},
    {"name": "e", "type": {"type": "enum", "name": "letters", "symbols": ["A", "B"]}},
    {"name": "a", "type": {"type": "array", "items": "double"}},
    {"name": "r", "type": INNER},
    {"name": "u", "type": ["null", "double", "string"]},
    {"name": "y", "type": "bytes", "default": "\xff"},
    {"name": "m", "type": {"type": "map", "values": "long"}, "default": {}},
]


def plan_of(*fields):
    return Plan(Schema.parse({"type": "record", "name": "test", "fields": list(fields)}))


WHOLE = plan_of(*ALL)
SPEED = plan_of(TIME, {"name": "speed", "type": "double"})
INT64 = st.integers(-(2**63), 2**63 - 1)
REALS = st.floats(allow_nan=False, allow_infinity=False)
RECORDS = st.fixed_dictionaries(
    {
        "time": INT64,
        "i": st.integers(-(2**31), 2**31 - 1),
        "l": st.none() | INT64,
        "f": st.floats(width=32, allow_nan=False, allow_infinity=False),
        "d": st.none() | REALS,
        "b": st.booleans(),
        "e": st.sampled_from("AB"),
        "a": st.lists(REALS, max_size=4),
        "r": st.fixed_dictionaries({"x": REALS, "n": st.none() | st.integers(-(2**31), 2**31 - 1)}),
    },
    optional={
        "s": st.none() | st.text(st.characters(codec="utf-8")),
        "u": st.none() | REALS | st.text(st.characters(codec="utf-8")),
        "m": st.dictionaries(st.text(st.characters(codec="utf-8")), INT64, max_size=3),
    },
)


@given(st.lists(RECORDS, max_size=5))
def test_rows_are_encoded_as_records_one_by_one(records):
    made = RowEncoder(WHOLE, "ns").rows(records)
    assert (made.errors, made.wrong, made.count) == ([], 0, len(records))
    assert made.data == b"".join(encode_record(WHOLE, record) for record in records)
    assert made.newest_ns == max((record["time"] for record in records), default=None)


@given(st.lists(RECORDS, min_size=1, max_size=5))
def test_columns_are_encoded_as_rows(records):
    names = WHOLE.schema.signal_names
    flat = [{**record, "r.x": record["r"]["x"], "r.n": record["r"]["n"]} for record in records]
    columns = {
        name: [record[name] for record in flat] for name in names if all(name in record for record in flat)
    }
    kept = [{name: record[name] for name in columns} for record in flat]
    made = RowEncoder(WHOLE, "ns").columns(columns, len(records))
    assert made.errors == []
    assert made.data == RowEncoder(WHOLE, "ns").rows(kept).data


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"speed": 1}, "time"),
        ({"time": 1}, "speed"),
        ({"time": None, "speed": 1}, "time"),
        ({"time": True, "speed": 1}, "time"),
        ({"time": 1.5, "speed": 1}, "time"),
        ({"time": 2**63, "speed": 1}, "time"),
        ({"time": "soon", "speed": 1}, "time"),
        ({"time": "2300-01-01T00:00:00Z", "speed": 1}, "time"),
        ({"time": "2025-02-29T00:00:00Z", "speed": 1}, "time"),
        ({"time": "\ud800", "speed": 1}, "time"),
        ({"time": 1, "speed": "1"}, "speed"),
        ({"time": 1, "speed": True}, "speed"),
        ({"time": 1, "speed": None}, "speed"),
        ({"time": 1, "speed": [1]}, "speed"),
        ({"time": 1, "speed": 10**400}, "speed"),
        ({"time": 1, "speed": 1, "sped": 1}, "sped"),
        ([], ""),
        (None, ""),
    ],
)
def test_wrong_values_are_told(row, field):
    made = RowEncoder(SPEED, "ns").rows([{"time": 1, "speed": 1}, row, {"time": 2, "speed": 2}])
    assert [(number, name) for number, name, _, _ in made.errors] == [(1, field)]
    assert (made.wrong, made.data, made.count) == (1, b"", 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("i", 2**31), ("i", 1.5), ("i", "1"), ("i", math.inf), ("l", 2**63), ("l", 2.0**60), ("f", 1e300), ("b", 1), ("s", 1),
        ("s", "\ud800"), ("e", "C"), ("e", 0), ("e", []), ("a", 1), ("a", [None]), ("a", ["1"]), ("r", 1), ("r", {"x": 1, "z": 1}),
        ("r", {}), ("u", []), ("y", "\u0100"), ("y", 1), ("m", []), ("m", {"k": 1.5}),
    ],
)  # fmt: skip
def test_each_type_refuses_what_it_cannot_hold(name, value):
    good = {"time": 1, "i": 1, "l": 1, "f": 1, "d": 1, "b": True, "e": "A", "a": [], "r": {"x": 1, "n": 1}}
    assert RowEncoder(WHOLE, "ns").rows([good]).errors == []
    made = RowEncoder(WHOLE, "ns").rows([{**good, name: value}])
    assert made.wrong == 1
    assert made.errors[0][1].partition(".")[0] == name
    assert made.errors[0][3]


def test_whole_numbers_may_be_written_as_real_ones_and_the_other_way_round():
    plan = plan_of(TIME, {"name": "i", "type": "int"}, {"name": "d", "type": "double"})
    made = RowEncoder(plan, "ns").rows([{"time": 1e9, "i": -3.0, "d": 7}, {"time": 2, "i": 3, "d": 2**64}])
    columns = decode(plan, made.data)
    assert [list(column) for column in columns.values()] == [[10**9, 2], [-3, 3], [7.0, 2.0**64]]


def test_all_errors_of_a_row_are_told_and_a_hundred_in_all():
    rows = [{"time": "x", "speed": "y", "z": 1}] * 1000
    made = RowEncoder(SPEED, "ns").rows(rows)
    assert (len(made.errors), made.wrong) == (MAX_ERRORS, 1000)
    assert [(row, name, value) for row, name, value, _ in made.errors[:4]] == [
        (0, "time", "x"), (0, "speed", "y"), (0, "z", 1), (1, "time", "x"),
    ]  # fmt: skip


def test_unknown_fields_may_be_left_out_and_one_key_stands_beside():
    rows = [{"channel": "x", "time": 1, "speed": 1, "z": {}}]
    assert RowEncoder(SPEED, "ns", None, True).rows(rows).wrong == 0
    assert [name for _, name, _, _ in RowEncoder(SPEED, "ns").rows(rows, "channel").errors] == ["z"]


def test_a_nested_record_may_be_dotted_and_is_looked_into():
    plan = plan_of(TIME, {"name": "r", "type": INNER})
    dotted = RowEncoder(plan, "ns").rows([{"time": 1, "r.x": 2, "r.n": 3}])
    assert dotted.data == RowEncoder(plan, "ns").rows([{"time": 1, "r": {"x": 2, "n": 3}}]).data
    assert [name for _, name, _, _ in RowEncoder(plan, "ns").rows([{"time": 1, "r": None}]).errors] == ["r"]
    wrong = RowEncoder(plan, "ns").rows([{"time": 1, "r": {"x": 2, "n": 3, "q": 1}}])
    assert [name for _, name, _, _ in wrong.errors] == ["r.q"]


def test_columns_that_are_missing_unknown_or_of_another_length():
    encoder = RowEncoder(SPEED, "ns")
    assert [(row, name) for row, name, _, _ in encoder.columns({"time": [1], "z": [1]}, 1).errors] == [
        (None, "z"), (None, "speed"),
    ]  # fmt: skip
    with pytest.raises(ValueError, match="column 'speed' has 2 values, not 1"):
        encoder.columns({"time": [1], "speed": [1, 2]}, 1)
    assert encoder.columns({"time": [], "speed": []}, 0).data == b""


def time_plan(kind, unit=None):
    logical = {"ms": "timestamp-millis", "us": "timestamp-micros", "ns": "timestamp-nanos"}.get(unit)
    return plan_of({"name": "time", "type": {"type": kind, "logicalType": logical} if logical else kind})


@given(st.integers(-(2**62), 2**62), st.sampled_from(["s", "ms", "us", "ns"]))
def test_text_and_other_units_become_the_unit_of_the_channel(ns, unit):
    scale = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[unit]
    plan = time_plan("long", unit)
    rows = [{"time": ns}, {"time": format_time(ns)}]
    made = RowEncoder(plan, unit, "ns").rows(rows)
    assert decode(plan, made.data)["time"].tolist() == [ns // scale] * 2
    assert made.newest_ns == ns


@pytest.mark.parametrize(
    ("kind", "unit", "given", "value", "stored"),
    [
        ("double", "s", None, 1700000000.25, 1700000000.25),
        ("double", "s", "ms", 1700000000250, 1700000000.25),
        ("double", "s", None, "2023-11-14T22:13:20.25Z", 1700000000.25),
        ("long", "ms", "s", 1700000000.25, 1700000000250),
        ("int", "s", None, "2023-11-14T22:13:20.9Z", 1700000000),
        ("long", None, None, "2023-11-14T22:13:20Z", 1700000000 * 10**9),
        ("double", None, None, "2023-11-14T22:13:20Z", 1700000000.0),
        ("long", None, None, 1700000000, 1700000000),
    ],
)
def test_how_times_are_stored(kind, unit, given, value, stored):
    plan = time_plan(kind, unit)
    made = RowEncoder(plan, unit, given).rows([{"time": value}])
    assert made.errors == []
    assert decode(plan, made.data)["time"].tolist() == [stored]
    assert 1700000000 * 10**9 <= made.newest_ns < 1700000001 * 10**9


ZONES = st.sampled_from(["", "Z", "z", "+01:00", "-23:59", "+0130", "+05"])


@given(
    st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2250, 1, 1)),
    st.integers(0, 12),
    ZONES,
    st.sampled_from("T "),
)
def test_iso_times_are_read_as_parse_time_reads_them(moment, digits, zone, between):
    fraction = f".{str(moment.microsecond).zfill(6)}123456"[: digits + 1] if digits else ""
    text = f"{moment:%Y-%m-%d}{between}{moment:%H:%M:%S}{fraction}{zone}"
    made = RowEncoder(time_plan("long", "ns"), "ns").rows([{"time": text}])
    assert made.newest_ns == parse_time(text), text


@given(st.text("0123456789-:TZ+. ", max_size=30))
def test_what_is_no_time_is_refused_by_both(text):
    made = RowEncoder(time_plan("long", "ns"), "ns").rows([{"time": text}])
    try:
        expected = parse_time(text)
    except ValueError:
        expected = None
    assert made.newest_ns == expected


def test_what_json_gives_goes_in_as_it_is():
    rows = json.loads('[{"time": 1, "speed": 1e3}, {"speed": -0.0, "time": 2}]')
    assert decode(SPEED, RowEncoder(SPEED, "ns").rows(rows).data)["speed"].tolist() == [1000.0, -0.0]
