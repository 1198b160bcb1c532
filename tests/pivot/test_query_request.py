import pytest

from speeddata.buckets import Buckets
from speeddata.pivot.problem import Problem
from speeddata.pivot.query_request import read_body_params, read_query, read_url_params
from speeddata.times import parse_time

NOW = parse_time("2025-06-01T12:00:00Z")
S = 10**9
RANGE = {"start": "2025-01-01", "end": "2025-01-02"}


def asked(accept="", newest=None, **params):
    return read_query({"channels": "a", **params}, accept, NOW, 5, lambda _: newest)


def refused(status=400, **params):
    with pytest.raises(Problem) as caught:
        asked(**params)
    assert caught.value.status == status
    return caught.value.body


@pytest.mark.parametrize(
    ("params", "start", "end"),
    [
        (RANGE, "2025-01-01", "2025-01-02"),
        ({"start": "2025-01-01", "duration": "PT1H"}, "2025-01-01", "2025-01-01T01:00"),
        ({"end": "2025-01-01", "duration": "PT1H"}, "2024-12-31T23:00", "2025-01-01"),
        ({"start": "2025-01-01"}, "2025-01-01", "2025-06-01T12:00"),
        ({"start": "2025-01-01", "end": "now"}, "2025-01-01", "2025-06-01T12:00"),
        ({"start": "2025-01-01T00:00:00 01:00", "duration": "PT1H"}, "2024-12-31T23:00", "2025-01-01"),
    ],
)
def test_ranges_do_not_include_their_end(params, start, end):
    query = asked(**params).query
    assert (query.start_ns, query.end_ns) == (parse_time(start), parse_time(end) - 1)


def test_a_duration_alone_ends_at_the_newest_record_and_has_it():
    query = asked(duration="PT10S", newest=100 * S).query
    assert (query.start_ns, query.end_ns) == (90 * S, 100 * S)
    assert asked(duration="PT10S").query.end_ns == NOW


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, "start"), ({"end": "2025-01-01"}, "start"), ({**RANGE, "duration": "PT1S"}, "duration"),
        ({"start": "2025-01-02", "end": "2025-01-02"}, "start"), ({"start": "soon"}, "start"),
        ({**RANGE, "every": "0s"}, "every"), ({**RANGE, "zone": "Mars"}, "zone"), ({**RANGE, "width": "0"}, "width"),
        ({**RANGE, "width": "1", "every": "1s"}, "width"), ({**RANGE, "aggregates": "avg,best"}, "aggregates"),
        ({**RANGE, "aggregates": "p101"}, "aggregates"), ({**RANGE, "fill": "zero"}, "fill"),
        ({**RANGE, "limit": "-1"}, "limit"), ({**RANGE, "limit": "1", "every": "1s"}, "limit"),
        ({**RANGE, "cursor": "x", "aggregates": "avg"}, "cursor"), ({**RANGE, "format": "xml"}, "format"),
        ({**RANGE, "shape": "round"}, "shape"), ({**RANGE, "time": "min"}, "time"), ({**RANGE, "where": "a >"}, "where"),
        ({**RANGE, "channels": " , "}, "channels"), ({"duration": "PT1X"}, "duration"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(params, field):
    body = refused(**params)
    assert body["field"] == field
    assert (
        "wanted" in body["error"]
        or "Give" in body["error"]
        or "Missing" in body["error"]
        or "before" in body["error"]
        or "raw" in body["error"]
    )


def test_too_many_channels_are_413():
    assert refused(413, **RANGE, channels="a,b,c,d,e,f")["max_channels"] == 5


def test_all_of_it():
    params = {**RANGE, "channels": "a, b,a", "signals": "x,b.y", "every": "1d", "zone": "Europe/Zurich", "fill": "linear",
              "aggregates": "avg,p99.9,avg,mode", "where": "x > 3", "shape": "rows", "time": "ms"}  # fmt: skip
    found = asked(**params)
    query = found.query
    assert (query.channels, query.signals, query.aggregates) == (
        ("a", "b"),
        ("x", "b.y"),
        ("avg", "p99.9", "mode"),
    )
    assert (query.every, query.fill) == (Buckets(86400 * S, 0, "Europe/Zurich"), "linear")
    assert query.where is not None
    assert query.where.signals == ("x",)
    assert (found.shape.format, found.shape.rows, found.shape.time) == ("json", True, "ms")


@pytest.mark.parametrize(
    ("accept", "format", "wanted"),
    [("", None, "json"), ("*/*", None, "json"), ("text/csv", None, "csv"),
     ("application/vnd.apache.arrow.stream;q=0.9", None, "arrow"), ("text/csv", "arrow", "arrow")],
)  # fmt: skip
def test_formats(accept, format, wanted):
    assert asked(accept, **RANGE, **({"format": format} if format else {})).shape.format == wanted


def test_the_key_is_the_same_for_the_same_answer():
    one = asked(start="2025-01-01", end="2025-01-02", every="1h").key
    assert one == asked(start="2025-01-01T00:00:00Z", duration="P1D", every="1h", fill="none").key
    for other in (
        {"every": "1m"},
        {"fill": "null"},
        {"aggregates": "avg"},
        {"format": "csv"},
        {"where": "a > 1"},
        {"zone": "Asia/Tokyo"},
    ):
        assert asked(**(RANGE | {"every": "1h"} | other)).key != one


def test_parameters_of_a_url():
    items = [("channel", "a"), ("channels", "b"), ("start", "x"), ("signal", "s")]
    assert read_url_params(items) == {"channels": "a,b", "start": "x", "signals": "s"}
    for wrong in ([("start", "x"), ("start", "y")], [("strat", "x")]):
        with pytest.raises(Problem) as caught:
            read_url_params(wrong)
        assert caught.value.status == 400


def test_parameters_of_a_body():
    body = b'{"channels": ["a", "b"], "limit": 5, "where": null, "aggregates": "avg,min"}'
    assert read_body_params(body) == {"channels": "a,b", "limit": "5", "aggregates": "avg,min"}
    for wrong in (b"", b"[]", b"{", b'{"x": 1}', b'{"limit": true}', b'{"start": ["a"]}', b'{"channels": [1]}', b'{"limit": 1.5}',
                  b'{"channel": "a", "channels": "b"}', b"\xff"):  # fmt: skip
        with pytest.raises(Problem) as caught:
            read_body_params(wrong)
        assert caught.value.status == 400
