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
        ({"retention.mode": "ttl"}, ["retention.value"]),
        ({"retention.mode": "quota", "retention.value": 5}, []),
        ({"decimation.factor": None, "decimation.rate_hz": None}, ["decimation.rate_hz"]),
        ({"decimation.factor": 5, "decimation.rate_hz": None}, []),
        (
            {"decimation.algorithm": "downsample", "decimation.factor": None, "decimation.rate_hz": 50.0},
            ["decimation.factor"],
        ),
        ({"decimation.algorithm": "downsample", "decimation.rate_hz": 50.0}, ["decimation.factor"]),
        (
            {"decimation.algorithm": "downsample", "decimation.factor": 5, "decimation.rate_hz": None},
            [],
        ),
        ({"decimation.algorithm": "downsample", "decimation.enabled": False}, []),
        ({"decimation.algorithm": "minmax", "decimation.rate_hz": 50.0}, []),
    ],
)
def test_settings_that_need_each_other(values: dict[str, object], keys: list[str]) -> None:
    assert [problem.key for problem in cross_check(values)] == keys


def test_ports_of_services_must_differ() -> None:
    flat = {"relay": {"api.port": 1}, "stripchart": {"websocket.port": 1}, "pivot": {"api.port": 2}}
    origins = {"relay": {}, "stripchart": {"websocket.port": "stripchart.yaml:1"}, "pivot": {}}
    assert port_clashes(flat, origins) == [
        "stripchart.yaml:1: stripchart.websocket.port is 1, wanted another port than relay.api.port (by default)"
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


@pytest.mark.parametrize("stream", ["full_rate", "decimated"])
@pytest.mark.parametrize(("key", "value"), [("address", "239.1.1.1"), ("port", 6000)])
def test_every_way_to_share_a_group_is_warned_of(
    tmp_path: Path, stream: str, key: str, value: object
) -> None:
    unset = {
        f"multicast.{name}.{end}": None for name in ("full_rate", "decimated") for end in ("address", "port")
    }
    flat = {"relay": {**unset, f"multicast.{stream}.{key}": value}}
    (said,) = warnings(tmp_path, flat, {"relay": {f"multicast.{stream}.{key}": "global.yaml:1"}})
    assert said.startswith(
        f"global.yaml:1: multicast.{stream}.{key} is {value!r}: one multicast group shared"
    )
    assert warnings(tmp_path, {"relay": unset}, {"relay": {}}) == []


def test_both_ends_of_a_shared_group_are_one_warning(tmp_path: Path) -> None:
    flat = {"relay": {"multicast.decimated.address": "239.1.1.2", "multicast.decimated.port": 6001}}
    (said,) = warnings(tmp_path, flat, {"relay": {}})
    assert "multicast.decimated.address" in said


def test_each_warning_is_given_once(tmp_path: Path) -> None:
    flat = {service: {"multicast.ttl": 5} for service in ("relay", "stripchart", "pivot")}
    origins = dict.fromkeys(flat, {"multicast.ttl": "global.yaml:1"})
    assert warnings(tmp_path, flat, origins) == [
        "global.yaml:1: multicast.ttl is 5: multicast leaves this network segment"
    ]
