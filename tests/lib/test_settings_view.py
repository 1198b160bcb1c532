import json
from pathlib import Path

import pytest
import yaml

from speeddata.settings import Override, Settings, load_settings
from speeddata.settings_diff import ABSENT
from speeddata.settings_table import FILES, TABLE, rows
from speeddata.settings_view import about, entries, find, lines_about, spelled

SCHEMA = '{"type": "record", "name": "data", "fields": [{"name": "time", "type": "long"}]}'


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    text = f"channels:\n  - {{name: x, port: 1, schema: {SCHEMA}, decimation: 5}}\nhost: 127.0.0.3\n"
    (tmp_path / "relay.yaml").write_text(text)
    return load_settings(tmp_path, [Override.parse("global.multicast.ttl=1")])


def test_every_setting_is_shown_once(settings: Settings) -> None:
    paths = [one.path for one in entries(load_settings())]
    assert paths == [f"{row.file}.{row.key}" for row in TABLE]
    shown = {one.path: one for one in entries(settings)}
    assert (shown["relay.host"].value, shown["relay.host"].changed) == ("127.0.0.3", True)
    assert shown["global.multicast.ttl"].origin == "--set global.multicast.ttl=1"
    assert "relay.multicast.ttl" not in shown
    assert shown["pivot.api.port"].as_json() == {
        "service": "pivot", "key": "api.port", "value": 8000, "origin": "default", "changed": False,
    }  # fmt: skip


def test_a_service_is_shown_with_what_holds_for_all(settings: Settings) -> None:
    paths = [one.path for one in entries(settings, ["pivot"])]
    assert paths == [f"pivot.{key}" for key in rows("pivot")]


def test_channels_are_shown_with_their_own_settings(settings: Settings) -> None:
    own = {one.key: one for one in entries(settings, ["relay"]) if one.key.startswith("channels[")}
    assert {key: one.value for key, one in own.items()} == {
        "channels[x].name": "x",
        "channels[x].port": 1,
        "channels[x].schema": json.loads(SCHEMA),
        "channels[x].decimation.factor": 5,
    }
    assert all(one.origin.endswith("relay.yaml:2") for one in own.values())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("relay.decimation.factor", ["relay.decimation.factor"]),
        ("decimation.factor", ["relay.decimation.factor"]),
        ("api.port", ["relay.api.port", "pivot.api.port"]),
        ("pivot.sql", ["pivot.sql.timeout_seconds", "pivot.sql.memory_mb", "pivot.sql.running"]),
        ("relay.host", ["relay.host"]),
        ("host", ["global.host"]),
        ("SPEEDDATA_RELAY__DECIMATION__RATE_HZ", ["relay.decimation.rate_hz"]),
        (" GRO ", ["relay.gro"]),
        ("multicast.full_rate", ["global.multicast.full_rate.address", "global.multicast.full_rate.port"]),
    ],
)
def test_a_key_is_found_as_people_write_it(text: str, found: list[str]) -> None:
    assert [f"{file}.{row.key}" for file, row in find(text)] == found


@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("decimation.factr", "decimation.factor"),
        ("relay.decimation.factr", "relay.decimation.factor"),
        ("pivot.gro", "relay.gro"),
    ],
)
def test_an_unknown_key_names_the_nearest(text: str, near: str) -> None:
    with pytest.raises(ValueError, match=f"unknown key {text}, wanted a known one; did you mean .*{near}"):
        find(text)


@pytest.mark.parametrize("text", ["", "nosuch"])
def test_a_key_that_is_like_none_names_none(text: str) -> None:
    with pytest.raises(
        ValueError, match=f"unknown key {text}, wanted a known one; `speeddata config show` lists them"
    ):
        find(text)


def test_every_setting_can_be_explained(settings: Settings) -> None:
    for file in FILES:
        for key, row in rows(file).items():
            told = about(settings, file, row)
            text = "\n".join(lines_about(json.loads(json.dumps(told))))
            words = [f"{file}.{key}", row.help, f"--set {file}.{key}=", told["variable"], f"{row.file}.yaml"]
            assert all(word in text for word in words)
            assert (f"  unit      {row.unit}" in text) == bool(row.unit)
            assert all(choice in text for choice in row.choices)
            assert all(other in text for other in row.replaces)
            assert f"in force  {spelled(settings.flat[file][key])} (" in text
            assert ("each can have its own" in text) == row.channel


def test_what_differs_by_channel_and_by_service_is_explained(settings: Settings) -> None:
    lines = list(lines_about(about(settings, "relay", rows("relay")["decimation.factor"])))
    assert any(line.strip().startswith("x: 5 (") and line.endswith("relay.yaml:2)") for line in lines)
    lines = list(lines_about(about(settings, "global", rows("global")["host"])))
    assert any(line.strip().startswith("relay: 127.0.0.3 (") for line in lines)
    assert not any("pivot: " in line for line in lines)
    lines = list(lines_about(about(settings, "relay", rows("relay")["channels"])))
    assert any(line.startswith("  .schema   Avro schema") for line in lines)


@pytest.mark.parametrize(
    "value",
    [
        "text",
        "5",
        "null",
        "true",
        "a: b",
        "[",
        "",
        "2026-13-45",
        "x\ny",
        5,
        0.5,
        None,
        True,
        [1],
        {"a": ["b"]},
    ],
)
def test_a_value_is_spelled_as_yaml_reads_it(value: object) -> None:
    assert yaml.safe_load(spelled(value)) == value


def test_a_long_value_is_cut_and_none_is_a_dash() -> None:
    assert len(spelled(list(range(1000)))) == 80
    assert spelled(ABSENT) == "-"
