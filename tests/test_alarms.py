"""Alarms in the whole system: over UDP and HTTP, acknowledged over REST, there again when the system is."""

import copy
from pathlib import Path
from typing import Any

from limited import LIMITED, Sending
from line import wait_until
from ports import free_port
from store_client import NUMBERED, StoreClient, part
from system import System

BY_HTTP: dict[str, Any] = copy.deepcopy(NUMBERED)
BY_HTTP["fields"][2]["speeddata"] = {"limits": {"warn": [None, 10]}}  # the value of record n is n / 2


def listed(system: System, query: str = "") -> dict[tuple[str, str], dict[str, Any]]:
    """What is listed, by signal and side."""
    return {(one["signal"], one["side"]): one for one in system.get(f"/alarms{query}")["alarms"]}


def append(system: System, first: int) -> None:
    """A record that comes by HTTP and is sent live."""
    with StoreClient(system.data / "run" / "ingest.sock") as client:
        client.ask({"op": "open", "spec": system.get("/channels/h/spec")})
        assert client.append([part("h", first, 1)], live=True)["ok"]


def check_refusal(system: System) -> None:
    """Limits that cannot be used are the usual error of a registration."""
    wrong = copy.deepcopy(LIMITED)
    wrong["fields"][2]["speeddata"]["limits"] = {"max": 5}
    status, answer = system.ask(
        "POST", "/api/v1/channels", {"name": "w", "port": free_port(), "schema": wrong}
    )
    assert (status, answer["error"], answer["field"]) == (400, "Invalid schema", "schema: value")
    assert "unknown key 'max'" in answer["details"]


def test_alarms_and_acknowledgements_outlive_the_system(tmp_path: Path) -> None:
    system = System(tmp_path / "data", "--only=relay")
    try:
        system.start()
        check_refusal(system)
        port = free_port()
        system.register("test", port, LIMITED)
        assert (
            system.ask("POST", "/api/v1/channels", {"name": "h", "port": None, "schema": BY_HTTP})[0] == 201
        )
        wait_until(
            lambda: system.get("/alarms") == {"alarms": [], "unchecked": []}, "both relays that answer"
        )
        with Sending(port) as source:
            source.send(0.0, 12.0, 0.0, -6.0)
            append(system, 30)
            before = wait_until(
                lambda: (found := listed(system)) and len(found) == 3 and found, "three alarms"
            )
            assert {key: one["state"] for key, one in before.items()} == {
                ("test.value", "high"): "returned",
                ("test.value", "low"): "active",
                ("h.value", "high"): "active",
            }
            asked = {"signals": [before["test.value", "low"], "h.value"], "by": "ann", "note": "seen"}
            status, answer = system.ask("POST", "/api/v1/alarms/acknowledge", asked)
            assert (status, len(answer["acknowledged"]), answer["instead"]) == (200, 2, [])
            before = listed(system)
            system.stop()
            system.start()
            after = wait_until(
                lambda: (found := listed(system)) and len(found) == 3 and found, "three alarms"
            )
            assert after == before
            assert [one["by"] for one in after.values()].count("ann") == 2
            source.send(0.0, -20.0)
            append(system, 0)
            wait_until(lambda: ("h.value", "high") not in listed(system), "the return")
            low = wait_until(
                lambda: not (one := listed(system)["test.value", "low"])["acknowledged"] and one, "a rise"
            )
            assert (low["count"], low["worst"], low["level"]) == (1, -20.0, "alarm")
            assert listed(system)["test.value", "high"] == before["test.value", "high"]
    finally:
        system.stop()
