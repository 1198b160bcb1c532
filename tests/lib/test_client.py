"""The client of the registration API, on a system that wants a token."""

import copy
import json
import socket

import pytest
import requests
import segments as made
import system
from line import wait_until
from ports import free_port

from speeddata import RegistryError, SpeedDataClient
from speeddata.errors import SchemaError, SpeedDataError, TokenError


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    folder = tmp_path_factory.mktemp("client")
    (folder / "config").mkdir()
    (folder / "config" / "engine.avsc").write_text(json.dumps(made.SCHEMA))
    ports = ("--set", "relay.ports.first=28100", "--set", "relay.ports.last=28199")  # those of nobody else
    access = ("--set", "global.access.required=true")
    with system.run(folder / "data", f"--config={folder / 'config'}", *access, *ports) as started:
        yield started


@pytest.fixture(scope="module")
def url(running):
    return f"http://127.0.0.1:{running.api_port}/api/v1/"


@pytest.fixture
def client(running, url, monkeypatch):
    monkeypatch.setenv("SPEEDDATA_TOKEN_FILE", str(running.data / "run" / "token"))
    client = SpeedDataClient(url)
    yield client
    client.close()


def state(client, name):
    return client.get_channel(name)["state"]


def test_defaults():
    client = SpeedDataClient()
    assert client.base_url == "http://localhost:8080/api/v1"
    assert isinstance(client.session, requests.Session)
    assert "Usage:" in SpeedDataClient.__doc__


def test_calls_of_0_6(client):
    port = free_port()
    answer = client.register_channel("old", port, "config/engine.avsc", {"decimation": 5})
    assert (answer["status"], answer["name"], answer["port"]) == ("success", "old", port)
    assert answer["message"] == "Channel 'old' registered and relay started"
    assert [(one["name"], one["port"]) for one in client.list_channels(status="active")] == [("old", port)]
    assert client.list_channels(status="registered") == client.list_channels("nosuch") == []
    told = client.get_channel("old")
    assert (told["pid"], told["schema_path"], told["config"]) == (
        answer["pid"], "config/engine.avsc", {"decimation": 5})  # fmt: skip
    assert client.get_channel("nosuch") is None
    with pytest.raises(requests.HTTPError, match="409 Channel name already registered") as caught:
        client.register_channel("old", free_port(), "engine.avsc")
    assert caught.value.response.status_code == 409
    assert client.deregister_channel("old") is True
    assert client.deregister_channel("old") is False


def test_a_refusal_tells_its_field_and_details(client):
    with pytest.raises(RegistryError) as caught:
        client.register_channel("x", 99999, made.SCHEMA)
    error = caught.value
    assert (error.status, error.field, error.told["value"]) == (400, "port", 99999)
    assert isinstance(error, SpeedDataError)
    assert error.details in str(error)
    assert "wanted" in error.details
    with pytest.raises(RegistryError, match="wanted schema") as caught:
        client.register_channel("x")
    assert (caught.value.field, caught.value.told["missing"]) == ("schema", ["schema"])


def test_an_answer_that_is_not_of_the_api_is_told_too(running, client):
    client.base_url = f"http://127.0.0.1:{running.api_port}/elsewhere"
    with pytest.raises(RegistryError, match="404"):
        client.list_channels()


def test_a_device_gets_a_port_and_the_same_again(client):
    first = client.register_channel("device", schema_path=made.SCHEMA)
    assert first["port"] > 0
    assert client.register_channel("device", 0, made.SCHEMA)["port"] == first["port"]
    with socket.socket(type=socket.SOCK_DGRAM) as source:
        source.sendto(b"x", ("127.0.0.1", first["port"]))
    wait_until(lambda: client.get_channel("device")["sources"], "a packet")
    assert client.register_channel("by-http", None, made.SCHEMA)["port"] is None


def test_a_lease_runs_out_and_is_renewed(client):
    assert client.register_channel("leased", schema_path=made.SCHEMA, ttl=1)["ttl"] == 1
    wait_until(lambda: client.get_channel("leased")["pid"] is None, "the end of the lease")
    client.change_channel("leased", {"ttl": 60})
    assert client.renew_channel("leased")["ttl"] == 60
    wait_until(lambda: state(client, "leased") == "active", "the channel again")
    client.register_channel("unleased", schema_path=made.SCHEMA)
    with pytest.raises(RegistryError, match="409 Channel has no lease"):
        client.renew_channel("unleased")


def test_a_channel_is_changed_while_it_runs(client):
    pid = client.register_channel("changed", schema_path=made.SCHEMA)["pid"]
    told = client.change_channel("changed", {"decimation": {"factor": 7}})
    assert (told["decimation"]["factor"], told["pid"]) == (7, pid)
    with pytest.raises(RegistryError) as caught:
        client.change_channel("changed", {"decimation": {"factor": -1}})
    assert (caught.value.status, caught.value.field) == (400, "decimation.factor")
    assert client.change_channel("changed", {"decimation": None})["decimation"]["factor"] != 7


def test_a_version_that_is_not_compatible_takes_force(client):
    client.register_channel("versions", None, made.SCHEMA)
    other = copy.deepcopy(made.SCHEMA)
    other["fields"].append({"name": "load", "type": "double"})  # without a default
    with pytest.raises(RegistryError, match="409") as caught:
        client.add_schema("versions", other)
    assert "load" in caught.value.details
    assert client.add_schema("versions", other, force=True)["version"] == 2


def test_events_come_page_by_page(client, monkeypatch):
    for _ in range(3):
        client.register_channel("told", None, made.SCHEMA)
        client.deregister_channel("told")
    monkeypatch.setattr("speeddata.client.PAGE", 4)
    events = list(client.events("channel", "told"))
    assert [one["event"] for one in events] == ["deregistered", "registered"] * 3
    assert list(client.events("channel", "told", limit=5)) == events[:5]
    assert list(client.events(limit=0)) == []
    with pytest.raises(RegistryError, match="Invalid kind"):
        next(client.events("weather"))


def test_the_token_is_of_a_file_of_the_variable_or_given(running, url, monkeypatch, tmp_path):
    monkeypatch.delenv("SPEEDDATA_TOKEN_FILE", raising=False)
    file = running.data / "run" / "token"
    with pytest.raises(RegistryError) as caught:
        SpeedDataClient(url).list_channels()
    assert caught.value.status == 401
    for given in ({"token_file": file}, {"token": file.read_text().strip()}):
        client = SpeedDataClient(url, **given)
        assert isinstance(client.list_channels(), list)
        client.close()
    with pytest.raises(TokenError, match="no such file"):
        SpeedDataClient(url, token_file=tmp_path / "nosuch").list_channels()


def test_no_secret_is_in_an_address_or_an_error(running, url):
    with pytest.raises(ValueError, match="must hold no secret"):
        SpeedDataClient("http://me:secret@127.0.0.1:8080/api/v1")
    with pytest.raises(ValueError, match="not both"):
        SpeedDataClient(token="x", token_file="y")
    client = SpeedDataClient(url, token="secret")
    with pytest.raises(RegistryError) as caught:
        client.list_channels()
    client.close()
    assert caught.value.status == 401
    assert "secret" not in f"{caught.value} {caught.value.response.url} {running.said()}"


def test_upload_schema_reads_a_local_file(tmp_path):
    path = tmp_path / "engine.avsc"
    path.write_text(json.dumps(made.SCHEMA))
    told = SpeedDataClient().upload_schema("engine", path)
    assert told["schema"] == made.SCHEMA
    assert (told["name"], told["record"], told["time_unit"]) == ("engine", "speeddata.example.data", "ns")
    assert told["signals"] == ["time", "counter", "voltage", "message"]
    path.write_text("{")
    with pytest.raises(json.JSONDecodeError):
        SpeedDataClient().upload_schema("engine", path)
    path.write_text("{}")
    with pytest.raises(SchemaError):
        SpeedDataClient().upload_schema("engine", path)
    with pytest.raises(FileNotFoundError):
        SpeedDataClient().upload_schema("engine", tmp_path / "nosuch")
