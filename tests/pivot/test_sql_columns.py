import numpy as np
import pyarrow as pa
import pytest

from speeddata.pivot.sql_columns import columns_of, to_arrow
from speeddata.schema import Schema


def schema(*fields):
    return Schema.parse(
        {"type": "record", "name": "r", "fields": [{"name": "time", "type": "long"}, *fields]}
    )


def column(type_, name="a"):
    return columns_of(schema({"name": name, "type": type_}), ("time",))[0]


def record(name, type_):
    return {"type": "record", "name": name, "fields": [{"name": "x", "type": type_}]}


@pytest.mark.parametrize(
    ("avro", "arrow"),
    [
        ("int", pa.int32()),
        (["null", "long"], pa.int64()),
        ("float", pa.float32()),
        (["double", "null"], pa.float64()),
        ("boolean", pa.bool_()),
        ({"type": "enum", "name": "e", "symbols": ["A"]}, pa.string()),
        ({"type": "fixed", "name": "f", "size": 2}, pa.binary()),
        ({"type": "array", "items": "double"}, pa.list_(pa.float64())),
        ({"type": "array", "items": ["null", "string"]}, pa.list_(pa.string())),
        ({"type": "array", "items": {"type": "map", "values": "int"}}, pa.string()),
        ({"type": "map", "values": "int"}, pa.string()),
        (["int", "string"], pa.string()),
    ],
)
def test_types(avro, arrow):
    assert column(avro).type == arrow


def test_nested_fields_are_dotted_and_names_differ_without_their_case():
    fields = [
        {"name": "p", "type": record("deep", "double")},
        {"name": "V", "type": "int"},
        {"name": "v", "type": "int"},
        {"name": "time_ns", "type": "int"},
    ]
    found = columns_of(schema(*fields), ("time", "time_ns"))
    assert [(one.name, one.signal) for one in found] == [
        ("p.x", "p.x"), ("V", "V"), ("v_", "v"), ("time_ns_", "time_ns")
    ]  # fmt: skip


def test_a_signal_named_time_that_is_not_the_time():
    stamp = {"name": "stamp", "type": "long", "speeddata": {"role": "time"}}
    found = columns_of(schema(stamp), ("time", "time_ns"))
    assert [(one.name, one.signal) for one in found] == [("time_", "time")]


def ragged(*rows):
    out = np.empty(len(rows), object)
    out[:] = [None if row is None else np.array(row) for row in rows]
    return out


NUMBERS = {"type": "array", "items": "double"}


@pytest.mark.parametrize(
    ("avro", "values", "wanted"),
    [
        ("double", np.array([1.5, np.nan]), [1.5, None]),
        (["null", "int"], np.ma.masked_array(np.array([1, 2], np.int32), [False, True]), [1, None]),
        ("string", np.array(["a", None], object), ["a", None]),
        ("bytes", np.array([b"\0", b""], object), [b"\0", b""]),
        (NUMBERS, np.array([[1.0, 2.0], [3.0, np.nan]]), [[1.0, 2.0], [3.0, None]]),
        (NUMBERS, np.empty((0, 2)), []),
        (["null", NUMBERS], ragged([1.0], None, []), [[1.0], None, []]),
        (
            {"type": "map", "values": "bytes"},
            np.array([{"a": b"\1"}, None], object),
            ['{"a":{"base64":"AQ=="}}', None],
        ),
    ],
)
def test_values(avro, values, wanted):
    assert to_arrow(values, column(avro)).to_pylist() == wanted
