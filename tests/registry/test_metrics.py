"""What a scrape tells of a registry, and what it leaves out rather than tell what nobody knows."""

import copy
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from speeddata.registry.exposition import PLAIN, write_families
from speeddata.registry.metrics import families, look
from speeddata.registry.metrics_table import LEFT_OUT, NAMES, TABLE

API = "/api/v1"
Json = dict[str, Any]
STATUS: Json = {
    "version": "1.2",
    "started": "2026-01-01T00:00:00Z",
    "pid": 10,
    "archive": {
        "bytes": 1, "segments": 2, "free_bytes": 3, "size_bytes": 4, "growth_bytes_per_s": 5, "full_in_s": 6, "deletes_in_s": 7,
        "deleted": {"segments": 8, "bytes": 9}, "sealed": 10, "compressed": {"segments": 11, "saved_bytes": 12}, "damaged": 13,
        "trouble": "no room", "clock_step": {"by_s": -14, "held_s": 15},
    },
    "keeper": {"pid": 11, "state": "active", "restarts": 16},
    "services": [
        {"name": "pivot", "pid": 12, "state": "active", "restarts": 17},
        {"name": "ingest", "pid": None, "state": "backoff", "restarts": 18},
    ],
    "registry": {"trouble": "a copy"},
    "channels": {"count": 2, "states": {"active": 1, "ingest": 1}},
    "left_out": {"log_lines": {"pivot": 19}, "events": 20},
}  # fmt: skip
INGESTED = dict.fromkeys(
    ("records", "bytes", "batches", "archived", "lost", "rescued", "bad_time", "live_packets", "live_failed"),
    0,
) | {"records": 21, "since": 1, "heartbeat": 2}


@pytest.fixture(autouse=True)
def known(client: Any, system: Any, ingest: Any, monkeypatch: Any) -> None:
    """A channel of each kind, and a third that nothing has come for."""
    monkeypatch.setattr(system, "status", lambda: copy.deepcopy(STATUS))
    monkeypatch.setattr(ingest, "counts", lambda: {"y": INGESTED})
    schema = "agents/example.avsc"
    for name, port in (("x", 26070), ("y", None), ("z", None)):
        body = {"name": name, "port": port, "schema": schema}
        assert client.post(f"{API}/channels", json=body).status_code == 201


def scraped(client: Any) -> dict[tuple[str, ...], float]:
    """Each sample by its name and labels."""
    text = client.get("/metrics").text
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    found = {(one.name, *itertools.chain(*sorted(one.labels.items()))): one.value for one in samples}
    assert len(found) == len(samples)
    return found


def test_every_kind_of_thing_is_told(client: Any) -> None:
    found = scraped(client)
    assert found["speeddata_build_info", "version", "1.2"] == 1
    assert found["speeddata_start_time_seconds",] == 1767225600
    assert found["speeddata_keeper_up",] == 1
    assert found["speeddata_keeper_restarts_total",] == 16
    assert found["speeddata_service_up", "process", "pivot"] == 1
    assert found["speeddata_service_up", "process", "ingest"] == 0
    assert found["speeddata_log_lines_left_out_total", "process", "pivot"] == 19
    assert found["speeddata_archive_clock_step_seconds",] == -14
    assert found["speeddata_archive_degraded",] == found["speeddata_registry_degraded",] == 1
    assert found["speeddata_channel_packets_total", "channel", "x"] == 3
    assert found["speeddata_channel_last_packet_timestamp_seconds", "channel", "x"] == 1737640800
    assert found["speeddata_channel_ingested_records_total", "channel", "y"] == 21
    states = {key[4]: value for key, value in found.items() if key[0] == "speeddata_channel_state"}
    assert (len(states), sum(states.values()), states["active"]) == (7, 1, 1)


def test_fault_59_streams_that_cannot_be_sent_are_told(client: Any, launcher: Any, monkeypatch: Any) -> None:
    failing = ("speeddata_channel_stream_failing", "channel", "x", "stream")
    found = scraped(client)
    assert (found[*failing, "full_rate"], found[*failing, "decimated"]) == (0, 0)
    listed = launcher.list

    def broken(*arguments: Any, **options: Any) -> Any:
        told = listed(*arguments, **options)
        for one in told:
            if "stats" in one:
                one["stats"] |= {"decimate_error": "Network is down"}
        return told

    monkeypatch.setattr(launcher, "list", broken)
    found = scraped(client)
    assert (found[*failing, "full_rate"], found[*failing, "decimated"]) == (0, 1)


def test_a_channel_that_nothing_has_come_for_costs_nothing(client: Any) -> None:
    assert not [key for key in scraped(client) if "z" in key]


def test_while_the_keeper_is_away_nothing_is_told_of_relays(client: Any, launcher: Any) -> None:
    before = scraped(client)
    launcher.away = True
    found = scraped(client)
    assert found["speeddata_keeper_up",] == 0
    gone = {key[0] for key in before} - {key[0] for key in found}
    assert {"speeddata_channels", "speeddata_alarms_active", "speeddata_channel_state"} < gone
    assert not [key for key in found if "x" in key]
    assert found["speeddata_channel_ingested_records_total", "channel", "y"] == 21


def test_alarms_are_counted_by_level_where_all_can_be_asked_about(
    client: Any, launcher: Any, ingest: Any
) -> None:
    schema = {
        "type": "record", "name": "limited", "fields": [
            {"name": "time", "type": "long"},
            {"name": "value", "type": "double", "speeddata": {"limits": {"warn": [None, 5], "alarm": [None, 10]}}},
        ],
    }  # fmt: skip
    client.post(f"{API}/channels", json={"name": "hot", "port": 26071, "schema": schema})
    launcher.take("hot", 10**18, value=7.0)
    found = scraped(client)
    assert found["speeddata_alarms_active", "level", "warn"] == 1
    assert found["speeddata_alarms_active", "level", "alarm"] == 0
    ingest.deaf = True
    assert "speeddata_alarms_active" not in {key[0] for key in scraped(client)}


def numbers(told: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every number below, with the names that lead there."""
    if isinstance(told, dict):
        for key, value in told.items():
            yield from numbers(value, f"{path}.{key}" if path else key)
    elif isinstance(told, int | float) and not isinstance(told, bool):
        yield path, told


def test_every_number_of_the_archive_is_a_metric() -> None:
    keys = {metric.key for metric in TABLE}
    derived = {"archive.clock_step.held_s"}
    assert {key for key, _ in numbers({"archive": STATUS["archive"]})} - keys == derived


def test_every_number_of_what_is_ingested_is_a_metric_or_left_out_for_a_reason() -> None:
    keys = {metric.key for metric in TABLE} | set(LEFT_OUT)
    assert not {key for key, _ in numbers({"ingested": INGESTED})} - keys


def test_lines_of_a_name_follow_each_other_in_the_order_of_the_table(registry: Any, system: Any) -> None:
    told = [family.name for family in families(look(registry, system))]
    assert told == list(NAMES)
    text = write_families(families(look(registry, system)), PLAIN)
    heads = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert heads == [name for name in NAMES if name in heads]
