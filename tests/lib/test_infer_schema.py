import datetime

import numpy as np
import pytest

from speeddata.errors import SchemaError
from speeddata.infer_schema import infer_columns, infer_rows
from speeddata.schema import Schema

NS = {"type": "long", "logicalType": "timestamp-nanos"}
MS = {"type": "long", "logicalType": "timestamp-millis"}


def types(inferred):
    Schema.parse(inferred.schema, time_unit=inferred.time_unit)
    return {field["name"]: field["type"] for field in inferred.schema["fields"]}


def of_rows(*values):
    rows = [{"time": n + 1, **({} if value is Ellipsis else {"x": value})} for n, value in enumerate(values)]
    return types(infer_rows(rows, "test")).get("x")


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1, 2], "long"),
        ([1, 2.5], "double"),
        ([2.5, 1], "double"),
        ([1, None], ["null", "long"]),
        ([1, ...], ["null", "long"]),
        ([..., 1.5], ["null", "double"]),
        ([None, None], ["null", "double"]),
        ([True, False], "boolean"),
        (["a", ""], "string"),
        ([1, "a"], ["long", "string"]),
        (["a", 1, 2.5, None], ["null", "double", "string"]),
        ([..., "a", 1], ["null", "long", "string"]),
        ([b"a"], "bytes"),
        ([[1, 2], [3]], {"type": "array", "items": "long"}),
        ([[1, 2.5], []], {"type": "array", "items": "double"}),
        ([[], []], {"type": "array", "items": "double"}),
        ([[1], None], ["null", {"type": "array", "items": "long"}]),
        (
            [{"a": 1, "b": "t"}, {"a": 1.5}],
            {
                "type": "record",
                "name": "x",
                "fields": [{"name": "a", "type": "double"}, {"name": "b", "type": ["null", "string"]}],
            },
        ),
    ],
)
def test_types_of_values(values, type_):
    assert of_rows(*values) == type_


@pytest.mark.parametrize(
    "values",
    [[True, "a"], [1, "a", [1]], [True, 1], [[1], 1], [["a"]], [[None]], [[[1]]], [{"a": 1}, 2], [[True]]],
)
def test_values_of_different_kinds_are_refused(values):
    with pytest.raises(SchemaError) as caught:
        of_rows(*values)
    assert caught.value.field == "x"


@pytest.mark.parametrize(
    ("times", "stated", "type_", "unit"),
    [
        (["2026-01-01T00:00:00Z"], None, NS, None),
        ([1700000000], None, "long", "s"),
        ([1700000000.5], None, "double", "s"),
        ([0, 1700000000123], None, MS, None),
        ([1700000000123.5], None, "double", "ms"),
        ([1700000000123456], None, {"type": "long", "logicalType": "timestamp-micros"}, None),
        ([1700000000123456789], None, NS, None),
        ([5, 6], "ms", MS, None),
        ([5, 6], "s", "long", "s"),
        ([5.5, 6], "us", "double", "us"),
        ([0], None, "long", "s"),
    ],
)
def test_the_time_keeps_the_form_in_which_it_came(times, stated, type_, unit):
    inferred = infer_rows([{"x": 1, "time": time} for time in times], "test", stated)
    assert (types(inferred)["time"], inferred.time_unit) == (type_, unit)
    assert inferred.schema["fields"][0]["name"] == "time"


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([], ""),
        ([{"x": 1}], "time"),
        ([{"time": 1}, {"x": 1}], "time"),
        ([{"time": None}], "time"),
        ([{"time": [1]}], "time"),
        ([{"time": 1}, {"time": "2026-01-01"}], "time"),
        ([{"time": 1, "a b": 1}], "a b"),
        ([{"time": 1, "": 1}], ""),
        ([{"time": 1, "1a": 1}], "1a"),
        ([{"time": 1, "r": {"é": 1}}], "é"),
        ([5], ""),
    ],
)
def test_rows_of_which_no_channel_can_be_made(rows, field):
    with pytest.raises(SchemaError) as caught:
        infer_rows(rows, "test")
    assert caught.value.field == field


def test_too_many_fields_and_levels_are_refused_at_once():
    with pytest.raises(SchemaError, match="1000 fields"):
        infer_rows([{f"f{n}": 1 for n in range(10**5)}], "test")
    deep = {}
    for _ in range(100):
        deep = {"a": deep}
    with pytest.raises(SchemaError, match="32 levels"):
        infer_rows([{"time": 1, **deep}], "test")


def test_the_record_is_named_after_the_channel_and_a_key_may_stand_beside():
    inferred = infer_rows([{"time": 1, "channel": "9-x.y"}], "9-x.y", None, "channel")
    assert inferred.schema["name"] == "_9_x_y"
    assert list(types(inferred)) == ["time"]


def test_arrays_keep_their_width():
    columns = {
        "time": np.array(["2026-01-01T00:00:00", "NaT"], "datetime64[ms]")[:1].repeat(2),
        "i": np.array([1, 2], np.int16),
        "l": np.array([1, 2], np.uint32),
        "f": np.array([1, 2], np.float32),
        "d": np.ma.MaskedArray([1.0, 2.0], [True, False]),
        "b": np.array([True, False]),
        "s": np.array(["a", None], object),
        "w": np.zeros((2, 3), np.float32),
        "r.x": [1, 2],
        "r.y": [1.5, None],
    }
    found = types(infer_columns(columns, "test"))
    assert found == {
        "time": NS,
        "i": "int",
        "l": "long",
        "f": "float",
        "d": ["null", "double"],
        "b": "boolean",
        "s": ["null", "string"],
        "w": {"type": "array", "items": "float"},
        "r": {
            "type": "record",
            "name": "r",
            "fields": [{"name": "x", "type": "long"}, {"name": "y", "type": ["null", "double"]}],
        },
    }


def test_rows_with_dotted_names_are_nested_too():
    rows = [{"time": 1, "r.x": 1, "r.y": 2}, {"time": 2, "r.x": 1.5, "r.y": 3}]
    record = types(infer_rows(rows, "test"))["r"]
    assert [(f["name"], f["type"]) for f in record["fields"]] == [("x", "double"), ("y", "long")]


def test_a_column_of_what_no_signal_can_have_is_refused():
    with pytest.raises(SchemaError, match="complex"):
        infer_columns({"time": [1], "x": np.array([1j])}, "test")
    assert types(infer_columns({"time": [1], "x": [datetime.date(2026, 1, 1)]}, "test"))["x"] == "string"
