"""Encoding: the reverse of decoding, and what is refused."""

import array
import io
import math
import struct
from typing import Any

import fastavro
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import records, schemas
from twin import columns, leaves, varint, walk, write

from speeddata.columns import decode
from speeddata.errors import RecordError
from speeddata.plan import Plan
from speeddata.rows import encode, encode_record
from speeddata.schema import Schema

NAN = b"\2" + struct.pack("<d", math.nan)


def plan_of(*types: Any, **more: Any) -> Plan:
    fields = [{"name": "time", "type": "long"}]
    fields += [{"name": f"f{i}", "type": type_} | more for i, type_ in enumerate(types)]
    return Plan(Schema.parse({"type": "record", "name": "T", "fields": fields}))


def one(plan: Plan, *values: Any) -> bytes:
    """One record with time 0, by columns; without the byte of the time."""
    return encode(plan, {"time": [0], **{f"f{i}": [value] for i, value in enumerate(values)}})[1:]


def is_exact(type_: Any) -> bool:
    """Whether a value alone tells how it was encoded: no choice between branches."""
    if isinstance(type_, list):
        return len(type_) == 2 and "null" in type_ and all(is_exact(branch) for branch in type_)
    if isinstance(type_, str):
        return True
    below = [type_[key] for key in ("items", "values") if key in type_]
    return all(is_exact(inner) for inner in below + [field["type"] for field in type_.get("fields", ())])


def holds_null_or_nan(value: Any) -> bool:
    """Whether a null float may have become NaN, or a NaN null."""
    if isinstance(value, (dict, list, tuple)):
        return any(holds_null_or_nan(item) for item in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and math.isnan(value)


@given(schemas().flatmap(lambda schema: st.tuples(st.just(schema), st.lists(records(schema), max_size=5))))
def test_round_trip(given_: tuple[Any, list[Any]]) -> None:
    schema, values = given_
    plan = Plan(Schema.parse(schema))
    block = b"".join(write(schema, value) for value in values)
    found = decode(plan, block)
    again = encode(plan, found)
    if is_exact(schema) and not holds_null_or_nan(values):
        assert again == block
    twice = decode(plan, again)
    for name in found:
        assert found[name].dtype == twice[name].dtype
        assert repr(found[name].tolist()) == repr(twice[name].tolist())
        if found[name].dtype != object:
            assert found[name].tobytes() == twice[name].tobytes()


@given(schemas().flatmap(lambda schema: st.tuples(st.just(schema), records(schema))))
def test_encode_record_agrees_with_fastavro(given_: tuple[Any, Any]) -> None:
    schema, value = given_
    read = walk(schema, write(schema, value))[1]
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), read)
    assert encode_record(Schema.parse(schema), read) == out.getvalue()


@given(
    schemas().flatmap(
        lambda schema: st.tuples(st.just(schema), st.lists(records(schema), min_size=1, max_size=4))
    )
)
def test_columns_and_records_agree(given_: tuple[Any, list[Any]]) -> None:
    schema, values = given_
    plan = Plan(Schema.parse(schema))
    read = [walk(schema, write(schema, value))[1] for value in values]
    wanted = b"".join(encode_record(plan, value) for value in read)
    assert decode(plan, wanted).keys() == columns(schema, read).keys()
    if not any(isinstance(type_, list) for _, type_ in leaves(schema)) or not holds_null_or_nan(read):
        assert encode(plan, columns(schema, read)) == wanted


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)), max_size=5))
def test_reals_are_bit_exact(bits: list[tuple[int, int]]) -> None:
    plan = plan_of("float", "double", ["null", "float"], ["null", "double"])
    a, b = np.array([x for x, _ in bits], np.uint32), np.array([y for _, y in bits], np.uint64)
    given_ = {"time": np.arange(len(bits)), "f0": a.view(np.float32), "f1": b.view(np.float64)}
    given_ |= {"f2": given_["f0"], "f3": given_["f1"]}
    found = decode(plan, encode(plan, given_))
    for name, column in given_.items():
        assert found[name].tobytes() == column.astype(found[name].dtype, copy=False).tobytes()


def test_nulls() -> None:
    plan = plan_of(["null", "double"], ["int", "null"])
    assert one(plan, None, None) == b"\0\2"
    assert one(plan, math.nan, 5) == b"\0\0\x0a"
    minus_nan = np.array([0xFFF8 << 48], np.uint64).view(np.float64)  # another NaN is a value
    assert (
        encode(plan, {"time": [0], "f0": minus_nan, "f1": [1]})[1:] == b"\2" + minus_nan.tobytes() + b"\0\2"
    )
    masked = np.ma.MaskedArray([math.nan, 1.0], mask=[False, True])
    ints = np.ma.MaskedArray([7, 2**40], mask=[False, True])
    data = encode(plan, {"time": [0, 0], "f0": masked, "f1": ints})
    assert data == b"\0" + NAN + b"\0\x0e" + b"\0" + b"\0" + b"\2"
    assert encode(plan, {"time": [0], "f0": np.ma.MaskedArray([1.0]), "f1": [None]})[-1:] == b"\2"


def test_nullable_objects() -> None:
    plan = plan_of(["null", "string"], ["null", "boolean"])
    texts = np.ma.MaskedArray(["a", "b"], mask=[True, False])
    assert encode(plan, {"time": [0, 0], "f0": texts, "f1": [None, True]}) == b"\0\0\0" + b"\0\2\2b\2\1"


@pytest.mark.parametrize(
    "values",
    [
        [1, 2],
        (1, 2),
        np.array([1, 2], np.int8),
        np.array([1, 2], np.uint64),
        np.array([1, 2], ">i4"),
        np.array([1, 0, 2, 0])[::2],
        np.array([1, 2], object),
        [np.int16(1), 2],
        array.array("q", [1, 2]),
        range(1, 3),
    ],
)
def test_whole_numbers_in_many_forms(values: Any) -> None:
    plan = plan_of("int", "double")
    data = encode(plan, {"time": values, "f0": values, "f1": values})
    assert data == b"\2\2" + struct.pack("<d", 1) + b"\4\4" + struct.pack("<d", 2)


@pytest.mark.parametrize(
    ("type_", "value", "words"),
    [
        (
            "int",
            2**31,
            "row 0: field 'f0': expected a whole number from -2147483648 to 2147483647, not 2147483648",
        ),
        ("int", -(2**31) - 1, "expected a whole number from"),
        ("int", 1.0, "expected a whole number from .* not 1.0"),
        ("int", True, "not True"),
        ("int", "5", "not '5'"),
        ("int", None, "not None"),
        ("int", 2**70, "expected a whole number"),
        ("long", 2**63, "expected a whole number from -9223372036854775808 to 9223372036854775807"),
        ("long", [1], "one value a row"),
        (["null", "long"], 2**63, "field 'f0': expected a whole number"),
        ("float", 1e300, "expected a number that fits a float, not 1e"),
        ("float", "x", "expected a number that fits a float, not 'x'"),
        ("double", "x", "expected a number, not 'x'"),
        ("double", None, "expected a number, not None"),
        ("double", True, "expected a number, not True"),
        ("double", 1j, "expected a number, not 1j"),
        ("boolean", 1, "expected a boolean, not 1"),
        (["null", "boolean"], "yes", "expected a boolean, not 'yes'"),
        ("null", 0, "expected null, not 0"),
        ("string", b"x", "row 0: field 'f0': expected text, not b'x'"),
        ("string", None, "expected text, not None"),
        ("string", "\ud800", "expected text that has a UTF-8 form"),
        ("bytes", "x", "expected bytes, not 'x'"),
        ({"type": "fixed", "name": "F", "size": 2}, b"abc", "expected 2 bytes, not b'abc'"),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "C", r"expected one of \['A', 'B'\], not 'C'"),
        ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, 0, "expected one of"),
        ({"type": "array", "items": "int"}, [1, 2**31], "row 0: row 1: field 'f0': expected a whole number"),
        ({"type": "array", "items": "int"}, 5, "expected an array of numbers, not 5"),
        ({"type": "array", "items": "int"}, None, "expected an array of numbers, not None"),
        ({"type": "array", "items": "int"}, "ab", "expected an array of numbers, not 'ab'"),
        ({"type": "array", "items": "double"}, [None], "expected a number, not None"),
        ({"type": "array", "items": "string"}, ["a", 5], r"row 0: field 'f0\[\]': expected text, not 5"),
        ({"type": "array", "items": "string"}, "ab", "expected a list, not 'ab'"),
        ({"type": "array", "items": "string"}, np.array("ab"), "expected a list"),
        ({"type": "array", "items": "null"}, [None] * 65_537, "at most 65536 items of no size"),
        (
            {"type": "map", "values": "int"},
            {"k": "v"},
            r"field \"f0\{'k'\}\": expected a whole number, not 'v'",
        ),
        ({"type": "map", "values": "int"}, {1: 1}, "expected text, not 1"),
        ({"type": "map", "values": "int"}, [1], "expected a mapping"),
        (["null", "int", "string"], 1.5, "expected one of null, int, string, not 1.5"),
        (
            ["null", {"type": "array", "items": "long"}],
            [2**63],
            r"field 'f0\[\]': expected a whole number from",
        ),
        (["null", {"type": "array", "items": "boolean"}], [1], r"field 'f0\[\]': expected a boolean, not 1"),
        (["null", {"type": "array", "items": "float"}], [1e39], "fits a float"),
        (["null", {"type": "array", "items": "double"}], [10**400], "fits a double"),
        (["null", {"type": "array", "items": "double"}], ["x"], "expected a number"),
    ],
)
def test_bad_values(type_: Any, value: Any, words: str) -> None:
    plan = plan_of(type_)
    with pytest.raises(RecordError, match=words):
        one(plan, value)


def test_the_row_is_named() -> None:
    plan = plan_of("int", "string")
    good = {"time": [1, 2, 3], "f0": [1, 2, 3], "f1": ["a", "b", "c"]}
    for name, values in (
        ("f0", [1, 2, 2**40]),
        ("f0", [1, 2, None]),
        ("f1", ["a", "b", 5]),
        ("time", [1, 2, "3"]),
        ("f0", [1, 2, True]),
    ):
        with pytest.raises(RecordError, match=f"row 2: field '{name}'"):
            encode(plan, good | {name: values})


def test_bad_columns() -> None:
    plan = plan_of("int", "string", {"type": "array", "items": "int"})
    good = {"time": [1, 2], "f0": [1, 2], "f1": ["a", "b"], "f2": [[1], [2, 3]]}
    assert encode(plan, good) == b"\2\2\2a\2\2\0" + b"\4\4\2b\4\4\6\0"
    bad: list[tuple[dict[str, Any], str]] = [
        ({"f0": [1]}, "field 'f0': 1 rows, where other columns have 2"),
        ({"f1": ["a"]}, "field 'f1': 1 rows"),
        ({"f2": [[1]]}, "field 'f2': 1 rows"),
        ({"f0": 5}, r"one value a row, not the shape \(\)"),
        ({"f0": [[1, 2], [3, 4]]}, r"one value a row, not the shape \(2, 2\)"),
        ({"f0": [[1, 2], [3]]}, "one value a row"),
        ({"f1": "ab"}, "field 'f1': expected a column of one value a row, not 'ab'"),
        ({"f1": 5}, "expected a column of one value a row, not 5"),
        ({"f2": 5}, "expected a column of one value a row, not 5"),
        ({"f2": np.ma.MaskedArray([[1], [2]], mask=[[True], [False]])}, "not masked values"),
        ({"more": [1, 2]}, "field 'more': T has no such signal"),
    ]
    for change, words in bad:
        with pytest.raises(RecordError, match=words):
            encode(plan, good | change)
    del good["f1"]
    with pytest.raises(RecordError, match="field 'f1': the column is missing"):
        encode(plan, good)


def test_there_is_room_for_the_longest_form() -> None:
    longs = {"type": "array", "items": "long"}
    types: list[Any] = [
        "int",
        "long",
        "boolean",
        "double",
        ["null", "int"],
        ["null", "long"],
        longs,
        longs,
        "string",
    ]
    least, n = -(2**63), 300
    columns_ = [[-(2**31)] * n, [least] * n, [True] * n, [1.0] * n, [-(2**31)] * n, [least] * n]
    for arrays in ([[]] * n, [[least]] * n, [[least] * 50] * n):
        plan, given_ = plan_of(*types), [*columns_, arrays, arrays, [""] * n]
        data = encode(plan, {"time": [least] * n, **{f"f{i}": column for i, column in enumerate(given_)}})
        assert [found.tolist() for found in decode(plan, data).values()] == [[least] * n, *given_]


def test_no_rows() -> None:
    plan = plan_of("int", "string", {"type": "array", "items": "int"}, ["null", "double"])
    assert encode(plan, {"time": [], "f0": [], "f1": [], "f2": [], "f3": []}) == b""
    assert encode(plan, decode(plan, b"")) == b""


def test_arrays() -> None:
    plan = plan_of({"type": "array", "items": "float"})
    for values in ([1, 2.5], (1, 2.5), np.array([1, 2.5]), np.array([1, 2.5], np.float16)):
        assert one(plan, values) == varint(2) + struct.pack("<ff", 1, 2.5) + b"\0"
    square = np.arange(6.0).reshape(2, 3)
    for form in (square, square.T.copy().T, square[:, :], list(square)):
        assert decode(plan, encode(plan, {"time": [0, 1], "f0": form}))["f0"].tolist() == square.tolist()
    assert one(plan, []) == b"\0"


def test_records() -> None:
    point = {
        "type": "record",
        "name": "P",
        "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "int"}],
    }
    plan = plan_of(point, ["null", "P"], {"type": "record", "name": "N", "fields": []})
    value = {"time": 0, "f0": {"x": 1, "y": 2}, "f1": {"x": 3, "y": 4}, "f2": {}}
    data = encode_record(plan, value)
    assert data == b"\0\2\4" + b"\2\6\x08"
    assert encode(plan, {"time": [0], "f0.x": [1], "f0.y": [2], "f1": [{"x": 3, "y": 4}]}) == data
    for change, words in (
        ({"f0": {"x": 1}}, "field 'f0.y': missing, and the schema has no default"),
        ({"f0": {"x": 1, "y": "2"}}, "field 'f0.y': expected a whole number, not '2'"),
        ({"f0": None}, "field 'f0': expected a mapping of fields, not None"),
        ({"f1": {"x": 1}}, "field 'f1.y': missing"),
    ):
        with pytest.raises(RecordError, match=words):
            encode_record(plan, value | change)
    with pytest.raises(RecordError, match="expected a mapping of fields, not 5"):
        encode_record(plan, 5)  # type: ignore[arg-type]


def test_missing_fields_take_their_default() -> None:
    plan = plan_of("int", default=7)
    assert encode_record(plan, {"time": 0}) == b"\0\x0e"
    assert encode_record(plan_of("bytes", default="\u00ff"), {"time": 0}) == b"\0\2\xff"
    assert encode_record(plan_of(["null", "int"]), {"time": 0}) == b"\0\0"
    nested = {
        "type": "record",
        "name": "N",
        "fields": [{"name": "b", "type": {"type": "array", "items": "bytes"}}],
    }
    assert encode_record(plan_of(nested, default={"b": ["a"]}), {"time": 0}) == b"\0\2\2a\0"
    mapped = {"type": "map", "values": "bytes"}
    assert encode_record(plan_of(mapped, default={"k": "a"}), {"time": 0}) == b"\0\2\2k\2a\0"


def test_branches() -> None:
    point = {"type": "record", "name": "P", "fields": [{"name": "x", "type": "int"}]}
    other = {
        "type": "record",
        "name": "Q",
        "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "int"}],
    }
    plan = plan_of(["int", "float", "double", "string", "bytes", "boolean", point, other, "null"])
    for value, branch in (
        (1, 0),
        (2**40, 2),
        (1.5, 2),
        ("a", 3),
        (b"a", 4),
        (True, 5),
        ({"x": 1}, 6),
        ({"x": 1, "y": 2}, 7),
        (None, 8),
        (("float", 1), 1),
        (("Q", {"x": 1, "y": 2}), 7),
    ):
        assert one(plan, value)[:1] == varint(branch)
    with pytest.raises(RecordError, match="expected one of int, float"):
        one(plan, {"z": 1})
    with pytest.raises(RecordError, match="expected one of"):
        one(plan, ("nope", 1))
