import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.pivot.problem import Problem
from speeddata.pivot.sql_request import SqlLimits, SqlRequest, read_request

LIMITS = SqlLimits(timeout_s=20)


def read(accept="", **given):
    return read_request(json.dumps(given).encode(), accept, LIMITS)


def test_what_is_not_given():
    assert read(sql="SELECT 1") == SqlRequest("SELECT 1", "json", None, 20, "UTC")


def test_all_that_can_be_given():
    asked = read(sql="x", format="csv", limit=5, timeout=1.5, time_zone="Europe/Zurich", accept="text/csv")
    assert asked == SqlRequest("x", "csv", 5, 1.5, "Europe/Zurich")


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/html, text/csv;q=0.5", "csv"),
        ("application/vnd.apache.arrow.stream", "arrow"),
        ("Application/VND.apache.parquet", "parquet"),
    ],
)
def test_accept(accept, form):
    assert read(sql="x", accept=accept).format == form


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sql", None), ("sql", " "), ("sql", 5), ("sql", "a\0"), ("sql", "\ud800"),
        ("format", "xml"), ("format", []),
        ("limit", -1), ("limit", True), ("limit", 1.5), ("limit", 2**63),
        ("timeout", 0), ("timeout", 21), ("timeout", "1"), ("timeout", True),
        ("time_zone", "a b"), ("time_zone", 1), ("more", 1),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(field, value):
    with pytest.raises(Problem) as raised:
        read(**{"sql": "x", field: value})
    assert (raised.value.status, raised.value.body["field"]) == (400, field)
    assert field in raised.value.body["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"[]", 400), (b"{", 400), (b"[" * 9999, 400)],
)
def test_bodies_that_are_none(body, status):
    with pytest.raises(Problem) as raised:
        read_request(body, "", LIMITS)
    assert raised.value.status == status


@given(st.binary() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda below: st.lists(below) | st.dictionaries(st.sampled_from(["sql", "format", "limit", "timeout", "time_zone"]), below)).map(lambda value: json.dumps(value).encode()), st.text())  # fmt: skip
def test_anything_is_read_or_refused(body, accept):
    with suppress(Problem):
        read_request(body, accept, LIMITS)
