import pytest

from speeddata.errors import RecordError
from speeddata.schema import Schema
from speeddata.values_json import default_of, describe, plain


def fields_of(*types):
    fields = [{"name": "time", "type": "long"}]
    fields += [
        {"name": f"f{n}", **(t if isinstance(t, dict) and "default" in t else {"type": t})}
        for n, t in enumerate(types)
    ]
    return Schema.parse({"type": "record", "name": "test", "fields": fields}).record.fields[1:]


def type_of(type_):
    return fields_of(type_)[0].type


@pytest.mark.parametrize(
    ("type_", "words"),
    [
        ("double", "a number"),
        (["null", "double"], "a number or null"),
        ({"type": "enum", "name": "e", "symbols": ["A", "B"]}, "one of A, B"),
        ({"type": "fixed", "name": "f", "size": 4}, "text of 4 characters up to U+00FF, one a byte"),
        ({"type": "array", "items": "boolean"}, "a list, each item true or false"),
        ({"type": "map", "values": "string"}, "an object, each value text"),
        (["double", "string"], "a number or text"),
        (["null", {"type": "record", "name": "r", "fields": [{"name": "x", "type": "int"}]}], "an object of x or null"),
    ],
)  # fmt: skip
def test_what_a_type_expects(type_, words):
    assert describe(type_of(type_)) == words


def test_what_a_time_expects():
    assert (
        describe(type_of("long"), "ms")
        == "a time: a whole number of milliseconds since 1970, or ISO 8601 text"
    )
    assert describe(type_of(["null", "double"]), "") == "a time: a number, or ISO 8601 text, or null"


def test_an_enum_of_many_symbols_is_not_told_whole():
    symbols = [f"S{n}" for n in range(100)]
    assert describe(type_of({"type": "enum", "name": "e", "symbols": symbols})).endswith("S19 ...")


@pytest.mark.parametrize(
    ("field", "found"),
    [
        ("double", (False, None)),
        (["null", "double"], (True, None)),
        (["null", "double", "string"], (True, None)),
        ({"type": "double", "default": 1.5}, (True, 1.5)),
        ({"type": ["double", "null"], "default": 1.5}, (True, 1.5)),
        ({"type": "bytes", "default": "\xff\x00"}, (True, b"\xff\x00")),
        ({"type": "null", "default": None}, (True, None)),
        ({"type": "array", "items": ["null", "int"]}, (False, None)),
    ],
)
def test_what_stands_for_a_field_that_is_missing(field, found):
    assert default_of(fields_of(field)[0]) == found


@pytest.mark.parametrize(
    ("type_", "value", "made"),
    [
        ("bytes", "\xff", b"\xff"),
        (["null", "bytes"], "a", b"a"),
        (["null", "bytes"], None, None),
        (["double", "bytes", "null"], "a", b"a"),
        (["bytes", "string"], "a", "a"),
        ({"type": "array", "items": "bytes"}, ["a"], [b"a"]),
        ({"type": "map", "values": "bytes"}, {"k": "a"}, {"k": b"a"}),
        (["double", "string", {"type": "array", "items": "bytes"}], ["a"], [b"a"]),
        ({"type": "array", "items": "double"}, [1], [1]),
        ("double", "a", "a"),
    ],
)
def test_what_values_of_json_stand_for(type_, value, made):
    assert plain(type_of(type_), value) == made


def test_a_record_below_an_array_is_looked_into():
    record = {
        "type": "record",
        "name": "r",
        "fields": [{"name": "x", "type": "bytes"}, {"name": "y", "type": "int"}],
    }
    assert plain(type_of({"type": "array", "items": record}), [{"x": "a"}]) == [{"x": b"a"}]


def test_text_that_is_no_bytes_is_refused():
    with pytest.raises(RecordError, match=r"U\+00FF"):
        plain(type_of("bytes"), "\u0100")
