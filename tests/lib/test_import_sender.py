"""Sending records over HTTP: once, whatever happens on the way."""

import threading

import pytest
from import_server import import_server, wait_for

from speeddata.import_sender import HttpSender, SendError

SCHEMA = {"type": "record", "name": "r", "fields": [{"name": "time", "type": "long"}]}


@pytest.fixture
def server():
    with import_server() as running:
        running.channels["a"] = {"schema": SCHEMA}
        yield running


@pytest.fixture
def sender(server):
    made = HttpSender(server.address, patience_s=5)
    yield made
    made.close()


def test_a_batch_is_acknowledged(server, sender):
    assert not sender.append("a", "k1", b"\x02").repeated
    assert sender.append("a", "k1", b"\x02").repeated
    assert server.records("a") == [{"time": 1}]
    assert server.requests[0] == {"channel": ["a"], "key": ["k1"], "durability": ["block"], "live": ["false"]}


@pytest.mark.parametrize("status", [429, 503, 500])
def test_what_may_be_tried_again_is(status, server, sender):
    server.trouble = lambda number: (status, {"error": "busy", "retry_after": 0}) if number < 2 else None
    sender.append("a", "k", b"\x02")
    assert (len(server.requests), server.records("a")) == (3, [{"time": 1}])


def test_a_lost_answer_does_not_double(server, sender):
    server.loses = lambda number: number == 0
    assert sender.append("a", "k", b"\x02").repeated
    assert server.records("a") == [{"time": 1}]


@pytest.mark.parametrize(
    "answer",
    [
        (400, {"error": "no", "errors": [{"row": 3}]}),
        (409, {"error": "other"}),
        (413, {}),
        (404, {"error": "none"}),
    ],
)
def test_a_refusal_is_final(answer, server, sender):
    server.trouble = lambda _: answer
    with pytest.raises(
        SendError, match=f"'a' was refused \\({answer[0]}\\): {answer[1].get('error', 'no reason')}"
    ):
        sender.append("a", "k", b"\x02")
    assert len(server.requests) == 1


def test_patience_ends():
    sender = HttpSender("127.0.0.1:9", patience_s=0.0)
    with pytest.raises(SendError, match="does not answer"):
        sender.append("a", "k", b"")
    sender.close()


def test_waiting_can_be_ended(server, sender):
    server.trouble = lambda _: (503, {"error": "later", "retry_after": 100})
    said = []

    def send():
        with pytest.raises(SendError) as error:
            sender.append("a", "k", b"")
        said.append(str(error.value))

    thread = threading.Thread(target=send)
    thread.start()
    wait_for(lambda: server.requests, "a request")
    sender.stop()
    thread.join(20)
    assert said == ["stopped"]


@pytest.mark.parametrize("address", ["ftp://x", "http://", "//"])
def test_addresses_that_are_none(address):
    with pytest.raises(SendError, match="is no address"):
        HttpSender(address)


def test_segments_are_ended_where_that_can_be(server, sender):
    assert sender.seal("a b")
    assert server.sealed == ["a b"]
    away = HttpSender("http://127.0.0.1:9")
    assert not away.seal("a")
    away.close()
