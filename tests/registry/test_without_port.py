"""Channels without a UDP port, whose records come by HTTP alone."""

from typing import Any

import pytest

from speeddata.relay.spec import ChannelSpec

API = "/api/v1"
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "data",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "value", "type": "double"},
    ],
}


def body(**changes: Any) -> dict[str, Any]:
    """A registration with a port."""
    return {"name": "x", "port": 9170, "schema": SCHEMA} | changes


def test_a_channel_without_a_port_has_no_relay(client: Any, launcher: Any, monkeypatch: Any) -> None:
    answer = client.post(f"{API}/channels", json=body() | {"port": None})
    assert (answer.status_code, answer.json["pid"], answer.json["port"]) == (201, None, None)
    assert answer.json["message"] == "Channel 'x' registered"
    assert launcher.specs == {}
    channel = client.get(f"{API}/channels/x").json
    assert (channel["state"], channel["port"], channel["live"]) == ("ingest", None, True)
    assert channel["multicast"]["full_rate"]["port"] > 0
    # Whatever else runs on this machine has no ports for now.
    monkeypatch.setattr("speeddata.registry.routes_ports.bound_ports", lambda _: set())
    assert client.get(f"{API}/ports/available").json["count"] == 1001
    assert client.post(f"{API}/channels", json=body() | {"port": None}).status_code == 409
    assert client.delete(f"{API}/channels/x").status_code == 200
    assert client.get(f"{API}/channels/x").status_code == 404


@pytest.mark.parametrize("port", [0, "", "0"])
def test_a_channel_has_no_port_only_on_purpose(client: Any, port: Any) -> None:
    assert client.post(f"{API}/channels", json=body() | {"port": port}).json["port"] == 9100
    assert client.post(f"{API}/channels", json=body(name="y") | {"port": False}).json["field"] == "port"


def test_the_spec_is_what_a_relay_is_told(client: Any, launcher: Any) -> None:
    client.post(f"{API}/channels", json=body())
    assert client.get(f"{API}/channels/x/spec").json == launcher.specs["x"] | {"live": True, "sources": None}
    client.post(f"{API}/channels", json=body(name="y", config={"live": False}) | {"port": None})
    spec = client.get(f"{API}/channels/y/spec").json
    assert (spec["port"], spec["multicast"], spec["live"]) == (None, None, False)
    assert spec["rotation"]["seconds"] == 86400
    assert ChannelSpec.from_json(spec).name == "y"
    assert client.get(f"{API}/channels/z/spec").status_code == 404


def test_a_channel_without_a_port_takes_versions_though_it_is_plain(client: Any) -> None:
    client.post(f"{API}/channels", json=body() | {"port": None})
    second = {**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "more", "type": "int", "default": 0}]}
    answer = client.post(f"{API}/channels/x/schemas", json={"schema": second})
    assert (answer.status_code, answer.json["pid"], answer.json["version"]) == (201, None, 2)
    spec = client.get(f"{API}/channels/x/spec").json
    assert (len(spec["versions"]), len(spec["schema"]["fields"])) == (1, 3)


def test_channels_with_live_streams_are_listed(client: Any) -> None:
    client.post(f"{API}/channels", json=body(config={"live": False}))
    for name, live in (("y", True), ("z", False)):
        client.post(f"{API}/channels", json=body(name=name, config={"live": live}) | {"port": None})
    assert [one["name"] for one in client.get(f"{API}/channels?live=true").json["channels"]] == ["x", "y"]
    assert len(client.get(f"{API}/channels?live=false").json["channels"]) == 3
    assert client.get(f"{API}/channels?live=1").status_code == 400


class ToldIngest:
    """Stands for the shared relay."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def counts(self) -> dict[str, Any]:
        return {"x": {"records": 7}}

    def forget(self, name: str) -> None:
        self.forgotten.append(name)


def test_what_came_by_http_is_shown_and_ended(client: Any, registry: Any) -> None:
    registry.ingest = registry.catalogue.ingest = ToldIngest()
    client.post(f"{API}/channels", json=body())
    assert client.get(f"{API}/channels/x").json["ingested"] == {"records": 7}
    client.delete(f"{API}/channels/x")
    assert registry.ingest.forgotten == ["x"]


def test_fault_59_a_channel_without_a_port_that_is_not_sent_live_is_degraded(
    client: Any, ingest: Any, monkeypatch: Any
) -> None:
    client.post(f"{API}/channels", json=body() | {"port": None})
    error = "not sent live (decimated): no interface has the address 10.80.0.1"
    monkeypatch.setattr(ingest, "counts", lambda: {"x": {"records": 1, "live_error": error}})
    channel = client.get(f"{API}/channels/x").json
    assert (channel["state"], channel["reason"]) == ("degraded", f"what comes by HTTP is {error}")
    monkeypatch.setattr(ingest, "counts", lambda: {"x": {"records": 2, "live_error": None}})
    channel = client.get(f"{API}/channels/x").json
    assert (channel["state"], channel["reason"]) == ("ingest", "")
