import math

import fastavro
import numpy as np
import pytest

from speeddata.columns import decode
from speeddata.errors import SchemaError
from speeddata.plan import Plan
from speeddata.rows import encode_record
from speeddata.schema import Schema
from speeddata.schema_union import bring_to, same_records, union_of

MODE = {"type": "enum", "name": "mode", "symbols": ["run", "stop"]}
TIME = {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}}


def schema(*fields, name="engine"):
    return Schema.parse({"type": "record", "name": name, "namespace": "test", "fields": [TIME, *fields]})


def field(name, type_, **other):
    return {"name": name, "type": type_, **other}


def shapes(union):
    return {signal.name: (signal.type, signal.nullable) for signal in union.signals}


def brought(union, version, *records):
    data = b"".join(encode_record(version, {"time": n, **record}) for n, record in enumerate(records))
    columns = decode(Plan(version), data)
    return bring_to(union.signals[1:], version, columns, len(records))


def test_one_version_is_its_own_union():
    only = schema(field("speed", "double"))
    assert union_of([only]) is only
    noted = schema(field("speed", "double"))
    assert union_of([only, noted]) is noted


def test_what_a_version_does_not_have_may_be_null():
    old = schema(
        field("speed", "double", speeddata={"unit": "1/min"}),
        field("count", "int", speeddata={"role": "sequence"}),
    )
    new = schema(
        field("speed", "double", speeddata={"unit": "rpm"}),
        field("mode", MODE),
        field("note", "string", default="-"),
    )
    union = union_of([old, new])
    assert shapes(union) == {
        "time": ("long", False),
        "speed": ("double", False),
        "mode": ("enum", True),
        "note": ("string", True),
        "count": ("int", True),
    }
    assert union.sequence is None
    assert {signal.name: signal.unit for signal in union.signals}["speed"] == "rpm"
    fastavro.parse_schema(union.json)
    first = brought(union, old, {"speed": 1.0, "count": 7})
    assert first["mode"].tolist() == [None]
    assert (first["count"].tolist(), first["speed"].tolist()) == ([7], [1.0])
    second = brought(union, new, {"speed": 2.0, "mode": "stop", "note": "n"})
    assert second["count"].mask.tolist() == [True]
    assert (second["mode"].tolist(), second["note"].tolist()) == (["stop"], ["n"])
    assert list(first) == list(second) == ["speed", "mode", "note", "count"]


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("int", "long", ("long", False)),
        ("long", "float", ("double", False)),
        ("double", "float", ("double", False)),
        (["null", "int"], "double", ("double", True)),
        ("string", MODE, ("string", False)),
        (MODE, {**MODE, "symbols": ["run", "stop", "idle"]}, ("string", False)),
        ("boolean", "int", ("union", False)),
        ("string", ["null", "double"], ("union", True)),
        ({"type": "array", "items": "int"}, {"type": "array", "items": "double"}, ("array", False)),
    ],
)
def test_a_signal_of_another_type_has_one_that_holds_both(old, new, wanted):
    union = union_of([schema(field("x", old)), schema(field("x", new))])
    assert shapes(union)["x"] == wanted


def test_values_of_another_type_are_those_of_the_union():
    old = schema(
        field("a", "int"), field("b", ["null", "int"]), field("c", "boolean"), field("d", ["null", "boolean"])
    )
    new = schema(field("a", "double"), field("b", "long"), field("c", "string"), field("d", "boolean"))
    union = union_of([old, new])
    rows = [{"a": 1, "b": None, "c": True, "d": None}, {"a": 2, "b": 5, "c": False, "d": True}]
    columns = brought(union, old, *rows)
    assert columns["a"].tolist() == [1.0, 2.0]
    assert columns["a"].dtype == np.float64
    assert columns["b"].tolist() == [None, 5]
    assert columns["b"].dtype == np.int64
    assert columns["c"].tolist() == [True, False]
    assert columns["d"].tolist() == [None, True]


def test_null_that_becomes_a_real_number_is_nan():
    old, new = schema(field("a", ["null", "int"])), schema(field("a", "float"))
    columns = brought(union_of([old, new]), old, {"a": None}, {"a": 3})
    assert math.isnan(columns["a"][0])
    assert columns["a"][1] == 3.0


def test_records_inside_are_united_field_by_field():
    inner = {"type": "record", "name": "oil", "fields": [field("pressure", "double")]}
    wider = {"type": "record", "name": "oil", "fields": [field("pressure", "double"), field("level", "int")]}
    union = union_of([schema(field("oil", inner)), schema(field("oil", wider))])
    assert shapes(union) == {
        "time": ("long", False),
        "oil.pressure": ("double", False),
        "oil.level": ("int", True),
    }


def test_names_that_mean_two_things_are_told_apart():
    other = {"type": "enum", "name": "mode", "symbols": ["a"]}
    union = union_of([schema(field("x", other)), schema(field("y", MODE), field("z", "test.mode"))])
    assert shapes(union) == {
        "time": ("long", False),
        "y": ("enum", True),
        "z": ("enum", True),
        "x": ("enum", True),
    }
    names = {
        one["type"][1]["name"]
        for one in union.json["fields"]
        if isinstance(one["type"], list) and isinstance(one["type"][1], dict)
    }
    assert names == {"test.mode", "test.mode_2"}


def test_the_time_of_an_older_version_is_no_signal():
    old = Schema.parse(
        {
            "type": "record",
            "name": "e",
            "fields": [field("t", "double", speeddata={"role": "time"}), field("x", "int")],
        }
    )
    union = union_of([old, schema(field("x", "int"))])
    assert shapes(union) == {"time": ("long", False), "x": ("int", False)}


def test_two_kinds_of_one_place_that_no_type_holds_are_refused():
    a, b = ({"type": "fixed", "name": "f", "size": size} for size in (2, 3))
    with pytest.raises(SchemaError, match="different fixeds"):
        union_of([schema(field("x", a)), schema(field("x", b))])


def test_same_records_are_those_with_the_same_columns():
    one = schema(field("speed", "double"))
    assert same_records(one, schema(field("speed", "double", doc="text")))
    assert not same_records(one, schema(field("speed", "double", speeddata={"unit": "V"})))
