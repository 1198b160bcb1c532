"""Errors that name where a value stands, and values that no field can hold. What is written is tested with the rows."""

import array
import datetime
import decimal
import re
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from channels import channel, plan_of

from speeddata.errors import RecordError
from speeddata.pack import unexpected
from speeddata.rows import encode, encode_record
from speeddata.schema import Schema


def test_the_error() -> None:
    error = unexpected("a.b", "a number", "x" * 1000)
    assert isinstance(error, RecordError)
    assert len(str(error)) < 100
    assert str(error).startswith("field 'a.b': expected a number, not 'xxx")


@pytest.mark.parametrize(
    ("type_", "value", "where"),
    [
        ("int", "x", "'f'"),
        ({"type": "array", "items": {"type": "array", "items": "int"}}, [[1], ["x"]], "'f[][]'"),
        ({"type": "map", "values": {"type": "map", "values": "int"}}, {"a": {"b": "x"}}, "\"f{'a'}{'b'}\""),
        ({"type": "record", "name": "R", "fields": [{"name": "g", "type": "int"}]}, {"g": "x"}, "'f.g'"),
        (
            ["null", {"type": "record", "name": "R", "fields": [{"name": "g", "type": "int"}]}],
            {"g": "x"},
            "'f.g'",
        ),
    ],
)
def test_where_a_value_stands(type_: Any, value: Any, where: str) -> None:
    fields = [{"name": "time", "type": "int"}, {"name": "f", "type": type_}]
    schema = Schema.parse({"type": "record", "name": "T", "fields": fields})
    with pytest.raises(RecordError, match=re.escape(f"field {where}: expected a whole number, not 'x'")):
        encode_record(schema, {"time": 0, "f": value})


def test_large_values_grow_the_buffer() -> None:
    fields = [{"name": "time", "type": "int"}, {"name": "f", "type": {"type": "array", "items": "string"}}]
    schema = Schema.parse({"type": "record", "name": "T", "fields": fields})
    for size in (0, 1, 63, 64, 65, 255, 256, 257, 100_000):
        data = encode_record(schema, {"time": 0, "f": ["x" * size, "y" * size]})
        assert data.count(b"x") == data.count(b"y") == size


class Mute:
    """Something that cannot even be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


STRUCTURED = np.array([(1, 2.0)], dtype=[("a", int), ("b", float)])
ODD: list[Any] = [
    None, True, 2**31, 2**64, 10**5000, float("nan"), 1e300, 1j, "", "x", "\ud800", b"x", bytearray(b"xy"), Mute(), object(),
    memoryview(b"ab"), memoryview(np.zeros((2, 2))), [], [1], [None], [[1]], [[[]]], (1, 2), ("int", "x"), {}, {"x": 1},
    {1: 2}, {"k": None}, set(), range(3), array.array("d", [1.0]), decimal.Decimal(1), datetime.date(2000, 1, 1), Ellipsis,
    np.int8(1), np.float16(2), np.bool_(True), np.datetime64("2000"), np.timedelta64(1, "s"), np.ma.masked, np.array(1),
    np.array([[1]]), np.array(["a"]), np.array([b"a"]), np.array([None]), np.array([]), np.array([1j]), STRUCTURED,
    np.ma.MaskedArray([1], mask=[True]), np.ma.MaskedArray(STRUCTURED),
]  # fmt: skip
TYPES: list[Any] = [
    "null", "boolean", "int", "long", "float", "double", "bytes", "string", {"type": "fixed", "name": "F", "size": 2},
    {"type": "enum", "name": "E", "symbols": ["A", "x"]}, {"type": "map", "values": "int"},
    *({"type": "array", "items": kind} for kind in ("int", "double", "boolean", "null", ["null", "int"])),
    *(["null", kind] for kind in ("int", "double", "boolean", "string")),
    ["int", "string", {"type": "array", "items": "int"}, {"type": "map", "values": "long"}],
]  # fmt: skip


@pytest.mark.parametrize("type_", TYPES, ids=str)
def test_odd_values_are_written_or_refused(type_: Any) -> None:
    plan = plan_of(channel(type_))
    for value in ODD:
        columns = ([value], [value, value], [None, value], value)
        for column in columns:
            for time in ([0], [0, 1], column):
                assert_written_or_refused(plan, {"time": time, "f0": column})
        with suppress(RecordError):
            plan.walk(encode_record(plan, {"time": 0, "f0": value}))


def assert_written_or_refused(plan: Any, columns: dict[str, Any]) -> None:
    with suppress(RecordError):
        data = encode(plan, columns)
        if data:
            assert plan.packet(data) == len(columns["time"])
