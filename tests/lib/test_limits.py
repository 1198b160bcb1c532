"""Limits in schemas: what may be stated, what is refused, and that limits of another form keep nothing from being read."""

from typing import Any

import pytest

from speeddata.errors import SchemaError
from speeddata.limits import MAX_LIMITED, Limits, find_limits
from speeddata.schema import Schema
from speeddata.schema_union import same_records

TIME = {"name": "time", "type": "long"}


def limited(type_: Any, limits: Any, name: str = "f") -> dict[str, Any]:
    return {"name": name, "type": type_, "speeddata": {"limits": limits}}


def record(*fields: Any, name: str = "T") -> dict[str, Any]:
    return {"type": "record", "name": name, "fields": [TIME, *fields]}


def inner(*fields: Any) -> dict[str, Any]:
    return {"type": "record", "name": "Inner", "fields": list(fields)}


BOTH = {"warn": [0.5, 4], "alarm": [0, 5]}


@pytest.mark.parametrize(
    ("type_", "stated", "found"),
    [
        ("double", BOTH, Limits((0.5, 4), (0, 5))),
        ("double", {"alarm": [None, 5]}, Limits(alarm=(None, 5))),
        ("float", {"warn": [-1e30, None], "alarm": [-1e300, None]}, Limits((-1e30, None), (-1e300, None))),
        ("int", {"warn": [0.5, None]}, Limits((0.5, None))),
        ("long", {"alarm": [-(2**63), 2**63 - 1]}, Limits(alarm=(-(2**63), 2**63 - 1))),
        ("boolean", {"alarm": [None, 0]}, Limits(alarm=(None, 0))),
        (["null", "double"], BOTH, Limits((0.5, 4), (0, 5))),
        ({"type": "array", "items": ["int", "null"]}, BOTH, Limits((0.5, 4), (0, 5))),
        (["null", {"type": "array", "items": "float"}], BOTH, Limits((0.5, 4), (0, 5))),
        ("double", {"warn": [0, 5], "alarm": [0, 5]}, Limits((0, 5), (0, 5))),
        ("double", {"warn": None, "alarm": [1, 2]}, Limits(alarm=(1, 2))),
        ("double", {}, None),
        ("double", {"warn": None}, None),
        ("string", None, None),
        ("double", {"alarm": [0, 10**30]}, Limits(alarm=(0, 10**30))),
    ],
)
def test_limits_of_a_signal(type_: Any, stated: Any, found: Limits | None) -> None:
    schema = Schema.parse(record(limited(type_, stated)), strict=True)
    assert schema.signals[1].limits == found
    assert schema.ignored == ()


@pytest.mark.parametrize(
    ("type_", "stated", "words"),
    [
        ("double", [1, 2], r"limits must be an object, not \[1, 2\]; wanted an object such as"),
        ("double", 5, "limits must be an object, not 5"),
        ("double", {"max": 5}, "limits: unknown key 'max'; wanted an object such as"),
        ("double", {"alarm": [1, 2], "critical": [0, 3]}, "unknown key 'critical'"),
        ("double", {"alarm": 5}, r"alarm must be \[low, high\], two numbers .*, not 5"),
        ("double", {"alarm": [1]}, r"alarm must be \[low, high\]"),
        ("double", {"alarm": [1, 2, 3]}, r"alarm must be \[low, high\]"),
        ("double", {"warn": [None, None]}, r"warn must be \[low, high\]"),
        ("double", {"warn": ["1", 2]}, r"warn must be \[low, high\]"),
        ("double", {"warn": [True, 2]}, r"warn must be \[low, high\]"),
        ("double", {"warn": [0, 10**400]}, r"warn must be \[low, high\]"),
        ("double", {"warn": [2, 2]}, r"warn must have its low limit below its high one, not \[2, 2\]"),
        ("double", {"warn": [3, 2]}, "low limit below its high one"),
        (
            "double",
            {"warn": [0, 6], "alarm": [0, 5]},
            r"warn must be within alarm, not \[0, 6\] and \[0, 5\]",
        ),
        ("double", {"warn": [-1, 4], "alarm": [0, 5]}, "warn must be within alarm"),
        ("double", {"warn": [6, None], "alarm": [None, 5]}, "warn must be within alarm"),
        ("double", {"warn": [None, 4], "alarm": [4, None]}, "warn must be within alarm"),
        ("long", {"alarm": [0, 2**63]}, "alarm has 9223372036854775808, which is outside what a long holds"),
        ("int", {"alarm": [-1e20, 0]}, "outside what a long holds"),
        ("string", BOTH, "limits are for numbers, booleans and arrays of them, not for string"),
        ({"type": "map", "values": "double"}, BOTH, "not for map"),
        (["double", "string"], BOTH, "not for union"),
        (["null", "double", "int"], BOTH, "not for union"),
        ({"type": "array", "items": "string"}, BOTH, "not for string"),
        ({"type": "array", "items": {"type": "array", "items": "int"}}, BOTH, "not for array"),
        (inner({"name": "x", "type": "double"}), BOTH, "not for record"),
        ({"type": "enum", "name": "E", "symbols": ["A"]}, BOTH, "not for enum"),
    ],
)
def test_what_is_wrong_is_refused_and_named_and_else_passed_over(type_: Any, stated: Any, words: str) -> None:
    source = record(limited(type_, stated), limited("double", BOTH, "g"))
    with pytest.raises(SchemaError, match=words) as caught:
        Schema.parse(source, strict=True)
    assert caught.value.field == "f"
    schema = Schema.parse(source)
    assert schema.signals[1].limits is None
    assert schema.signals[-1].limits == Limits((0.5, 4), (0, 5))
    assert schema.ignored == (str(caught.value),)


def test_nested_signals_have_limits_and_what_is_in_arrays_has_none() -> None:
    deep = inner(limited("double", BOTH, "x"))
    schema = Schema.parse(record({"name": "a", "type": deep}), strict=True)
    assert {one.name: one.limits is not None for one in schema.signals} == {"time": False, "a.x": True}
    for type_ in ({"type": "array", "items": deep}, ["null", deep], {"type": "map", "values": deep}):
        with pytest.raises(SchemaError, match="limits are for signals, not for what is inside") as caught:
            Schema.parse(record({"name": "a", "type": type_}), strict=True)
        assert caught.value.field == "a.x"


def test_the_number_of_limited_signals_is_limited() -> None:
    many = [limited("int", BOTH, f"f{n}") for n in range(MAX_LIMITED + 1)]
    assert len(find_limits(Schema.parse(record(*many[1:]), strict=True).record)[0]) == MAX_LIMITED
    with pytest.raises(SchemaError, match="limits at 257 signals, at most 256"):
        Schema.parse(record(*many), strict=True)
    schema = Schema.parse(record(*many))
    assert sum(one.limits is not None for one in schema.signals) == MAX_LIMITED
    assert len(schema.ignored) == 1


def test_limits_change_neither_the_fingerprint_nor_the_columns() -> None:
    with_limits, without = (Schema.parse(record(limited("double", one))) for one in (BOTH, {}))
    assert with_limits.fingerprint == without.fingerprint
    assert with_limits.signals == without.signals
    assert same_records(with_limits, without)
