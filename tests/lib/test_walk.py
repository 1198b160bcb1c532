"""The walk, against a walk in plain Python and against fastavro, and rule by rule."""

import io
import random
import time
from typing import Any

import fastavro
import pytest
from channels import EVERY, VALUE, channel, plan_of, reason_of
from hypothesis import example, given
from hypothesis import strategies as st
from strategies import records, schemas
from twin import Refused, varint, walk, write

from speeddata.plan import Plan


def twin_reason(schema: Any, data: bytes) -> str:
    try:
        walk(schema, data)
    except Refused as error:
        return str(error)
    return ""


# ---- agreement


@given(st.data())
def test_what_the_twin_writes_is_accepted(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    value = data.draw(records(schema))
    chance = data.draw(st.none() | st.integers(0, 99).map(random.Random))
    encoded, plan = write(schema, value, chance), plan_of(schema)
    length, _, sequence = plan.walk(b"xyz" + encoded + b"more", 3)
    assert length == len(encoded)
    assert sequence == (value["n"] if plan.schema.sequence else None)


@given(st.data())
def test_what_fastavro_writes_is_accepted(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    value = data.draw(records(schema))
    stream = io.BytesIO(write(schema, value))
    parsed = fastavro.parse_schema(schema)
    read = fastavro.schemaless_reader(
        stream, parsed, return_record_name=True, return_record_name_override=False
    )
    out = io.BytesIO()
    fastavro.schemaless_writer(out, parsed, read)
    assert plan_of(schema).walk(out.getvalue())[0] == len(out.getvalue())


@given(st.data())
def test_every_truncation_is_refused(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    encoded, plan = write(schema, data.draw(records(schema)), random.Random(1)), plan_of(schema)
    for length in range(len(encoded)):
        assert reason_of(plan, encoded[:length]) == twin_reason(schema, encoded[:length]) != ""


@given(st.data())
def test_any_change_is_judged_as_the_twin_does(data: st.DataObject) -> None:
    schema = data.draw(schemas())
    encoded = bytearray(write(schema, data.draw(records(schema)), random.Random(2)))
    for _ in range(data.draw(st.integers(1, 4))):
        encoded[data.draw(st.integers(0, len(encoded) - 1))] = data.draw(st.integers(0, 255))
    assert_judged(schema, plan_of(schema), bytes(encoded))


@given(schemas(), st.binary(max_size=60))
def test_any_bytes_are_judged_as_the_twin_does(schema: Any, data: bytes) -> None:
    assert_judged(schema, plan_of(schema), data)


def assert_judged(schema: Any, plan: Plan, data: bytes) -> None:
    """The twin agrees on reason and length; what is accepted, fastavro reads alike."""
    assert reason_of(plan, data) == twin_reason(schema, data)
    if not reason_of(plan, data):
        length, value = walk(schema, data)
        assert plan.walk(data)[0] == length
        stream = io.BytesIO(data)
        assert repr(fastavro.schemaless_reader(stream, fastavro.parse_schema(schema), None)) == repr(value)
        assert stream.tell() == length


def test_every_single_byte_change() -> None:
    encoded, plan = write(EVERY, VALUE), plan_of(EVERY)
    assert plan.walk(encoded) == (len(encoded), VALUE["time"], 300)
    refused = set()
    for place in range(len(encoded)):
        for byte in range(256):
            changed = encoded[:place] + bytes([byte]) + encoded[place + 1 :]
            reason = reason_of(plan, changed)
            assert reason == twin_reason(EVERY, changed)
            refused.add(reason)
    assert refused == {"", "short", "varint", "length", "union", "enum", "boolean", "utf8"}


def test_every_truncation_of_every_type() -> None:
    encoded, plan = write(EVERY, VALUE), plan_of(EVERY)
    for length in range(len(encoded)):
        assert reason_of(plan, encoded[:length]) == twin_reason(EVERY, encoded[:length]) == "short"


# ---- each rule

HUGE = (2**31, 2**40, 2**63 - 1)
RULES: list[tuple[Any, bytes, str]] = [
    # type of the field after a time of one byte, its bytes, reason
    ("boolean", b"\0", ""),
    ("boolean", b"\1", ""),
    ("boolean", b"\2", "boolean"),
    ("boolean", b"\xff", "boolean"),
    ("int", varint(2**31 - 1), ""),
    ("int", varint(-(2**31)), ""),
    ("int", varint(2**31), "varint"),
    ("int", varint(-(2**31) - 1), "varint"),
    ("int", varint(5, 9), ""),
    ("long", varint(2**63 - 1), ""),
    ("long", varint(-(2**63)), ""),
    ("long", varint(0, 9), ""),
    ("long", b"\x80" * 9 + b"\x02", "varint"),
    ("long", b"\x80" * 10 + b"\x00", "varint"),
    ("long", b"\xff" * 10, "varint"),
    ("long", b"\xff" * 9, "short"),
    ("long", b"\xff" * 500, "varint"),
    ("float", b"\0" * 3, "short"),
    ("double", b"\0" * 7, "short"),
    ("bytes", varint(-1), "length"),
    ("bytes", varint(-(2**63)), "length"),
    *((kind, varint(size) + b"abc", "length") for kind in ("bytes", "string") for size in HUGE),
    ("string", varint(2**31 - 1) + b"abc", "short"),
    ("string", varint(4) + b"abc", "short"),
    ({"type": "fixed", "name": "F", "size": 3}, b"12", "short"),
    ({"type": "record", "name": "R", "fields": []}, b"", ""),
    ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, varint(1), ""),
    ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, varint(2), "enum"),
    ({"type": "enum", "name": "E", "symbols": ["A", "B"]}, varint(-1), "enum"),
    ({"type": "enum", "name": "E", "symbols": []}, varint(0), "enum"),
    (["null", "boolean"], varint(2), "union"),
    (["null", "boolean"], varint(-1), "union"),
    (["null", "double"], varint(2), "union"),
    (["null", "double"], varint(-1), "union"),
    (["null", "double"], varint(1) + b"\0" * 7, "short"),
    (["double", "null"], varint(1, 3), ""),
    (["null"], varint(0), ""),
    ({"type": "array", "items": "null"}, varint(2**60) + varint(0), "length"),
    ({"type": "array", "items": "null"}, varint(65536) + varint(0), ""),
    ({"type": "array", "items": "null"}, varint(65536) + varint(1) + varint(0), "length"),
    ({"type": "array", "items": "null"}, varint(-65536) + varint(0) + varint(0), ""),
    ({"type": "array", "items": "null"}, varint(-1) + varint(1) + b"\0" + varint(0), "length"),
    (
        {"type": "array", "items": {"type": "record", "name": "R", "fields": []}},
        varint(2**62) + varint(0),
        "length",
    ),
    ({"type": "array", "items": "boolean"}, varint(2**60) + varint(0), "short"),
    ({"type": "array", "items": "double"}, varint(2**61) + b"\0" * 16, "short"),
    ({"type": "array", "items": "double"}, varint(-1) + varint(8) + b"\0" * 8 + varint(0), ""),
    ({"type": "array", "items": "double"}, varint(-1) + varint(9) + b"\0" * 9 + varint(0), "length"),
    ({"type": "array", "items": "double"}, varint(-1) + varint(7) + b"\0" * 9 + varint(0), "length"),
    ({"type": "array", "items": "long"}, varint(-1) + varint(-1) + b"\0\0", "length"),
    ({"type": "array", "items": "long"}, varint(-1) + varint(2**63 - 1) + b"\0\0", "short"),
    ({"type": "array", "items": "long"}, varint(-(2**63)) + varint(0), "length"),
    ({"type": "array", "items": "long"}, b"", "short"),
    ({"type": "map", "values": "null"}, varint(2**60) + varint(0), "short"),
    ({"type": "map", "values": "null"}, varint(1) + varint(1) + b"\xff" + varint(0), "utf8"),
    ({"type": "map", "values": "int"}, varint(1) + varint(1) + b"k" + varint(2**40) + varint(0), "varint"),
    *(({"type": "map", "values": "int"}, varint(1) + varint(size) + b"k\0\0", "length") for size in HUGE),
]


@pytest.mark.parametrize(("type_", "data", "reason"), RULES)
def test_rules(type_: Any, data: bytes, reason: str) -> None:
    schema = channel(type_)
    assert reason_of(plan_of(schema), b"\2" + data) == reason
    if len(data) < 10_000 and not ("array" in str(type_) and "null" in str(type_)):
        assert twin_reason(schema, b"\2" + data) == reason


def test_items_of_no_size_are_counted_over_the_record() -> None:
    nothing = {"type": "array", "items": "null"}
    plan = plan_of(channel(nothing, nothing))
    assert reason_of(plan, b"\2" + varint(60_000) + b"\0" + varint(5_000) + b"\0") == ""
    assert reason_of(plan, b"\2" + varint(60_000) + b"\0" + varint(6_000) + b"\0") == "length"


@pytest.mark.parametrize("length", range(200))
def test_a_string_is_looked_at_to_its_end_and_no_further(length: int) -> None:
    """What follows it may be no UTF-8; the last of its own bytes must be."""
    schema = channel("string")
    schema["fields"].append({"name": "behind", "type": "double"})
    plan = plan_of(schema)
    head = b"\2" + varint(length)
    assert reason_of(plan, head + b"x" * length + b"\xff" * 8) == ""
    if length:
        assert reason_of(plan, head + b"x" * (length - 1) + b"\xff" + b"\0" * 8) == "utf8"


@given(st.binary(max_size=24) | st.text(max_size=12).map(str.encode))
@example(b"\xed\xa0\x80")  # a surrogate
@example(b"\xc0\x80")  # overlong
@example(b"\xf4\x90\x80\x80")  # over U+10FFFF
@example(b"12345678\xe2\x82")
@example(b"1234567\xe2\x82\xac12345678")
def test_strings_are_utf8_as_python_has_it(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError:
        wanted = "utf8"
    else:
        wanted = ""
    assert reason_of(plan_of(channel("string")), b"\2" + varint(len(data)) + data) == wanted


def test_every_utf8_sequence_of_two_and_three_bytes() -> None:
    plan = plan_of(channel("string"))
    for first in range(0x80, 0x100):
        for second in range(0x70, 0xD0):
            for tail in (b"", b"\x80", b"\x80\x80", b"\xbf\xc0", b"a"):
                data = bytes([first, second]) + tail
                try:
                    wanted = data.decode() and ""
                except UnicodeDecodeError:
                    wanted = "utf8"
                assert reason_of(plan, b"\2" + varint(len(data)) + data) == wanted


def test_hostile_bytes_take_bounded_time() -> None:
    schema = channel(
        {"type": "array", "items": {"type": "array", "items": "null"}}, {"type": "map", "values": "null"}
    )
    plan = plan_of(schema)
    started = time.perf_counter()
    for data in (
        b"\xff" * 65507,
        b"\2" + b"\1\0" * 30_000,
        b"\2" + varint(30_000) + b"\0" * 60_000,
        b"\1\0" * 32_000,
    ):
        reason_of(plan, data)
    assert time.perf_counter() - started < 10  # it takes milliseconds; unbounded would be years


def test_deep_nesting_is_walked() -> None:
    type_: Any = "double"
    for _ in range(31):
        type_ = {"type": "array", "items": type_}
    plan = plan_of(channel(type_))
    data = b"\2" + varint(1) * 31 + b"\0" * 8 + b"\0" * 31
    assert plan.walk(data)[0] == len(data)
    assert reason_of(plan, data[:-1]) == "short"


def test_nested_and_reused_records() -> None:
    point = {
        "type": "record",
        "name": "P",
        "fields": [{"name": "x", "type": "int"}, {"name": "y", "type": "double"}],
    }
    plan = plan_of(channel(point, {"type": "array", "items": ["null", "P"]}, "P"))
    assert plan.schema.signal_names == ["time", "f0.x", "f0.y", "f1", "f2.x", "f2.y"]
    data = b"\2" + varint(-3) + b"\0" * 8 + varint(2) + varint(0) + varint(1) + varint(9) + b"\0" * 8 + b"\0"
    assert plan.walk(data + varint(1) + b"\0" * 8)[0] == len(data) + 9
    assert plan.numbers(data + varint(1) + b"\0" * 8) == {
        "time": 1,
        "f0.x": -3,
        "f0.y": 0.0,
        "f2.x": 1,
        "f2.y": 0.0,
    }
