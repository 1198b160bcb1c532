"""How channels are shown that have a relay, none, or none of their own."""

from typing import Any

import pytest

from speeddata.registry.descriptions import Fault, condition, describe
from speeddata.registry.store import Channel

CHANNEL = Channel("x", 26000, None, "{}", "00", None, None, 3, "2025-01-01 00:00:00")
ALONE = Channel("x", None, None, "{}", "00", None, None, None, "2025-01-01 00:00:00")
RUNNING: dict[str, Any] = {
    "pid": 7,
    "state": "degraded",
    "reason": None,
    "restarts": 2,
    "since": 10**18,
    "stats": None,
}
SETTINGS = {
    "live": True, "framing": "plain", "decimation.factor": None, "decimation.algorithm": None,
    "decimation.enabled": True, "decimation.rate_hz": 50.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("channel", "running", "fault", "state", "reason"),
    [
        (CHANNEL, RUNNING, None, "degraded", ""),
        (CHANNEL, None, Fault("no port", 10**18), "backoff", "no port"),
        (CHANNEL, None, None, "stopped", "no keeper"),
        (ALONE, None, None, "ingest", ""),
    ],
)
def test_states(channel: Channel, running: Any, fault: Fault | None, state: str, reason: str) -> None:
    told = condition(channel.port, running, fault, "no keeper")
    assert (told["state"], told["reason"]) == (state, reason)


def test_a_channel_without_a_port() -> None:
    counts = {"records": 5}
    told = describe(ALONE, None, {"state": "ingest"}, SETTINGS, None, counts, 1, "/archive/x")
    assert (told["port"], told["pid"], told["multicast"], told["stats"]) == (None, None, None, None)
    assert (told["status"], told["ingested"], told["live"]) == ("active", counts, True)
