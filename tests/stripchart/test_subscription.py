import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.stripchart.subscription import Report, Request, RequestError, read_request


def test_requests_are_read() -> None:
    message = '{"type": "subscribe", "signals": ["a.b", "a.c"], "window": 12.5}'
    assert read_request(message) == Request("subscribe", ("a.b", "a.c"), 12.5, 0, None, "live")
    message = '{"type": "unsubscribe", "signals": ["a"], "feed": 3, "columns": 20, "stream": "full", "arrays": true}'
    assert read_request(message) == Request("unsubscribe", ("a",), 30.0, 3, 20.0, "full", arrays=True)


def test_reports_are_read() -> None:
    message = '{"type": "report", "tick": 7, "hidden": true, "fps": 59.5, "ms": 3, "more": []}'
    assert read_request(message) == Report(7, True, {"fps": 59.5, "ms": 3.0})
    assert read_request('{"type": "report", "fps": 1' + "0" * 400 + "}") == Report(0, False, {})
    message = '{"type": "report", "fps": "fast", "ms": NaN, "hidden": 1}'
    assert read_request(message) == Report(0, False, {})


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"\x00", "expected JSON text"),
        ("{", "expected JSON"),
        ("[" * 50_000, "expected JSON"),
        ("[]", "expected an object, got list"),
        ("{}", "type: expected subscribe, unsubscribe, report, got None"),
        ('{"type": "subscribe"}', "signals: expected a list of names"),
        ('{"type": "subscribe", "signals": [1]}', r"signals: expected a list of names, got \[1\]"),
        ('{"type": "subscribe", "signals": [], "arrays": "x"}', "arrays: expected true or false, got 'x'"),
        (
            '{"type": "subscribe", "signals": [], "window": 0}',
            "window: expected seconds over 0 and up to 600, got 0",
        ),
        ('{"type": "subscribe", "signals": [], "window": 601}', "got 601"),
        ('{"type": "subscribe", "signals": [], "window": NaN}', "got nan"),
        ('{"type": "subscribe", "signals": [], "window": true}', "got True"),
        ('{"type": "subscribe", "signals": [], "window": "9"}', "got '9'"),
        (
            '{"type": "subscribe", "signals": [], "columns": 0}',
            "columns: expected a number a second, up to 1e",
        ),
        ('{"type": "subscribe", "signals": [], "columns": 1e7}', "got 10000000.0"),
        ('{"type": "subscribe", "signals": [], "columns": "9"}', "got '9'"),
        ('{"type": "subscribe", "signals": [], "stream": "all"}', "stream: expected live or full, got 'all'"),
        ('{"type": "subscribe", "signals": [], "stream": []}', "stream: expected live or full"),
        (
            '{"type": "subscribe", "signals": [], "feed": -1}',
            "feed: expected a whole number from 0 to 2147483647, got -1",
        ),
        ('{"type": "subscribe", "signals": [], "feed": 1.5}', "got 1.5"),
        ('{"type": "report", "tick": 4294967296}', "tick: expected a whole number"),
        ('{"type": "report", "tick": true}', "got True"),
    ],
)
def test_what_is_no_request_is_refused_with_a_reason(message: str | bytes, error: str) -> None:
    with pytest.raises(RequestError, match=error):
        read_request(message)


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_any_json_is_a_request_or_refused(value: Any) -> None:
    with pytest.raises(RequestError):
        read_request(json.dumps(value))
