import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from live import EXAMPLE

from speeddata.schema import Schema
from speeddata.stripchart.catalogue import ChannelInfo
from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.subscription import Request, RequestError, find, read_request


def channels(*names: str) -> dict[str, LiveChannel]:
    schema, ids = Schema.parse(EXAMPLE), itertools.count(1)
    return {
        name: LiveChannel(ChannelInfo(name, ("239.255.44.1", 1), None, "1", None, schema), ids)
        for name in names
    }


def test_requests_are_read() -> None:
    message = '{"type": "subscribe", "signals": ["a.b", "a.c"], "window": 12.5}'
    assert read_request(message) == Request("subscribe", ("a.b", "a.c"), 12.5)
    assert read_request('{"type": "unsubscribe", "signals": []}').type == "unsubscribe"


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (b"\x00", "expected JSON text"),
        ("{", "expected JSON"),
        ("[" * 50_000, "expected JSON"),
        ("[]", "expected an object, got list"),
        ("{}", "type: expected subscribe or unsubscribe, got None"),
        ('{"type": "subscribe"}', "signals: expected a list of names"),
        ('{"type": "subscribe", "signals": [1]}', "signals: expected a list of names"),
        (json.dumps({"type": "subscribe", "signals": ["x"] * 1025}), "at most 1024 names"),
        (json.dumps({"type": "subscribe", "signals": ["x" * 513]}), "at most 512 characters"),
        (
            '{"type": "subscribe", "signals": [], "window": 0}',
            "window: expected seconds over 0 and up to 600, got 0",
        ),
        ('{"type": "subscribe", "signals": [], "window": 601}', "got 601"),
        ('{"type": "subscribe", "signals": [], "window": NaN}', "got nan"),
        ('{"type": "subscribe", "signals": [], "window": true}', "got True"),
        ('{"type": "subscribe", "signals": [], "window": "9"}', "got '9'"),
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


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.ramp", "a.ramp"),
        ("a.b.ramp", "a.b.ramp"),
        ("ramp", "several signals of that name: a.b.ramp, a.ramp"),
        ("a.nothing", "no such signal: a.nothing"),
        ("c.ramp", "no such signal: c.ramp"),
        ("", "no such signal: "),
        (".", "no such signal: ."),
    ],
)
def test_names_are_found(name: str, found: str) -> None:
    signal = find(name, channels("a", "a.b"))
    assert (signal if isinstance(signal, str) else signal.name) == found


def test_a_name_alone_is_enough_when_one_channel_has_it() -> None:
    signal = find("ramp", channels("a"))
    assert not isinstance(signal, str)
    assert signal.name == "a.ramp"
