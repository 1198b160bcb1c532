"""Values of any type as Python objects. Agreement with fastavro is tested with the columns."""

from typing import Any

import pytest
from twin import varint, write

from speeddata.columns import decode
from speeddata.errors import RecordError
from speeddata.plan import Plan
from speeddata.schema import Schema
from speeddata.unpack import Records

POINT = {"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}, {"name": "in", "type": "Q"}]}
INNER = {"type": "record", "name": "Q", "fields": [{"name": "y", "type": ["null", "float"]}]}
POINT["fields"][1]["type"] = INNER  # type: ignore[index]


def read(type_: Any, data: bytes) -> Any:
    schema = {
        "type": "record",
        "name": "T",
        "fields": [{"name": "time", "type": "int"}, {"name": "f", "type": type_}],
    }
    return decode(Plan(Schema.parse(schema)), b"\0" + data)["f"][0]


@pytest.mark.parametrize(
    ("type_", "value", "wanted"),
    [
        (["null", POINT], (1, {"x": -1, "in": {"y": (1, 0.5)}}), {"x": -1, "in": {"y": 0.5}}),
        (
            {"type": "array", "items": POINT},
            [{"x": 1, "in": {"y": (0, None)}}],
            [{"x": 1, "in": {"y": None}}],
        ),
        ({"type": "map", "values": "boolean"}, {"a": True, "b": False}, {"a": True, "b": False}),
        ({"type": "map", "values": "bytes"}, {"": b"\xff"}, {"": b"\xff"}),
        (
            {"type": "array", "items": {"type": "fixed", "name": "F", "size": 2}},
            [b"ab", b"cd"],
            [b"ab", b"cd"],
        ),
        ({"type": "array", "items": {"type": "array", "items": "double"}}, [[1.0], []], [[1.0], []]),
        (["long", "string", "boolean"], (0, -(2**63)), -(2**63)),
        (["long", "string", "boolean"], (1, "\U0001f600"), "\U0001f600"),
        (["long", "string", "boolean"], (2, True), True),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", "B"),
        ({"type": "array", "items": "null"}, [None, None], [None, None]),
    ],
)
def test_values(type_: Any, value: Any, wanted: Any) -> None:
    found = read(type_, write(type_, value))
    assert found == wanted
    assert type(found) is type(wanted)


def test_the_last_of_two_equal_keys_counts() -> None:
    assert read({"type": "map", "values": "int"}, varint(2) + b"\2k\2" + b"\2k\4" + b"\0") == {"k": 2}


RECORD = {
    "type": "record",
    "name": "T",
    "fields": [{"name": "time", "type": "double"}, {"name": "p", "type": POINT}],
}


def test_records_one_by_one_with_their_times() -> None:
    """More of it is shown with records as text."""
    plan = Plan(Schema.parse(RECORD))
    rows = [{"time": time, "p": {"x": 1, "in": {"y": (0, None)}}} for time in (1.5, float("inf"))]
    data = b"".join(write(RECORD, row) for row in rows)
    (first, row), (second, _) = Records(plan, data, "s")
    assert (first, second) == (1_500_000_000, None)
    assert row == {"time": 1.5, "p": {"x": 1, "in": {"y": None}}}
    assert [time for time, _ in Records(plan, data)] == [None, None]
    assert list(Records(plan, b"")) == []


def test_records_that_are_cut_are_refused_where_they_are() -> None:
    plan = Plan(Schema.parse(RECORD))
    data = write(RECORD, {"time": 1.0, "p": {"x": 1, "in": {"y": (1, 1.0)}}})
    records = Records(plan, data + data[:-1], "s")
    next(records)
    with pytest.raises(RecordError, match=f"refused at byte {len(data) + 10}, short"):
        next(records)


def test_records_without_time() -> None:
    schema = {"type": "record", "name": "T", "fields": [{"name": "time", "type": "string"}]}
    plan = Plan(Schema.parse(schema, timed=False))
    assert list(Records(plan, b"\2a\0", "s")) == [(None, {"time": "a"}), (None, {"time": ""})]
    assert plan.walk(b"\2a") == (2, None, None)
