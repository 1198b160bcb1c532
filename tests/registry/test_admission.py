"""How channels come in: on a port of their own choice or ours, for the first time or again."""

import socket
from typing import Any

import pytest

from speeddata.registry.channels import Registry
from speeddata.registry.problems import ApiProblem
from speeddata.registry.registration import Registration, read_registration

API = "/api/v1"
SCHEMA = {
    "type": "record",
    "name": "r",
    "fields": [{"name": "time", "type": "double"}, {"name": "v", "type": "float"}],
}
OTHER = {**SCHEMA, "fields": [SCHEMA["fields"][0], {"name": "w", "type": "float"}]}
BODY = {"name": "roof", "schema": SCHEMA}


@pytest.mark.parametrize("port", [{}, {"port": 0}, {"port": ""}, {"port": "0"}, {"port": 0.0}])
def test_a_channel_that_names_no_port_is_given_one(client: Any, port: dict[str, Any]) -> None:
    answer = client.post(f"{API}/channels", json=BODY | port)
    assert (answer.status_code, answer.json["port"], answer.json["pid"]) == (201, 9100, 10100)
    assert client.post(f"{API}/channels", json=BODY | {"name": "wall"}).json["port"] == 9101


def test_ports_that_others_have_are_passed_over(registry: Registry) -> None:
    registry.register(Registration("a", 9100, SCHEMA, None))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 9101))
        assert registry.register(read_registration(BODY)).channel.port == 9102


def test_a_port_that_is_taken_at_this_moment_is_passed_over(registry: Registry, launcher: Any) -> None:
    launcher.broken_ports = {9100, 9101}
    assert registry.register(read_registration(BODY)).channel.port == 9102
    assert [channel.name for channel in registry.store.channels()] == ["roof"]


def test_where_none_can_be_had_that_is_said(registry: Registry, launcher: Any) -> None:
    launcher.broken_ports = set(range(9100, 9110))
    with pytest.raises(ApiProblem, match="Failed to start relay") as caught:
        registry.register(read_registration(BODY))
    assert caught.value.status == 500
    registry.specs.use({**registry.relay, "ports.first": 9100, "ports.last": 9100})
    launcher.broken_ports = set()
    registry.register(Registration("a", 9100, SCHEMA, None))
    with pytest.raises(ApiProblem) as caught:
        registry.register(read_registration(BODY))
    assert (caught.value.status, caught.value.body["field"]) == (409, "port")
    assert "9100 to 9100" in caught.value.body["details"]
    assert [channel.name for channel in registry.store.channels()] == ["a"]


def test_a_device_that_boots_again_is_told_its_port(client: Any, launcher: Any) -> None:
    first = client.post(f"{API}/channels", json=BODY)
    again = client.post(f"{API}/channels", json=BODY | {"config": {"decimation": 7}})
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json["port"], again.json["pid"]) == (first.json["port"], first.json["pid"])
    assert again.json["message"] == "Channel 'roof' is registered already"
    # What somebody has changed since is not undone by it.
    assert "config" not in client.get(f"{API}/channels/roof").json
    # One that does not run is started.
    launcher.stop("roof")
    assert client.post(f"{API}/channels", json=BODY).json["pid"] == first.json["pid"]
    assert "roof" in launcher.specs


def test_another_schema_or_a_port_of_its_own_is_a_clash(client: Any) -> None:
    client.post(f"{API}/channels", json=BODY)
    for body in (
        BODY | {"schema": OTHER},
        BODY | {"port": 9100},
        BODY | {"port": 9150},
        BODY | {"port": None},
    ):
        answer = client.post(f"{API}/channels", json=body)
        assert answer.status_code == 409, body
    assert (
        client.post(f"{API}/channels", json=BODY | {"port": 9150}).json["error"]
        == "Channel name already registered"
    )


def test_a_device_may_come_with_a_former_version_of_a_framed_schema(client: Any) -> None:
    framed = BODY | {"config": {"framing": "single_object"}}
    client.post(f"{API}/channels", json=framed)
    newer = {**SCHEMA, "fields": [*SCHEMA["fields"], {"name": "x", "type": "int", "default": 0}]}
    assert client.post(f"{API}/channels/roof/schemas", json={"schema": newer}).status_code == 201
    for schema in (SCHEMA, newer):
        assert client.post(f"{API}/channels", json=framed | {"schema": schema}).status_code == 200
    assert client.post(f"{API}/channels", json=framed | {"schema": OTHER}).status_code == 409


def test_fault_38_no_more_relays_than_a_machine_can_hold(
    client: Any, registry: Registry, launcher: Any
) -> None:
    registry.specs.use({**registry.relay, "limits.relays": 2, "limits.channels": 4})
    assert [client.post(f"{API}/channels", json=BODY | {"name": f"r{n}"}).status_code for n in range(4)] == [
        201,
        201,
        409,
        409,
    ]
    refused = client.post(f"{API}/channels", json=BODY | {"name": "more"}).json
    assert (refused["error"], refused["limit"]) == ("Too many channels", 2)
    assert "relay.limits.relays is 2" in refused["details"]
    assert len(launcher.specs) == 2
    # Those without a relay cost little, and are counted apart.
    without = {"channels": [BODY | {"name": f"h{n}", "port": None} for n in range(3)]}
    assert client.post(f"{API}/channels/batch", json=without).status_code == 409
    without["channels"].pop()
    assert client.post(f"{API}/channels/batch", json=without).status_code == 200
    assert client.post(f"{API}/channels", json=BODY | {"name": "last", "port": None}).status_code == 409


def test_fault_68_a_million_channels_are_not_taken(client: Any) -> None:
    many = {"channels": [BODY | {"name": f"c{n}", "port": None} for n in range(10_001)]}
    refused = client.post(f"{API}/channels/batch", json=many)
    assert refused.status_code in (400, 413)
    assert client.get(f"{API}/channels?limit=5").json["total"] == 0


def test_a_relay_that_cannot_start_just_now_keeps_nobody_from_coming_back(client: Any, launcher: Any) -> None:
    client.post(f"{API}/channels", json=BODY)
    launcher.stop("roof")
    launcher.broken_ports = {9100}
    again = client.post(f"{API}/channels", json=BODY)
    assert (again.status_code, again.json["port"], again.json["pid"]) == (200, 9100, None)
    assert client.get(f"{API}/channels/roof").json["state"] == "backoff"
