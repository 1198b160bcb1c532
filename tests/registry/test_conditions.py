"""How a channel fares, from what the keeper says and what is known beside."""

from pathlib import Path
from typing import Any

import pytest

from speeddata.registry.conditions import FAILED_AFTER, STATES, Fault, condition

NOW = 1_737_640_800 * 10**9
S = 10**9


def running(state: str = "active", **more: Any) -> dict[str, Any]:
    return {
        "state": state,
        "reason": "",
        "restarts": 2,
        "since": NOW - 100 * S,
        "last_packet": NOW - S,
        **more,
    }


@pytest.mark.parametrize(
    ("told", "state", "reason", "since"),
    [
        (running(), "active", "", "2025-01-23T13:58:20Z"),
        (running("degraded", reason="disk"), "degraded", "disk", "2025-01-23T13:58:20Z"),
        (running("starting"), "starting", "", "2025-01-23T13:58:20Z"),
        (
            running(last_packet=NOW - 11 * S),
            "idle",
            "no packet since 2025-01-23T13:59:49Z",
            "2025-01-23T13:59:49Z",
        ),
        (running(last_packet=None), "idle", "no packet has come", "2025-01-23T13:58:20Z"),
        # A relay that has just been started had no time to get any.
        (running(last_packet=None, since=NOW - 9 * S), "active", "", "2025-01-23T13:59:51Z"),
        (running(last_packet=NOW - 50 * S, since=NOW - 9 * S), "active", "", "2025-01-23T13:59:51Z"),
        # What else is the matter with it goes before that nothing comes.
        (running("degraded", reason="disk", last_packet=None), "degraded", "disk", "2025-01-23T13:58:20Z"),
        (running("backoff", reason="died", last_packet=None), "backoff", "died", "2025-01-23T13:58:20Z"),
    ],
)
def test_what_runs(told: Any, state: str, reason: str, since: str) -> None:
    found = condition(26000, told, None, "", 10, NOW)
    assert found == {"state": state, "reason": reason, "since": since, "restarts": 2}
    assert state in STATES


@pytest.mark.parametrize(
    ("port", "fault", "state", "reason"),
    [
        (26000, None, "stopped", "no keeper"),
        (26000, Fault("no port", NOW), "backoff", "no port"),
        (26000, Fault("no port", NOW, FAILED_AFTER - 1), "backoff", "no port"),
        (26000, Fault("no port", NOW, FAILED_AFTER), "failed", "no port"),
        (None, None, "ingest", ""),
    ],
)
def test_what_does_not(port: int | None, fault: Fault | None, state: str, reason: str) -> None:
    found = condition(port, None, fault, "no keeper", 10, NOW)
    assert (found["state"], found["reason"]) == (state, reason)


def test_a_keeper_of_before_tells_no_last_packet() -> None:
    told = running()
    del told["last_packet"]
    assert condition(26000, told, None, "", 1000, NOW)["state"] == "active"


@pytest.mark.parametrize(
    ("port", "told", "state"),
    [
        (26000, running(), "degraded"),
        (26000, running(last_packet=None), "degraded"),
        (None, None, "degraded"),
        # What else is the matter with it goes before that.
        (26000, running("backoff", reason="died"), "backoff"),
        (26000, None, "stopped"),
    ],
)
def test_fault_59_what_comes_by_http_and_is_not_sent_live_is_told(
    port: int | None, told: Any, state: str
) -> None:
    error = "not sent live, decimated: Network is down"
    found = condition(port, told, None, "no keeper", 10, NOW, error)
    assert found["state"] == state
    assert (found["reason"] == f"what comes by HTTP is {error}") == (state == "degraded")
    assert condition(port, told, None, "no keeper", 10, NOW, None)["state"] != "degraded"


def test_the_page_of_the_api_tells_of_each_state():
    text = Path(__file__).parents[2].joinpath("docs", "rest.md").read_text()
    told = text.partition("Further: `state` (")[2].partition(") with `reason`")[0]
    assert [state for state in STATES if f"`{state}`" not in told] == []
