import itertools
import json
from types import SimpleNamespace
from typing import Any

import pytest
from live import EXAMPLE

from speeddata.schema import Schema
from speeddata.stripchart.catalogue import ChannelInfo
from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.client import BUFFER_HIGH, BUFFER_LOW, Client
from speeddata.stripchart.subscription import SIGNALS_MAX, Request, RequestError


class Buffer:
    """The transport of a connection, as far as a client looks at it."""

    def __init__(self) -> None:
        self.size = 0

    def get_write_buffer_size(self) -> int:
        return self.size


@pytest.fixture
def buffer() -> Buffer:
    return Buffer()


@pytest.fixture
def client(buffer: Buffer) -> Client:
    connection: Any = SimpleNamespace(transport=buffer)
    return Client(connection)


@pytest.fixture
def channels() -> dict[str, LiveChannel]:
    info = ChannelInfo("c", ("239.255.45.1", 1), None, "1", None, Schema.parse(EXAMPLE))
    return {"c": LiveChannel(info, itertools.count(1))}


def subscribe(*names: str) -> Request:
    return Request("subscribe", names, 10.0)


def test_a_full_buffer_makes_it_lag_until_it_is_half_empty(client: Client, buffer: Buffer) -> None:
    taken = []
    for size in (0, BUFFER_HIGH, BUFFER_HIGH + 1, BUFFER_LOW + 1, BUFFER_LOW, BUFFER_LOW + 1):
        buffer.size = size
        taken.append(client.can_take())
    assert taken == [True, True, False, False, True, True]
    assert client.merged == 2


def test_each_name_is_answered_once(client: Client, channels: dict[str, LiveChannel]) -> None:
    answer = client.handle(subscribe("c.ramp", "ramp", "c.nothing", "c.ramp"), channels)
    assert [told["name"] for told in answer] == ["c.ramp", "ramp", "c.nothing"]
    assert answer[0]["id"] == answer[1]["id"]
    assert answer[2] == {"name": "c.nothing", "error": "no such signal: c.nothing"}
    assert list(client.awaited) == ["c.ramp", "ramp", "c.nothing"]


def test_names_that_come_later_are_told(client: Client, channels: dict[str, LiveChannel]) -> None:
    client.handle(subscribe("c.ramp"), {})
    assert client.find_again({}) == []
    (told,) = client.find_again(channels)
    assert (told["name"], told["unit"], told["number"]) == ("c.ramp", None, True)
    (gone,) = client.find_again({})
    assert gone["error"] == "no such signal: c.ramp"


def test_what_is_no_longer_asked_for_is_not_served(client: Client, channels: dict[str, LiveChannel]) -> None:
    client.handle(subscribe("c.ramp", "ramp", "c.counter"), channels)
    signals = [channels["c"].by_path[path] for path in ("ramp", "counter")]
    client.served(channels["c"], signals)
    (watched,) = client.watched.values()
    assert watched.key == tuple(sorted(signal.id for signal in signals))
    client.handle(Request("unsubscribe", ("c.ramp",), 1.0), channels)
    assert len(watched.key) == 2  # still asked for under its other name
    client.handle(Request("unsubscribe", ("ramp", "never.asked"), 1.0), channels)
    assert watched.key == (signals[1].id,)
    client.handle(Request("unsubscribe", ("c.counter",), 1.0), channels)
    assert client.watched == {}


def test_a_client_cannot_ask_for_ever_more(client: Client, channels: dict[str, LiveChannel]) -> None:
    client.handle(subscribe(*[f"c.{n}" for n in range(SIGNALS_MAX)]), channels)
    with pytest.raises(RequestError, match="at most 1024"):
        client.handle(subscribe("c.one_more"), channels)
    client.handle(subscribe("c.1"), channels)


def test_texts_are_told_when_they_change(client: Client, channels: dict[str, LiveChannel]) -> None:
    channel = channels["c"]
    client.handle(subscribe("c.message", "message", "c.ramp"), channels)
    assert client.news(channels) is None
    channel.texts["message"], channel.versions["message"] = "word", 1
    assert json.loads(client.news(channels) or "")["values"] == {"c.message": "word", "message": "word"}
    assert client.news(channels) is None
    channel.texts["message"], channel.versions["message"] = "other", 2
    assert json.loads(client.news(channels) or "")["values"]["message"] == "other"
