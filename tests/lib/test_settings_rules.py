from pathlib import Path

import pytest

from speeddata.settings_rules import cross_check, port_clashes, schema_problems, warnings


@pytest.mark.parametrize(
    ("values", "keys"),
    [
        ({}, []),
        ({"rotation.threshold": 5}, ["rotation.mode"]),
        ({"rotation.threshold": 5, "rotation.mode": "time"}, []),
        ({"retention.value": 5}, ["retention.mode"]),
        ({"decimation.factor": None, "decimation.rate_hz": None}, ["decimation.rate_hz"]),
        ({"decimation.factor": 5, "decimation.rate_hz": None}, []),
    ],
)
def test_settings_that_need_each_other(values: dict[str, object], keys: list[str]) -> None:
    assert [problem.key for problem in cross_check(values)] == keys


def test_ports_of_services_must_differ() -> None:
    flat = {"relay": {"api.port": 1}, "stripchart": {"websocket.port": 1}, "pivot": {"api.port": 2}}
    origins = {"relay": {}, "stripchart": {"websocket.port": "stripchart.yaml:1"}, "pivot": {}}
    assert port_clashes(flat, origins) == [
        "stripchart.yaml:1: stripchart.websocket.port is 1, wanted another port than relay.api.port"
    ]
    assert port_clashes({"relay": {"api.port": 1}}, origins) == []


def test_schemas_of_channels_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / "x.avsc").write_text("{")
    channels = [
        {"schema": "x.avsc"},
        {"schema": "nosuch.avsc"},
        {"schema": {"type": "record", "name": "r", "fields": []}},
        5,
    ]
    found = schema_problems(
        tmp_path, {"relay": {"channels": channels}}, {"relay": {"channels": "relay.yaml:1"}}
    )
    assert [text.partition(", wanted")[0] for text in found] == [
        "relay.yaml:1: channels[0].schema is 'x.avsc'",
        "relay.yaml:1: channels[1].schema is 'nosuch.avsc'",
        "relay.yaml:1: channels[2].schema is {'fields': [], 'name': 'r', 'type': 'record'}",
    ]
    assert schema_problems(tmp_path, {}, {}) == []


def test_each_warning_is_given_once(tmp_path: Path) -> None:
    flat = {service: {"multicast.ttl": 5} for service in ("relay", "stripchart", "pivot")}
    origins = dict.fromkeys(flat, {"multicast.ttl": "global.yaml:1"})
    assert warnings(tmp_path, flat, origins) == [
        "global.yaml:1: multicast.ttl is 5: multicast leaves this network segment"
    ]
