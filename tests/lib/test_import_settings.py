"""What the options of an import mean."""

import click
import pytest

from speeddata.import_options import ImportOptions
from speeddata.import_settings import options_of, read_columns, read_delimiter, read_names, read_quote

GIVEN = {
    "channel": None,
    "rate": None,
    "time_column": (),
    "decimal": None,
    "start": None,
    "nonexistent": "reject",
}


def test_texts_of_options():
    context, option = click.Context(click.Command("x")), click.Option(["--x"])
    assert read_columns(context, option, "a, b:double,c:d:string,e:f") == (
        ("a", None),
        ("b", "double"),
        ("c:d", "string"),
        ("e:f", None),
    )
    assert read_names(context, option, " a,,b ") == ("a", "b")
    assert [read_delimiter(context, option, text) for text in ("tab", ";", "semicolon", None)] == [
        "\t",
        ";",
        ";",
        None,
    ]
    assert [read_quote(context, option, text) for text in ("none", "'", None)] == ["", "'", None]


def test_options_together():
    made = options_of({**GIVEN, "decimal": "comma", "start": 5, "rate": 2.0})
    assert made == ImportOptions(decimal=",", start_ns=5, rate_hz=2.0)
    with pytest.raises(click.UsageError, match="--rate"):
        options_of({**GIVEN, "rate": 2.0, "time_column": ("a",)})
    with pytest.raises(click.BadParameter):
        options_of({**GIVEN, "channel": "a/b"})


def test_other_options_have_another_mark():
    marks = {
        ImportOptions().mark(),
        ImportOptions(zone="UTC").mark(),
        ImportOptions(by="x").mark(),
        ImportOptions().mark(),
    }
    assert len(marks) == 3
