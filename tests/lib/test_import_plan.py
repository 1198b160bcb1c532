"""How what a file has fits a channel."""

import pytest

from speeddata.errors import FormatError
from speeddata.import_plan import Found, ImportField, fit_schema, make_schema
from speeddata.schema import Schema

FIELDS = [
    ImportField("a", "double", False, "V", "a [V]"),
    ImportField("s", "string", True),
    ImportField("w", "float", False, array=True),
]


def found(fields=FIELDS, unit="ms", schema=None):
    return Found(1, list(fields), unit, 0, 0, {"": 1}, {}, [], "x", schema=schema)


def schema_of(*fields, time="timestamp-millis"):
    made = {
        "type": "record",
        "name": "r",
        "fields": [*fields, {"name": "time", "type": {"type": "long", "logicalType": time}}],
    }
    return Schema.parse(made)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_made_schema_fits(unit):
    made = Schema.parse(make_schema("1 x.y", FIELDS, unit), time_unit=unit)
    assert (made.name, made.time_unit, made.signals[1].unit) == ("_1_x_y", unit, "V")
    fit = fit_schema("x", made, None, found(unit=unit))
    assert (fit.unit, fit.order, fit.branches, fit.types) == (
        unit,
        (-1, 0, 1, 2),
        (-1, -1, 0, -1),
        ("long", "double", "string", "array"),
    )


def test_order_nulls_and_types_of_a_channel_that_is_there():
    there = schema_of({"name": "more", "type": ["string", "null"]}, {"name": "a", "type": ["null", "float"]})
    fit = fit_schema("x", there, None, found(FIELDS[:1]))
    assert (fit.order, fit.branches, fit.types) == ((-2, 0, -1), (1, 0, -1), ("string", "float", "long"))


@pytest.mark.parametrize(
    ("fields", "time", "error"),
    [
        ([{"name": "a", "type": "double"}], "timestamp-millis", "has no signal 's', 'w'"),
        ([{"name": "a", "type": "long"}], "timestamp-millis", "as long, the file has double"),
        ([{"name": "a", "type": {"type": "array", "items": "double"}}], "timestamp-millis", "as array"),
        ([{"name": "z", "type": "long"}], "timestamp-millis", "which the file has not"),
        ([{"name": "s", "type": "string"}], "timestamp-millis", "cannot have the signal 's' null"),
    ],
)
def test_what_does_not_fit_is_told(fields, time, error):
    with pytest.raises(FormatError, match=error):
        fit_schema("x", schema_of(*fields, time=time), None, found())


def test_times_must_be_held_exactly():
    with pytest.raises(FormatError, match="times in ms, those of the file need us"):
        fit_schema("x", schema_of({"name": "a", "type": "double"}), None, found(FIELDS[:1], "us"))


def test_a_files_own_schema_must_be_the_channels():
    own = schema_of({"name": "a", "type": "double"})
    assert fit_schema("x", own, None, found(schema=own.json)).schema is own
    with pytest.raises(FormatError, match="another schema"):
        fit_schema("x", schema_of({"name": "b", "type": "double"}), None, found(schema=own.json))
