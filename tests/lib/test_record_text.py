"""Records as JSON lines and as CSV: any record of any schema can be read again by others."""

import base64
import csv
import io
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import records, schemas
from twin import columns, walk, write

from speeddata.errors import FormatError
from speeddata.plan import Plan
from speeddata.record_text import CsvLines, JsonLines
from speeddata.schema import Schema
from speeddata.unpack import Records

NAN, INF = math.nan, math.inf


def schema(**fields):
    listed = [{"name": name, "type": type_} for name, type_ in fields.items()]
    return Schema.parse({"type": "record", "name": "x", "fields": listed}, timed=False)


def plain(value):
    """A value as JSON has it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def cell(value):
    """A value as a CSV reader that does not convert has it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return (
        plain(value) if isinstance(value, dict | list) else value if isinstance(value, str) else repr(value)
    )


CASES = schemas().flatmap(
    lambda made: st.tuples(st.just(made), st.lists(records(made), min_size=1, max_size=3))
)


@given(CASES)
def test_any_record_can_be_read_again(case):
    made, values = case
    parsed = Schema.parse(made)
    encoded = [write(made, value) for value in values]
    rows = [row for _, row in Records(Plan(parsed), b"".join(encoded))]
    wanted = [walk(made, data)[1] for data in encoded]
    assert repr(rows) == repr(wanted)
    lines = [JsonLines().line(row) for row in rows]
    assert [json.loads(line) for line in lines] == [plain(row) for row in wanted]
    assert all(line.count("\n") == 1 for line in lines)
    form = CsvLines()
    names, *table = csv.reader(io.StringIO(form.begin(parsed) + "".join(map(form.line, rows)), newline=""))
    assert names == parsed.signal_names
    for place, column in enumerate(columns(made, wanted).values()):
        cells = [line[place] for line in table]
        read = [
            json.loads(c) if isinstance(v, dict | list) else c for c, v in zip(cells, column, strict=True)
        ]
        assert read == [cell(value) for value in column]


@pytest.mark.parametrize(
    ("value", "as_json", "as_csv"),
    [
        (None, "null", '""'),
        ("", '""', '""'),
        ('a,"b"', '"a,\\"b\\""', '"a,""b"""'),
        ("a\r", '"a\\r"', '"a\r"'),
        ("ü", '"ü"', "ü"),
        (True, "true", "true"),
        (2**63 - 1, "9223372036854775807", "9223372036854775807"),
        (0.1, "0.1", "0.1"),
        (NAN, "null", "nan"),
        (-INF, "null", "-inf"),
        (b"\0\xff", '{"base64":"AP8="}', "AP8="),
        ([1.5, NAN], "[1.5,null]", '"[1.5,null]"'),
        (
            {"a": b"", "b": [INF]},
            '{"a":{"base64":""},"b":[null]}',
            '"{""a"":{""base64"":""""},""b"":[null]}"',
        ),
    ],
)
def test_values(value, as_json, as_csv):
    assert JsonLines().line({"v": value}) == f'{{"v":{as_json}}}\n'
    form = CsvLines()
    form.begin(schema(v="int"))
    assert form.line({"v": value}) == f"{as_csv}\n"


def test_null_is_an_empty_cell_and_an_empty_text_is_not():
    form = CsvLines()
    form.begin(schema(a="int", b="int", c="int"))
    assert form.line({"a": None, "b": "", "c": 1}) == ',"",1\n'


def test_fields_of_nested_records_have_dotted_names():
    form, inner = CsvLines(), {"type": "record", "name": "y", "fields": [{"name": "b", "type": "int"}]}
    assert form.begin(schema(a=inner, c="int")) == "a.b,c\n"
    assert form.line({"a": {"b": 1}, "c": 2}) == "1,2\n"


def test_files_of_one_csv_have_the_same_columns():
    form = CsvLines()
    assert form.begin(schema(a="int")) == "a\n"
    assert form.begin(schema(a="string")) == ""
    with pytest.raises(FormatError, match="its columns are not those of the files before it"):
        form.begin(schema(b="int"))
    json_form = JsonLines()
    assert json_form.begin(schema(a="int")) + json_form.begin(schema(b="int")) == ""
