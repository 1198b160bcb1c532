"""Channels asked for and made at the registry."""

import pytest
from import_server import import_server

from speeddata.import_channels import Channels
from speeddata.import_sender import SendError

SCHEMA = {"type": "record", "name": "r", "fields": [{"name": "time", "type": "long"}]}


@pytest.fixture
def server():
    with import_server() as running:
        yield running


@pytest.fixture
def channels(server):
    made = Channels(server.address)
    yield made
    made.close()


def test_channels_are_made_and_found(server, channels):
    assert channels.find(["a"]) == {"a": None}
    channels.make(["a"], SCHEMA, "s")
    channels.make(["b", "c"], SCHEMA, "ms")
    found = channels.find(["a", "c", "d"])
    assert (found["a"][1], found["c"][1], found["d"]) == ("s", "ms", None)
    assert server.channels["b"]["config"] == {"live": False, "time_unit": "ms"}


def test_a_unit_that_the_schema_states_is_not_repeated(server, channels):
    stated = {
        **SCHEMA,
        "fields": [{"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}}],
    }
    channels.make(["a"], stated, "ns")
    assert server.channels["a"]["config"] == {"live": False}
    assert channels.find(["a"])["a"][1] == "ns"


def test_the_history_service_is_told(server, channels):
    assert channels.history() == server.address
    server.get = lambda _: (200, {"pivot": None})
    with pytest.raises(SendError, match="--history"):
        channels.history()


def test_the_data_folder_is_told_or_not(server, channels):
    assert channels.instance() == server.instance
    for answer in ((200, {"status": "ok"}), (404, {"error": "Not found"}), (200, [])):
        server.get = lambda _, answer=answer: answer
        assert channels.instance() == ""


def test_refusals_and_silence_are_told(server, channels):
    server.post = lambda *_: (409, {"error": "taken", "details": "by b"})
    with pytest.raises(SendError, match=r"\(409\): taken; by b"):
        channels.make(["a"], SCHEMA, "s")
    server.post = lambda *_: (200, {"refused": [{"name": "a", "error": "no"}]})
    with pytest.raises(SendError, match="'a' was not made: no"):
        channels.make(["a", "b"], SCHEMA, "s")
    away = Channels("127.0.0.1:9/api/v1/")
    assert away.address == "http://127.0.0.1:9/api/v1"
    with pytest.raises(SendError, match="does not answer"):
        away.find(["a"])
    away.close()
