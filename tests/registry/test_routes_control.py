"""Changing, restarting and validating channels over HTTP."""

import socket
from typing import Any

import pytest
from ports import free_port

from speeddata.registry.catalogue import Page
from speeddata.registry.routes_channels import answer_channels

API = "/api/v1"
ITEM = {"name": "x", "port": 26070, "schema": "agents/example.avsc"}


@pytest.fixture
def channel(client: Any) -> Any:
    assert client.post(f"{API}/channels", json=ITEM | {"config": {"live": False}}).status_code == 201


@pytest.mark.usefixtures("channel")
def test_decimation_is_changed_for_the_relay_and_for_good(client: Any, registry: Any, launcher: Any) -> None:
    answer = client.patch(f"{API}/channels/x", json={"decimation": {"algorithm": "rms", "rate_hz": 20}})
    assert answer.status_code == 200
    wanted = {"enabled": True, "algorithm": "rms", "factor": None, "rate_hz": 20}
    assert answer.json["decimation"] == launcher.specs["x"]["decimation"] == wanted
    assert registry.find("x").config == {"live": False, "decimation": {"algorithm": "rms", "rate_hz": 20}}
    answer = client.patch(f"{API}/channels/x", json={"decimation": None})
    assert answer.json["config"] == {"live": False}
    assert launcher.specs["x"]["decimation"]["algorithm"] == "minmax"


@pytest.mark.usefixtures("channel")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"port": 26071}, "port"),
        ({"decimation": {"factor": "many"}}, "decimation.factor"),
        ({"decimation": {"algorithm": "downsample"}}, "decimation.factor"),
    ],
)
def test_a_change_that_cannot_be_is_refused(client: Any, registry: Any, body: Any, field: str) -> None:
    answer = client.patch(f"{API}/channels/x", json=body)
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert registry.find("x").config == {"live": False}


@pytest.mark.usefixtures("channel")
def test_a_change_that_the_relay_does_not_make_is_not_made(client: Any, registry: Any, launcher: Any) -> None:
    launcher.away = True
    answer = client.patch(f"{API}/channels/x", json={"decimation": 5})
    assert (answer.status_code, answer.json["error"]) == (500, "Failed to change channel")
    assert registry.find("x").config == {"live": False}


@pytest.mark.usefixtures("channel")
def test_a_channel_that_does_not_run_is_changed_for_when_it_does(client: Any, launcher: Any) -> None:
    del launcher.specs["x"]
    assert client.patch(f"{API}/channels/x", json={"decimation": 5}).json["decimation"]["factor"] == 5
    client.post(f"{API}/channels/x/restart")
    assert launcher.specs["x"]["decimation"]["factor"] == 5


def test_a_channel_without_a_port_has_the_shared_relay_told(
    client: Any, registry: Any, monkeypatch: Any
) -> None:
    client.post(f"{API}/channels", json=ITEM | {"port": None})
    told: list[Any] = []
    monkeypatch.setattr(registry.ingest, "use", told.append, raising=False)
    assert client.patch(f"{API}/channels/x", json={"decimation": 5}).status_code == 200
    assert [(spec["name"], spec["decimation"]["factor"]) for spec in told] == [("x", 5)]
    answer = client.post(f"{API}/channels/x/restart")
    assert (answer.status_code, answer.json["error"]) == (409, "Channel has no relay of its own")


@pytest.mark.usefixtures("channel")
def test_a_relay_is_restarted_with_the_spec_it_has(client: Any, launcher: Any, monkeypatch: Any) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(launcher, "replace", lambda name, spec=None: asked.append((name, spec)) or 77)
    answer = client.post(f"{API}/channels/x/restart")
    message = "Relay of channel 'x' replaced"
    assert answer.json == {"status": "success", "name": "x", "pid": 77, "message": message}
    assert asked == [("x", None)]


@pytest.mark.usefixtures("channel")
def test_a_relay_that_cannot_be_restarted_says_why(client: Any, launcher: Any) -> None:
    launcher.away = True
    answer = client.post(f"{API}/channels/x/restart")
    assert (answer.status_code, answer.json["error"]) == (500, "Failed to restart relay process")
    assert "no keeper" in answer.json["details"]


@pytest.mark.parametrize(("method", "path"), [("patch", ""), ("post", "/restart")])
def test_a_channel_that_there_is_not(client: Any, method: str, path: str) -> None:
    answer = getattr(client, method)(f"{API}/channels/nosuch{path}", json={"port": 1})
    assert (answer.status_code, answer.json["error"]) == (404, "Channel not found")


def test_a_registration_is_looked_at_and_not_made(client: Any, registry: Any) -> None:
    answer = client.post(f"{API}/channels/validate", json=ITEM | {"port": free_port(socket.SOCK_DGRAM)})
    assert (answer.status_code, answer.json["valid"]) == (200, True)
    assert registry.store.get("x") is None


def test_many_channels_are_told_whatever_their_names_hold(client: Any) -> None:
    """What is quick does not take every text that JSON does."""
    with client.application.app_context():
        for folder in ("/archive/x", "/archive/\udcff"):
            told = answer_channels(Page([{"archive": folder}], 1)).json
            assert told == {"channels": [{"archive": folder}], "total": 1, "next": None}
