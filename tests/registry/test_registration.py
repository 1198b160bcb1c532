from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speeddata.registry.problems import ApiProblem
from speeddata.registry.registration import Registration, read_channel, read_port, read_registration

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)
SCHEMA = {"type": "record", "name": "data", "fields": [{"name": "time", "type": "long"}]}


def test_a_request_is_read() -> None:
    body = {"name": "x", "port": "26000", "schema": "x.avsc", "config": {"decimation": 5}, "more": 1}
    assert read_registration(body) == Registration("x", 26000, "x.avsc", {"decimation": 5})


@pytest.mark.parametrize("field", ["description", "report", "group", "names", "scheme", "unit", "id"])
def test_a_field_that_has_nothing_to_do_with_us_is_ignored(field: str) -> None:
    body = {"name": "x", "port": 1, "schema": "x", field: "something"}
    assert read_registration(body) == Registration("x", 1, "x", None)


def test_every_problem_of_a_config_is_in_the_details() -> None:
    body = {"name": "x", "port": 1, "schema": "x", "config": {"framing": "x", "nosuch": 1}}
    with pytest.raises(ApiProblem) as caught:
        read_registration(body)
    assert caught.value.body["field"] == "config.framing"
    assert "framing is 'x'" in caught.value.body["details"]
    assert "unknown key nosuch" in caught.value.body["details"]


def test_the_row_holds_what_follows_from_the_schema(folder: Any) -> None:
    channel = read_channel(Registration("x", 1, SCHEMA, {"time_unit": "ms"}), folder)
    assert (channel.schema_path, channel.time_unit) == (None, "ms")
    assert len(channel.fingerprint) == 16
    channel = read_channel(Registration("x", 1, "agents/example.avsc", None), folder)
    assert (channel.schema_path, channel.time_unit) == ("agents/example.avsc", "ns")


def status(call: Callable[[], Any]) -> int:
    try:
        call()
    except ApiProblem as problem:
        return problem.status
    return 200


@given(st.dictionaries(st.sampled_from(["name", "port", "schema", "config"]), ANYTHING))
def test_no_body_does_worse_than_400(body: dict[str, Any]) -> None:
    assert status(lambda: read_registration(body)) in (200, 400)


@given(ANYTHING)
def test_a_port_is_an_int_in_range_or_400(value: Any) -> None:
    assert status(lambda: read_port(value)) == 400 or 1 <= read_port(value) <= 65535
