"""How channels are shown that have a relay, none, or none of their own."""

from typing import Any

from speeddata.registry.descriptions import describe_row, describe_run
from speeddata.registry.store import Channel

CHANNEL = Channel("x", 26000, None, "{}", "00", None, None, 3, "2025-01-01 00:00:00")
ALONE = Channel("x", None, None, "{}", "00", None, {"live": True}, None, "2025-01-01 00:00:00", 60)
SETTINGS = {
    "live": True, "framing": "plain", "sign": None, "decimation.factor": None, "decimation.algorithm": None,
    "decimation.enabled": True, "decimation.rate_hz": 50.0,
}  # fmt: skip
CONDITION = {"state": "active", "reason": "", "restarts": 0, "since": None}


def row(channel: Channel) -> dict[str, Any]:
    return describe_row(channel, SETTINGS, None, "/archive/x")


def test_a_channel_without_a_port() -> None:
    told = row(ALONE)
    assert (told["port"], told["pid"], told["multicast"], told["stats"]) == (None, None, None, None)
    assert (told["status"], told["state"], told["live"], told["ttl"]) == ("active", "ingest", True, 60)
    assert told["config"] == {"live": True}


def test_a_channel_that_does_not_run() -> None:
    told = row(CHANNEL) | describe_run(None, CONDITION | {"state": "stopped"})
    assert (told["status"], told["state"], told["pid"], told["stats"]) == (
        "registered",
        "stopped",
        None,
        None,
    )
    assert "config" not in told
    assert list(told) == list(row(CHANNEL))


def test_a_channel_that_runs() -> None:
    stats = {"since": 10**18, "heartbeat": 1737640800 * 10**9, "time_unit": "us", "last_packet": 10**18}
    told = row(CHANNEL) | describe_run({"pid": 7, "stats": stats}, CONDITION)
    assert (told["status"], told["pid"], told["time_unit"]) == ("active", 7, "us")
    assert told["last_heartbeat"] == "2025-01-23 14:00:00"
    assert told["stats"]["last_packet"] == told["stats"]["since"] == "2001-09-09T01:46:40Z"
    assert told["stats"]["durable_until"] is None


def test_the_revision_is_another_when_the_schema_is() -> None:
    other = Channel("x", 26000, None, '{"doc": ""}', "00", None, None, 3)
    assert row(CHANNEL)["revision"] != row(other)["revision"]
