"""Decoding into columns, against plain Python and fastavro."""

import io
import random
import struct
import threading
from typing import Any

import fastavro
import numpy as np
import pytest
from channels import exact
from hypothesis import given
from hypothesis import strategies as st
from strategies import records, schemas
from twin import Refused, columns, varint, walk, write

from speeddata.columns import decode
from speeddata.errors import RecordError
from speeddata.plan import Plan
from speeddata.schema import Schema


def plan_of(*types: Any) -> Plan:
    fields = [{"name": "time", "type": "long"}]
    fields += [{"name": f"f{i}", "type": type_} for i, type_ in enumerate(types)]
    return Plan(Schema.parse({"type": "record", "name": "T", "fields": fields}))


def rows(plan: Plan, *values: Any) -> bytes:
    """Records of a plan of `plan_of`: the time is the row."""
    types = [field["type"] for field in plan.schema.json["fields"][1:]]
    parts = []
    for i, row in enumerate(values):
        parts.append(
            varint(i) + b"".join(write(type_, value) for type_, value in zip(types, row, strict=True))
        )
    return b"".join(parts)


def plain(column: Any) -> str:
    """A column or list as text that is equal where the values are, NaN included; null floats are NaN in a column."""
    items = column.tolist() if isinstance(column, np.ndarray) else column
    items = [item.tolist() if isinstance(item, np.ndarray) else item for item in items]
    return repr(items)


def assert_columns(schema: Any, values: list[Any], found: dict[str, Any]) -> None:
    wanted = columns(schema, values)
    assert list(found) == list(wanted)
    for name, column in wanted.items():
        assert len(found[name]) == len(values)
        if found[name].dtype.kind == "f" and found[name].ndim == 1:
            column = [float("nan") if value is None else value for value in column]
        if found[name].ndim == 2 and not values:
            continue
        assert plain(found[name]) == plain(column)


@st.composite
def encoded(draw: st.DrawFn) -> tuple[Any, bytes, list[Any]]:
    """A schema, records of it in unusual encodings, and their values as the plain walk reads them."""
    schema = draw(schemas())
    chance = draw(st.none() | st.integers(0, 99).map(random.Random))
    each = [write(schema, value, chance) for value in draw(st.lists(records(schema), max_size=5))]
    return schema, b"".join(each), [walk(schema, data)[1] for data in each]


@given(encoded(), st.data())
def test_decode_agrees(given_: tuple[Any, bytes, list[Any]], data: st.DataObject) -> None:
    schema, block, values = given_
    plan = Plan(Schema.parse(schema))
    found = decode(plan, block)
    assert_columns(schema, values, found)
    assert_columns(schema, values, decode(plan, block, len(values)))
    names = data.draw(st.lists(st.sampled_from(plan.schema.signal_names), unique=True))
    some = decode(plan, memoryview(block), names=names)
    assert list(some) == names
    assert all(plain(some[name]) == plain(found[name]) for name in names)


@given(encoded())
def test_decode_agrees_with_fastavro(given_: tuple[Any, bytes, list[Any]]) -> None:
    schema, block, values = given_
    parsed, stream = fastavro.parse_schema(schema), io.BytesIO(block)
    read = [fastavro.schemaless_reader(stream, parsed, None) for _ in values]
    assert_columns(schema, read, decode(Plan(Schema.parse(schema)), block))


@given(encoded(), st.data())
def test_damage_is_judged_as_the_plain_walk_does(
    given_: tuple[Any, bytes, list[Any]], data: st.DataObject
) -> None:
    schema, block, values = given_
    changed = bytearray(block)
    if changed:
        for _ in range(data.draw(st.integers(1, 3))):
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
        del changed[data.draw(st.integers(0, len(changed))) :]
    assert_judged(schema, bytes(changed), len(values))


def assert_judged(schema: Any, data: bytes, count: int) -> None:
    plan, at, values, reason = Plan(Schema.parse(schema)), 0, [], ""
    try:
        while at < len(data):
            length, value = walk(schema, data, at)
            at += length
            values.append(value)
    except Refused as refused:
        reason = str(refused)
    if not reason:
        assert_columns(schema, values, decode(plan, exact(data)))
    for names in (None, [], plan.schema.signal_names[-1:]):
        if reason:
            with pytest.raises(RecordError) as caught:
                decode(plan, exact(data), names=names)
            assert caught.value.reason == reason
        if reason or len(values) != count:
            with pytest.raises(RecordError):
                decode(plan, exact(data), count, names)


@given(encoded())
def test_every_truncation(given_: tuple[Any, bytes, list[Any]]) -> None:
    schema, block, values = given_
    plan = Plan(Schema.parse(schema))
    for length in range(len(block)):
        with pytest.raises(RecordError):
            decode(plan, exact(block[:length]), len(values))


def test_every_truncation_of_every_type() -> None:
    """The text keeps the bytes from being too few for a record at first sight."""
    kinds = ["boolean", "int", "long", "float", "double"]
    types = [
        *kinds,
        *(["null", kind] for kind in kinds),
        *({"type": "array", "items": kind} for kind in kinds),
    ]
    plan = plan_of("string", *types, {"type": "map", "values": "bytes"})
    values = [True, -70, 2**40, 1.5, 2.5]
    row = [
        "x" * 200,
        *values,
        *((1, value) for value in values),
        *([value] * 2 for value in values),
        {"k": b"abc"},
    ]
    block = rows(plan, row)
    assert len(decode(plan, exact(block), 1)) == 18
    for length in range(len(block)):
        for names in (None, []):
            with pytest.raises(RecordError) as caught:
                decode(plan, exact(block[:length]), 1, names)
            assert caught.value.reason == "short"


@given(st.lists(st.tuples(*[st.integers(0, 2**n - 1) for n in (32, 64, 32, 64)]), max_size=5))
def test_reals_are_bit_exact(bits: list[tuple[int, int, int, int]]) -> None:
    plan = plan_of("float", "double", ["null", "float"], ["double", "null"])
    block = b"".join(b"\2" + struct.pack("<IQ", a, b) + b"\2" + struct.pack("<I", c) + b"\0" + struct.pack("<Q", d)
                     for a, b, c, d in bits)  # fmt: skip
    found = decode(plan, block)
    for i, dtype in enumerate((np.uint32, np.uint64, np.uint32, np.uint64)):
        assert found[f"f{i}"].view(dtype).tolist() == [row[i] for row in bits]


def test_types_of_columns() -> None:
    types = ["boolean", "int", "long", "float", "double", "string", "bytes", "null"]
    plan = plan_of(*types, *(["null", type_] for type_ in types[:-1]))
    values = [True, 1, 2, 3.0, 4.0, "s", b"b", None]
    block = rows(plan, [*values, *((1, value) for value in values[:-1])], [*values, *[(0, None)] * 7])
    found = decode(plan, block)
    kinds = [found[f"f{i}"].dtype.str.lstrip("<|") for i in range(15)]
    assert kinds == ["b1", "i4", "i8", "f4", "f8", "O", "O", "O", "b1", "i4", "i8", "f4", "f8", "O", "O"]
    for i in (8, 9, 10):
        assert isinstance(found[f"f{i}"], np.ma.MaskedArray)
        assert found[f"f{i}"].mask.tolist() == [False, True]
    for i in (11, 12):
        assert np.isnan(found[f"f{i}"]).tolist() == [False, True]
        assert found[f"f{i}"][1:].tobytes() == np.full(1, np.nan, found[f"f{i}"].dtype).tobytes()
    assert found["f13"].tolist() == ["s", None]
    assert found["f7"].tolist() == [None, None]


@pytest.mark.parametrize("kind", ["int", "long", "float", "double"])
def test_arrays_of_numbers(kind: str) -> None:
    plan = plan_of({"type": "array", "items": kind})
    square = decode(plan, rows(plan, [[1, 2, 3]], [[4, 5, 6]]))["f0"]
    assert square.shape == (2, 3)
    assert square.tolist() == [[1, 2, 3], [4, 5, 6]]
    ragged = decode(plan, rows(plan, [[1, 2]], [[]], [[3]]))["f0"]
    assert ragged.dtype == object
    assert [item.tolist() for item in ragged] == [[1, 2], [], [3]]
    assert {item.dtype for item in ragged} == {square.dtype}
    assert decode(plan, rows(plan, [[]], [[]]))["f0"].shape == (2, 0)
    assert decode(plan, b"")["f0"].shape == (0, 0)


def test_arrays_in_many_blocks() -> None:
    plan = plan_of({"type": "array", "items": "double"})
    two = struct.pack("<dd", 1.0, 2.0)
    data = varint(1) + varint(2) + two + varint(-2) + varint(16) + two + varint(0)
    assert decode(plan, data * 3)["f0"].tolist() == [[1.0, 2.0, 1.0, 2.0]] * 3


def test_equal_texts_are_one_object() -> None:
    plan = plan_of("string", ["null", {"type": "map", "values": "int"}])
    found = decode(plan, rows(plan, *[["constant", (1, {"a": 1})]] * 3))
    assert found["f0"][0] is found["f0"][2]
    assert found["f1"][0] is not found["f1"][2]  # whoever changes one does not change all


def test_names() -> None:
    plan = plan_of("int", "string", "double")
    block = rows(plan, [1, "a", 1.5], [2, "b", 2.5])
    assert list(decode(plan, block, names=("f2", "time"))) == ["f2", "time"]
    assert decode(plan, block, names=[]) == {}
    with pytest.raises(KeyError, match="no signal 'nope' in T"):
        decode(plan, block, names=["f0", "nope"])


def test_counts() -> None:
    plan = plan_of("int")
    block = rows(plan, [1], [2], [3])
    assert decode(plan, block, 3)["f0"].tolist() == [1, 2, 3]
    for count, reason in ((2, "trailing"), (0, "trailing"), (4, "short"), (2**62, "short"), (-1, "short")):
        with pytest.raises(RecordError) as caught:
            decode(plan, block, count)
        assert caught.value.reason == reason
    assert decode(plan, b"", 0)["f0"].tolist() == []


def test_the_error_names_the_byte() -> None:
    plan = plan_of("boolean")
    with pytest.raises(RecordError, match="refused at byte 3, boolean"):
        decode(plan, b"\0\1\0\2")


def test_items_of_no_size_are_limited_over_the_record() -> None:
    nothing = {"type": "array", "items": "null"}
    plan = plan_of(nothing, nothing)
    allowed = b"\2" + (varint(30_000) + b"\0") * 2
    assert len(decode(plan, allowed * 3)["f1"][2]) == 30_000
    for names in (None, ["f1"], []):
        with pytest.raises(RecordError) as caught:
            decode(plan, b"\2" + (varint(40_000) + b"\0") * 2, names=names)
        assert caught.value.reason == "length"


def test_a_buffer_that_changes_meanwhile() -> None:
    """What one thread decodes another one may write to: wrong values or an error, never a crash."""
    texts = {"type": "array", "items": ["null", "string"]}
    plan = plan_of("string", {"type": "array", "items": "long"}, texts, {"type": "map", "values": "bytes"})
    row = ["text", [1, 2**40, 3], [(1, "abc"), (0, None)], {"k": b"v"}]
    block = bytearray(rows(plan, *[row] * 50))
    done = threading.Event()

    def scribble() -> None:
        chance = random.Random(1)
        while not done.is_set():
            place = chance.randrange(len(block))
            former, block[place] = block[place], chance.randrange(256)
            block[place] = former

    writer = threading.Thread(target=scribble)
    writer.start()
    try:
        for _ in range(300):
            try:
                decode(plan, block)
            except RecordError:
                continue
    finally:
        done.set()
        writer.join()
