import csv
import json
import math

import numpy as np
import pyarrow as pa
import pytest
import segments as made
from exports import export, request
from hypothesis import given
from hypothesis import strategies as st

from speeddata.pivot.export_text import json_value, time_text
from speeddata.pivot.spreadsheet import BEGINNINGS
from speeddata.times import format_time


def test_fault_80_in_a_file(tmp_path):
    """Commands, line ends and quotes are in the cell that they were in, and none is a formula."""
    words = [
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\r\nx",
        'a"b',
        "a,b",
        "",
        "x\r\ny",
        "plain",
        "'=x",
    ]
    rows = [made.record(number, message=word) for number, word in enumerate(words)]
    made.write_segment(tmp_path / "archive" / "example", [rows])
    path, _ = export(tmp_path / "archive", request("example", format="csv"))
    with path.open(newline="") as file:
        read = list(csv.DictReader(file))
    assert [row["message"].removeprefix("'") for row in read] == [word.removeprefix("'") for word in words]
    assert not [row["message"] for row in read if row["message"].startswith(BEGINNINGS)]
    assert path.read_bytes().count(b"\r\n") == len(words) + 3, "a line each, and those that are inside"
    path, _ = export(tmp_path / "archive", request("example", format="jsonl"))
    assert [json.loads(line)["message"] for line in path.read_text().splitlines()] == words


@given(st.lists(st.none() | st.text() | st.sampled_from(['"', "\\", "\x00", "\x1f", "\x7f"])))
def test_texts_are_json(texts):
    for given_text, told in zip(texts, json_value(pa.array(texts, pa.string())).to_pylist(), strict=True):
        assert json.loads(told) == given_text


@given(st.lists(st.none() | st.floats()))
def test_numbers_are_json_and_null_where_they_are_not_finite(numbers):
    for number, told in zip(numbers, json_value(pa.array(numbers, pa.float64())).to_pylist(), strict=True):
        finite = number is not None and math.isfinite(number)
        assert json.loads(told) == (number if finite else None)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_times_are_exact_in_every_form(times):
    stamps = np.array(times, np.int64)
    for stamp, iso, ns, s in zip(
        times, *(time_text(stamps, how).to_pylist() for how in ("iso", "ns", "s")), strict=True
    ):
        assert int(ns) == stamp
        sign, whole, rest = s.startswith("-"), *s.removeprefix("-").split(".")
        assert (int(whole) * 10**9 + int(rest)) * (-1 if sign else 1) == stamp
        assert iso[:19] == format_time(stamp)[:19]
        assert iso[19:] == f".{stamp % 10**9:09d}Z"


@pytest.mark.parametrize(
    ("values", "kind", "told"),
    [
        ([True, None], pa.bool_(), ["true", "null"]),
        ([b"\xff", None], pa.binary(), ['{"base64":"/w=="}', "null"]),
        ([[1.5, math.nan], None], pa.list_(pa.float64()), ["[1.5,null]", "null"]),
        ([{"a": 1}, {}], pa.map_(pa.string(), pa.int64()), ['{"a":1}', "{}"]),
        ([2**53 + 1], pa.int64(), ["9007199254740993"]),
    ],
)
def test_other_values_are_json(values, kind, told):
    assert json_value(pa.array(values, kind)).to_pylist() == told
