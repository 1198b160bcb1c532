"""What of a registered channel can be changed, and by which values."""

import json
from typing import Any

import pytest

from speeddata.registry.changes import CHANGEABLE, changed, read_changes
from speeddata.registry.problems import ApiProblem
from speeddata.registry.store import Channel
from speeddata.schema import Schema

SCHEMA = {
    "type": "record",
    "name": "r",
    "fields": [
        {"name": "time", "type": "double"},
        {"name": "speed", "type": "double", "speeddata": {"unit": "1/min", "limits": {"warn": [0, 5000]}}},
        {"name": "state", "type": "string"},
        {"name": "oil", "type": {"type": "record", "name": "oil", "fields": [{"name": "pressure", "type": "float"}]}},
    ],
}  # fmt: skip
CHANNEL = Channel(
    "x",
    26000,
    None,
    Schema.parse(SCHEMA).text,
    "00",
    None,
    {"live": False, "decimation": 5},
    3,
    "2025-01-01 00:00:00",
)


def refusal(body: Any) -> dict[str, Any]:
    with pytest.raises(ApiProblem) as caught:
        changed(CHANNEL, read_changes(body))
    assert caught.value.status == 400
    return caught.value.body


@pytest.mark.parametrize("value", [10, {"rate_hz": 20}, None])
def test_decimation_can_be_changed(value: Any) -> None:
    assert read_changes({"decimation": value}) == {"decimation": value}


@pytest.mark.parametrize("field", ["port", "name", "schema", "framing", "time_unit", "status"])
def test_what_cannot_be_changed_is_refused_by_name(field: str) -> None:
    assert refusal({"live": True, field: "x"})["field"] == field


def test_what_the_records_mean_takes_another_registration() -> None:
    assert "registering it again" in refusal({"framing": "plain"})["wanted"]


def test_other_settings_stay() -> None:
    assert changed(CHANNEL, {"decimation": {"rate_hz": 20}}).config == {
        "live": False,
        "decimation": {"rate_hz": 20},
    }
    assert changed(CHANNEL, {"decimation": None}).config == {"live": False}
    assert changed(CHANNEL, {"decimation": None, "live": None}).config is None
    assert changed(CHANNEL, {}) == CHANNEL


def test_a_codec_is_another_word_for_the_compression() -> None:
    assert changed(CHANNEL, read_changes({"codec": "zstandard"})).config == {
        "live": False, "decimation": 5, "compression": "zstandard",
    }  # fmt: skip
    assert refusal({"codec": "zstandard", "compression": "deflate"})["field"] == "compression"
    assert refusal({"codec": "zip"})["field"] == "compression"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"decimation": {"factor": -1}}, "decimation.factor"),
        ({"decimation": {"rate": 20}}, "decimation.rate"),
        ({"decimation": {"algorithm": "mean"}}, "decimation.algorithm"),
        ({"decimation": "5"}, "decimation"),
        ({"decimation": True}, "decimation"),
        ({"sources": "10.0.0.1"}, "sources"),
        ({"retention": {"max_age_s": -1}}, "retention.max_age_s"),
        ({"ttl": 0}, "ttl"),
        ({"ttl": True}, "ttl"),
        ({"limits": []}, "limits"),
        ({"limits": {"speed": [0, 1]}}, "limits"),
        ({"limits": {"nosuch": None}}, "limits"),
        ({"limits": {"speed.x": None}}, "limits"),
        ({"limits": {"speed": {"warn": [5, 1]}}}, "limits.speed"),
        ({"limits": {"state": {"warn": [0, 1]}}}, "limits.state"),
        ({"limits": {"oil": {"warn": [0, 1]}}}, "limits.oil"),
    ],
)
def test_a_wrong_value_is_named(body: Any, field: str) -> None:
    assert refusal(body)["field"] == field


def test_limits_are_changed_where_the_schema_states_them() -> None:
    newer = changed(
        CHANNEL,
        read_changes({"limits": {"speed": {"alarm": [None, 6000]}, "oil.pressure": {"warn": [1, None]}}}),
    )
    fields = {field["name"]: field for field in json.loads(newer.schema)["fields"]}
    assert fields["speed"]["speeddata"] == {"unit": "1/min", "limits": {"alarm": [None, 6000]}}
    assert fields["oil"]["type"]["fields"][0]["speeddata"] == {"limits": {"warn": [1, None]}}
    assert Schema.parse(json.loads(newer.schema)).fingerprint == Schema.parse(SCHEMA).fingerprint
    none = changed(newer, {"limits": {"speed": None, "oil.pressure": None}})
    fields = {field["name"]: field for field in json.loads(none.schema)["fields"]}
    assert fields["speed"]["speeddata"] == {"unit": "1/min"}
    assert "speeddata" not in fields["oil"]["type"]["fields"][0]


def test_a_lease_is_changed() -> None:
    assert changed(CHANNEL, read_changes({"ttl": 60})).ttl_s == 60
    assert changed(changed(CHANNEL, {"ttl": 60}), {"live": None}).ttl_s == 60
    assert changed(changed(CHANNEL, {"ttl": 60}), {"ttl": None}).ttl_s is None


def test_all_that_a_channel_can_have_can_be_changed() -> None:
    assert {
        "decimation",
        "rotation",
        "retention",
        "compression",
        "sign",
        "sources",
        "limits",
        "ttl",
        "ring_bytes",
    } <= set(CHANGEABLE)
