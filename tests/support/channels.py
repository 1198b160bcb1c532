"""Channels to test with: one of every type, and ones with a time and what a test is about."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from speeddata.errors import RecordError
from speeddata.plan import Plan
from speeddata.schema import Schema

LONG = {"name": "time", "type": "long"}
EVERY: dict[str, Any] = {
    "type": "record",
    "name": "Every",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "null", "type": "null"},
        {"name": "boolean", "type": "boolean"},
        {"name": "int", "type": "int"},
        {"name": "float", "type": "float"},
        {"name": "double", "type": ["null", "double"]},
        {"name": "bytes", "type": "bytes"},
        {"name": "string", "type": "string"},
        {"name": "fixed", "type": {"type": "fixed", "name": "F", "size": 5}},
        {"name": "enum", "type": {"type": "enum", "name": "E", "symbols": ["A", "B", "C"]}},
        {"name": "array", "type": {"type": "array", "items": ["null", "string"]}},
        {"name": "wave", "type": {"type": "array", "items": "double"}},
        {"name": "map", "type": {"type": "map", "values": "int"}},
        {"name": "union", "type": ["int", "string", {"type": "array", "items": "boolean"}]},
        {"name": "n", "type": "long", "speeddata": {"role": "sequence"}},
        {
            "name": "record",
            "type": {"type": "record", "name": "R", "fields": [{"name": "x", "type": ["float", "null"]}]},
        },
    ],
}
VALUE: dict[str, Any] = {
    "time": 1_700_000_000_123_456_789, "null": None, "boolean": True, "int": -70, "float": 1.5, "double": (1, 2.5),
    "bytes": b"\x00\xff", "string": "h\u00e9llo w\u00f6rld \U0001f600", "fixed": b"12345", "enum": "C",
    "array": [(0, None), (1, "abc")], "wave": [1.0, 2.0, 3.0], "map": {"k": 7, "": 2**31 - 1},
    "union": (2, [True, False]), "n": 300, "record": {"x": (0, 0.25)},
}  # fmt: skip


def plan_of(schema: Any, **options: Any) -> Plan:
    return Plan(Schema.parse(schema, **options))


def channel(*types: Any) -> dict[str, Any]:
    """A schema with a time and one field of each type."""
    fields = [{"name": f"f{i}", "type": type_} for i, type_ in enumerate(types)]
    return {"type": "record", "name": "T", "fields": [LONG, *fields]}


def exact(data: bytes) -> NDArray[np.uint8]:
    """The bytes in memory of just that size (those of Python end in a zero), so that a sanitizer sees a read beyond."""
    return np.frombuffer(data, np.uint8).copy()


def reason_of(plan: Plan, data: bytes) -> str:
    """Why the walk refuses; "" when it does not."""
    try:
        plan.walk(exact(data))
    except RecordError as error:
        return error.reason
    return ""
