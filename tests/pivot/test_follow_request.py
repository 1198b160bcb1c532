import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.follow_positions import Positions
from speeddata.pivot.follow_request import pack_token, read_request
from speeddata.pivot.problem import Problem
from speeddata.pivot.request import Limits

LIMITS = Limits(channels=2)
NOW = 1_767_268_800 * 10**9
NAME = "engine_20260101T000000.000000Z.avro"


def read(**params):
    return read_request(params, LIMITS, NOW)


def test_where_it_begins():
    assert read(channels="a").start_ns is None
    assert read(channels="a", start="2026-01-01T12:00:00Z").start_ns == NOW
    assert read(channels="a,b", duration="PT1M").start_ns == NOW - 60 * 10**9
    assert read(channels="a", signals="v, w").signals == ("v", "w")
    assert read(channels="a", heartbeat="0.5").heartbeat_s == 0.5


def test_a_token_there_and_back():
    token = pack_token(5, {"engine": Positions("", {NAME: 7})})
    request = read(resume=token)
    assert (request.channels, request.start_ns) == (("engine",), 5)
    assert request.positions["engine"].read_of(NAME) == 7
    assert read(resume=token, channels="engine").positions == request.positions


@pytest.mark.parametrize(
    ("params", "status", "words"),
    [({}, 400, "Missing required parameter: channels"), ({"channels": "a,b,c"}, 413, "maximum"),
     ({"channels": "a", "start": "soon"}, 400, "Invalid start"), ({"channels": "a", "duration": "5"}, 400, "Invalid duration"),
     ({"channels": "a", "start": "2026-01-01", "duration": "PT1S"}, 400, "one of start, duration and resume"),
     ({"channels": "a", "heartbeat": "x"}, 400, "Invalid heartbeat"), ({"channels": "a", "heartbeat": "nan"}, 400, "heartbeat"),
     ({"channels": "a", "heartbeat": "1000"}, 400, "heartbeat"), ({"resume": ""}, 400, "Invalid resume"),
     ({"resume": "x" * 70_000}, 400, "too long"), ({"resume": "%%%"}, 400, "Invalid resume"),
     ({"resume": "abc"}, 400, "it is no token of this service"), ({"resume": "YWJj"}, 400, "it is no token of this service"),
     ({"resume": pack_token(None, {"engine": Positions()}), "channels": "a"}, 400, "wanted those of resume: engine"),
     ({"resume": pack_token(None, {"a": Positions(), "b": Positions(), "c": Positions()})}, 413, "maximum")],
)  # fmt: skip
def test_what_is_refused(params, status, words):
    with pytest.raises(Problem, match=words) as caught:
        read(**params)
    assert caught.value.status == status


def status_of(token):
    try:
        read(resume=token)
    except Problem as problem:
        return problem.status
    return 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("vtcfshx"), inner, max_size=4)
    ),
    max_leaves=8,
)


def packed(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@given(st.one_of(st.text(max_size=50), json_values.map(packed)))
def test_no_token_makes_an_error_of_ours(token):
    assert status_of(token) in (400, 413)


@given(json_values)
def test_no_position_makes_an_error_of_ours(value):
    assert status_of(packed({"v": 1, "t": None, "c": {"engine": value}})) in (200, 400)
