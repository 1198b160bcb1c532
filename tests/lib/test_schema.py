"""Schemas: what a channel can have, what is refused and how the error says it."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import avro.schema
import fastavro.schema
import pytest
from hypothesis import given
from strategies import schemas

from speeddata.errors import SchemaError
from speeddata.plan import Plan
from speeddata.schema import Schema, Signal, main

TIME = {"name": "time", "type": "long"}


def record(*fields: Any, **more: Any) -> dict[str, Any]:
    return {"type": "record", "name": "T", "fields": list(fields)} | more


def field(type_: Any, name: str = "f", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": type_} | more


def nested(levels: int) -> Any:
    type_: Any = "int"
    for _ in range(levels):
        type_ = {"type": "array", "items": type_}
    return type_


# ---- what it gives


def test_example() -> None:
    schema = Schema.parse(
        record(
            field("double", "v", speeddata={"unit": "V", "limits": {"max": 5}}),
            TIME | {"logicalType": "timestamp-micros"},
            field(["null", "int"], "n"),
            field(record(field(["string", "null"], "b"), name="A"), "a"),
            field(["null", "string", "int"], "u"),
            field("long", "count", speeddata={"role": "sequence"}),
            namespace="x.y",
        )
    )
    assert schema.name == "x.y.T"
    assert (schema.time, schema.time_unit, schema.sequence) == ("time", "us", "count")
    assert schema.signal_names == ["v", "time", "n", "a.b", "u", "count"]
    assert schema.signals[0] == Signal("v", ("v",), "double", False, "V", True)
    assert schema.signals[2] == Signal("n", ("n",), "int", True, None, True)
    assert schema.signals[3] == Signal("a.b", ("a", "b"), "string", True, None, False)
    assert schema.signals[4] == Signal("u", ("u",), "union", True, None, False)


def test_text_is_kept_as_given() -> None:
    text = (
        '{ "type": "record", "name": "T", "doc": "\u00b0C",\n "fields": [{"name": "time", "type": "long"}]}'
    )
    for source in (text, text.encode(), b"\xef\xbb\xbf" + text.encode()):
        schema = Schema.parse(source)
        assert schema.text == text
        assert schema.json == json.loads(text)
    schema = Schema.parse(json.loads(text))
    assert schema.json == json.loads(text) == json.loads(schema.text)
    assert " " not in schema.text


@given(schemas())
def test_fingerprint_is_that_of_the_avro_library(schema: Any) -> None:
    expected = avro.schema.parse(json.dumps(schema)).fingerprint("CRC-64-AVRO")
    assert Schema.parse(schema).fingerprint == bytes(expected)


def test_fingerprint_of_names_without_namespace() -> None:
    # The avro library puts F into a.b; the specification does not.
    fixed = {"type": "fixed", "name": "F", "namespace": "", "size": 2}
    canonical = (
        '{"name":"a.b.T","type":"record","fields":[{"name":"time","type":"long"},'
        '{"name":"f","type":{"name":"F","type":"fixed","size":2}}]}'
    )
    schema = Schema.parse(record(TIME, field(fixed), namespace="a.b"))
    assert schema.fingerprint.hex() == fastavro.schema.fingerprint(canonical, "CRC-64-AVRO")


def test_what_fastavro_marked_is_parsed_again() -> None:
    marked = record(field("nonsense"), __fastavro_parsed=True, __named_schemas={})
    with pytest.raises(SchemaError, match="unknown type 'nonsense'"):
        Schema.parse(marked)


# ---- time and sequence


@pytest.mark.parametrize(
    ("type_", "attributes", "argument", "unit"),
    [
        ("long", {}, None, None),
        ("long", {}, "us", "us"),
        ("long", {"logicalType": "timestamp-nanos"}, None, "ns"),
        ("long", {"logicalType": "timestamp-micros"}, "s", "us"),
        ("long", {"logicalType": "local-timestamp-millis"}, None, "ms"),
        ("long", {"logicalType": "date"}, "s", "s"),
        ("long", {"logicalType": 5}, None, None),
        ({"type": "long", "logicalType": "timestamp-millis"}, {}, None, "ms"),
        ({"type": "long", "logicalType": "local-timestamp-nanos"}, {}, "s", "ns"),
        (["null", {"type": "long", "logicalType": "timestamp-micros"}], {}, None, "us"),
        ([{"type": "double", "logicalType": "timestamp-micros"}, "null"], {}, "s", "us"),
        ("int", {}, "s", "s"),
        ("float", {}, "s", "s"),
        (["null", "double"], {}, None, None),
    ],
)
def test_time_unit(type_: Any, attributes: Any, argument: str | None, unit: str | None) -> None:
    source = record(field(type_, "time", **attributes))
    assert Schema.parse(source, time_unit=argument).time_unit == unit
    source = record(TIME, field(type_, "stamp", speeddata={"role": "time"}, **attributes))
    schema = Schema.parse(source, time_unit=argument)
    assert (schema.time, schema.time_unit) == ("stamp", unit)


@pytest.mark.parametrize(
    ("source", "at", "words"),
    [
        (record(field("long", "t")), "", "no time: it needs a field named 'time'"),
        (record(), "", "no time"),
        (record(field(record(TIME, name="R"))), "", "no time"),
        (record(field("string", "time")), "time", "not string"),
        (record(field(["null", "int", "long"], "time")), "time", "not union"),
        (record(field(["null", "string"], "time")), "time", "not string"),
        (record(field(record(TIME, name="R"), "time")), "time", "not record"),
        (record(TIME, field("bytes", "t", speeddata={"role": "time"})), "t", "not bytes"),
        (
            record(
                field("long", "t", speeddata={"role": "time"}), field("long", "u", speeddata={"role": "time"})
            ),
            "u",
            "role 'time' is taken by field 't'",
        ),
        (
            record(TIME, field(record(field("long", "t", speeddata={"role": "time"}), name="R"))),
            "f.t",
            "nested",
        ),
        (
            record(
                TIME,
                field({"type": "array", "items": record(field("int", speeddata={"role": "time"}), name="R")}),
            ),
            "f.f",
            "nested",
        ),
        (record(TIME | {"speeddata": {"role": "sequence"}}), "time", "cannot be the sequence too"),
        (record(TIME, field("double", speeddata={"role": "sequence"})), "f", "int or long, not double"),
        (record(TIME, field(["null", "int"], speeddata={"role": "sequence"})), "f", "int or long, not union"),
        (record(TIME, field("int", speeddata={"role": "index"})), "f", "time, sequence, not 'index'"),
        (record(TIME, field("int", speeddata={"role": ["time"]})), "f", "role must be"),
        (record(TIME, field("int", speeddata="V")), "f", "must be an object"),
        (record(TIME, field("int", speeddata=None)), "f", "must be an object"),
        (record(TIME, field("int", speeddata={"unit": 5})), "f", "unit must be text, not 5"),
        (record(TIME, field("int", speeddata={"unit": "V\0"})), "f", r"without NUL.*, not 'V\\x00'"),
        (record(TIME, field("int", speeddata={"unit": "\ud800"})), "f", r"lone surrogates, not '\\ud800'"),
        (
            record(
                field(
                    {"type": "long", "logicalType": "timestamp-micros"},
                    "time",
                    logicalType="timestamp-millis",
                )
            ),
            "time",
            "timestamp-millis at the field and timestamp-micros at its type",
        ),
    ],
)
def test_roles_refused(source: Any, at: str, words: str) -> None:
    with pytest.raises(SchemaError, match=words) as caught:
        Schema.parse(source)
    assert caught.value.field == at


def test_time_unit_is_one_that_there_is() -> None:
    with pytest.raises(SchemaError, match="time_unit must be one of s, ms, us, ns, not 'min'"):
        Schema.parse(record(TIME), time_unit="min")


def test_the_role_may_be_with_a_field_named_time() -> None:
    source = record(
        TIME | {"speeddata": {"role": "sequence"}}, field("double", "t", speeddata={"role": "time"})
    )
    schema = Schema.parse(source)
    assert (schema.time, schema.sequence) == ("t", "time")


# ---- what is refused


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        ("[" * 60_000, "levels of nesting|not JSON"),
        (
            '{"type":"record","name":"T","fields":[{"name":"time","type":"long","default":NaN}]}',
            "NaN is not JSON",
        ),
        ('{"a": "\ud800"}', "not JSON"),
        ("null", "top level must be a record"),
        ('"long"', "top level must be a record"),
        ('["null", "long"]', "top level must be a record"),
        ('{"type": "array", "items": "int"}', "top level must be a record"),
        ({"type": "error", "name": "T", "fields": [TIME]}, "top level must be a record"),
        ({"a": {1, 2}}, "not JSON"),
        ({"a": float("nan")}, "not JSON"),
        (5, "not JSON"),
        (None, "not JSON"),
        (
            '{"type":"record","name":"T","doc":"'
            + "x" * 65_536
            + '","fields":[{"name":"time","type":"long"}]}',
            "larger",
        ),
        ({"type": "record", "name": "T"}, "needs a list of fields"),
        ({"type": "record", "name": "T", "fields": {"time": "long"}}, "needs a list of fields"),
        ({"type": "record", "fields": [TIME]}, '"name" is a required field'),
        (record(TIME, name="1T"), "'1T' is not an Avro name"),
        (record(TIME, name="a..T"), "is not an Avro name"),
        (record(TIME, namespace="a b"), "'a b.T' is not an Avro name"),
        (record(TIME, name=5), "not a valid definition"),
    ],
)
def test_refused(source: Any, words: str) -> None:
    with pytest.raises(SchemaError, match=words) as caught:
        Schema.parse(source)
    assert caught.value.field == ""


def test_a_dict_that_holds_itself_is_refused() -> None:
    source: dict[str, Any] = record(TIME)
    source["more"] = source
    with pytest.raises(SchemaError, match="not JSON"):
        Schema.parse(source)


FIXED = {"type": "fixed", "name": "F", "size": 4}
ENUM = {"type": "enum", "name": "E", "symbols": ["A"]}


@pytest.mark.parametrize(
    ("type_", "at", "words"),
    [
        ("nonsense", "f", "unknown type 'nonsense'"),
        ({"type": "nonsense"}, "f", "unknown type"),
        ({"type": {"type": "long"}}, "f", "not a valid definition"),
        ({}, "f", "'type' is missing"),
        (5, "f", "not a valid definition"),
        (None, "f", "not a valid definition"),
        ({"type": "array"}, "f", "'items' is missing"),
        ({"type": "map"}, "f", "'values' is missing"),
        ({"type": "fixed", "name": "F"}, "f", "'size' is missing"),
        (FIXED | {"size": 0}, "f", "whole number from 1 to 2147483647, not 0"),
        (FIXED | {"size": -1}, "f", "whole number from 1"),
        (FIXED | {"size": 2**31}, "f", "whole number from 1"),
        (FIXED | {"size": "4"}, "f", "whole number from 1"),
        (FIXED | {"size": True}, "f", "whole number from 1"),
        (FIXED | {"name": "F-1"}, "f", "is not an Avro name"),
        (ENUM | {"symbols": ["A", "A"]}, "f", "unique"),
        (ENUM | {"symbols": ["1"]}, "f", "regular expression"),
        (ENUM | {"symbols": "AB"}, "f", "symbols must be a list"),
        (ENUM | {"default": "B"}, "f", "Default value"),
        ([], "f", "without branches"),
        (["null", "null"], "f", "null is twice"),
        (["null", ["int"]], "f", "union directly inside a union"),
        ([{"type": "map", "values": "int"}, {"type": "map", "values": "long"}], "f", "map is twice"),
        ("T", "f", "'T' is used inside itself"),
        (["null", {"type": "array", "items": "T"}], "f[]", "'T' is used inside itself"),
        (record(field(["null", "R"], "next"), name="R"), "f.next", "'R' is used inside itself"),
        (record(field("int", "a"), field("int", "a"), name="R"), "f.a", "two fields of this name"),
        (record(field("int", "a.b"), name="R"), "f", "'a.b' is not an Avro name"),
        (record(field("int", "\u00e9"), name="R"), "f", "is not an Avro name"),
        (record(field("int", 5), name="R"), "f", "is not an Avro name"),
        (record(TIME, name="T"), "f", "redefined named type: T"),
        ({"type": "array", "items": record(field("zap", "z"), name="R")}, "f", "unknown type 'zap'"),
        (nested(31), None, ""),
        (nested(32), "", "more than 32 levels of nesting"),
        (nested(1000), "", "more than 32 levels of nesting"),
    ],
)
def test_types_refused(type_: Any, at: str | None, words: str) -> None:
    source = record(TIME, field("int", "first"), field(type_), field("int", "last"))
    if at is None:
        assert Plan(Schema.parse(source)).schema.name == "T"
        return
    with pytest.raises(SchemaError, match=words) as caught:
        Schema.parse(source)
    assert caught.value.field == at


def test_defaults_must_match() -> None:
    with pytest.raises(SchemaError, match="Default value") as caught:
        Schema.parse(record(TIME, field("int", default="x")))
    assert caught.value.field == "f"


@pytest.mark.parametrize("bad", [5, "x", {}, {"name": "f"}, {"type": "int"}, None])
def test_fields_refused(bad: Any) -> None:
    with pytest.raises(SchemaError):
        Schema.parse(record(TIME, bad))


def test_the_number_of_fields_is_limited() -> None:
    many = [field("int", f"f{i}") for i in range(999)]
    schema = Schema.parse(record(TIME, *many))
    assert len(Plan(schema).schema.signals) == 1000
    with pytest.raises(SchemaError, match="more than 1000 fields"):
        Schema.parse(record(TIME, *many, field("int", "one_more")))


def test_a_small_schema_that_unfolds_is_refused_at_once() -> None:
    inner: Any = record(field("int", "x"), name="R0")
    for level in range(1, 16):
        inner = record(
            field(inner, "a"), *(field(f"R{level - 1}", name) for name in "bcdefgh"), name=f"R{level}"
        )
    with pytest.raises(SchemaError, match="more than 1000 fields"):
        Schema.parse(record(TIME, field(inner)))
    wide = {
        "type": "array",
        "items": ["null", *({"type": "fixed", "name": f"F{i}", "size": 1} for i in range(900))],
    }
    holder = record(field(wide, "w"), name="W")
    with pytest.raises(SchemaError, match="more than 10000 types"):
        Schema.parse(record(TIME, field(holder), *(field("W", f"w{i}") for i in range(20))))


def test_the_smallest_record_is_limited() -> None:
    huge = {"type": "fixed", "name": "F", "size": 2**31 - 1}
    Schema.parse(record(TIME, field({"type": "array", "items": huge})))
    with pytest.raises(SchemaError, match="bytes in the smallest record"):
        Schema.parse(record(TIME, field(huge), field("F", "g")))


@given(schemas())
def test_no_damage_crashes(schema: Any) -> None:
    """Any change of one character gives a schema or a SchemaError."""
    text = json.dumps(schema)
    chance = random.Random(len(text))
    for _ in range(20):
        place = chance.randrange(len(text))
        changed = text[:place] + chance.choice('{}[]",:0ax\\') + text[place + chance.choice((0, 1, 5)) :]
        try:
            Plan(Schema.parse(changed))
        except SchemaError:
            continue


def test_where_no_channel_is_meant_a_time_may_be_missing() -> None:
    for source in (record(field("string", "x")), record(field("string", "time")), record()):
        schema = Schema.parse(source, timed=False)
        assert (schema.time, schema.time_unit) == ("", None)
    schema = Schema.parse(record(TIME | {"logicalType": "timestamp-nanos"}), timed=False)
    assert (schema.time, schema.time_unit) == ("time", "ns")


# ---- the command


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, gone = tmp_path / "good.avsc", tmp_path / "bad.avsc", tmp_path / "gone.avsc"
    good.write_text(json.dumps(record(TIME, field("double", "x"))))
    bad.write_text(json.dumps(record(TIME, field("zap", "x"))))
    assert main([str(good)]) == 0
    assert capsys.readouterr().out == f"{good}: T, 2 signals\n"
    assert main([str(good), str(bad), str(gone)]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert errors == [
        f"{bad}: field 'x': unknown type 'zap', wanted one of Avro's or one that is defined above",
        f"{gone}: No such file or directory",
    ]


def test_command_line(tmp_path: Path) -> None:
    bad = tmp_path / "bad.avsc"
    bad.write_text("{}")
    command = [sys.executable, "-P", "-m", "speeddata.schema", str(bad)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr == f"{bad}: the top level must be a record\n"
