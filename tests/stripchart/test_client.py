import itertools
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from live import EXAMPLE

from speeddata.schema import Schema
from speeddata.stripchart.catalogue import ChannelInfo, Making
from speeddata.stripchart.channel import RAW, LiveChannel
from speeddata.stripchart.client import Client
from speeddata.stripchart.signals import LiveSignal
from speeddata.stripchart.streams import find
from speeddata.stripchart.subscription import SIGNALS_MAX, Request

MS = 1_000_000
ARRAY = {"name": "wave", "type": {"type": "array", "items": "double"}}


class Channels:
    """Where signals are looked up: one channel, or none."""

    def __init__(self, *channels: LiveChannel) -> None:
        self.channels = {channel.info.name: channel for channel in channels}

    def find(self, name: str, stream: str) -> LiveSignal | str:
        assert stream == "live"
        return find(name, self.channels)

    def channel_of(self, signal: LiveSignal, stream: str) -> LiveChannel:
        assert stream == "live"
        return self.channels[signal.channel]


@pytest.fixture
def client() -> Client:
    transport = SimpleNamespace(get_write_buffer_size=lambda: 7)
    connection: Any = SimpleNamespace(transport=transport, remote_address=("127.0.0.1", 5))
    return Client(connection, 3)


@pytest.fixture
def channel() -> LiveChannel:
    schema = Schema.parse({**EXAMPLE, "fields": [*EXAMPLE["fields"], ARRAY]})
    making = Making(20 * MS, has_pairs=True)
    info = ChannelInfo("c", ("239.255.45.1", 1), None, "1", None, schema, making=making)
    return LiveChannel(info, itertools.count(1))


@pytest.fixture
def channels(channel: LiveChannel) -> Channels:
    return Channels(channel)


NONE = Channels()


def ask(*names: str, window: float = 10.0, **more: Any) -> Request:
    return Request("subscribe", names, window, **{"feed": 0, "columns_per_s": None, "stream": "live"} | more)


def fill(channel: LiveChannel, count: int, step_ms: int) -> None:
    times = np.arange(count) * step_ms * MS
    channel._samples.gaps(times)
    channel.ring.append(times, np.zeros((channel.ring.rows, count)))


def send_windows(client: Client) -> list[tuple[int, list[str]]]:
    """Take all windows as sent; give how each is served and what is in it."""
    found = []
    while window := client.next_window(8):
        client.window_sent(window)
        found.append((window.key[1], [signal.path for signal in window.signals]))
    assert not client.awaited
    return found


def test_each_name_is_answered_once(client: Client, channels: Channels) -> None:
    answer = client.subscribe(ask("c.ramp", "ramp", "c.nothing", "c.ramp"), channels)
    assert [told["name"] for told in answer] == ["c.ramp", "ramp", "c.nothing"]
    assert answer[0]["id"] == answer[1]["id"]
    assert (answer[0]["feed"], answer[0]["width"], answer[0]["raw"], answer[0]["arrays"]) == (
        0,
        0,
        True,
        False,
    )
    assert answer[2] == {"feed": 0, "name": "c.nothing", "error": "no such signal: c.nothing"}
    assert send_windows(client) == [(RAW, ["ramp"])]


def test_names_that_come_later_are_told(client: Client, channels: Channels) -> None:
    client.subscribe(ask("c.ramp"), NONE)
    assert client.find_again(NONE) == []
    (told,) = client.find_again(channels)
    assert (told["name"], told["unit"], told["number"]) == ("c.ramp", None, True)
    (gone,) = client.find_again(NONE)
    assert gone["error"] == "no such signal: c.ramp"


def test_columns_are_of_the_class_that_is_asked_for(client: Client, channels: Channels) -> None:
    (told,) = client.subscribe(ask("c.ramp", columns_per_s=10.0), channels)
    assert (told["width"], told["raw"]) == (160, False)
    (told,) = client.subscribe(ask("c.ramp", columns_per_s=1e5, feed=1), channels)
    assert (told["feed"], told["width"]) == (1, 20)
    assert sorted(send_windows(client)) == [(20 * MS, ["ramp"]), (160 * MS, ["ramp"])]


def test_few_samples_come_as_they_are_until_they_are_many(
    client: Client, channels: Channels, channel: LiveChannel
) -> None:
    fill(channel, 20, step_ms=100)
    (told,) = client.subscribe(ask("c.ramp", columns_per_s=10.0), channels)
    assert (told["width"], told["raw"]) == (160, True)
    assert send_windows(client) == [(RAW, ["ramp"])]
    assert not client.has_outgrown()
    channel._samples.gaps(2000 * MS + np.arange(20) * 50 * MS)
    assert not client.has_outgrown()
    channel._samples.gaps(4000 * MS + np.arange(20) * 10 * MS)
    assert client.has_outgrown()
    (told,) = client.find_again(channels)
    assert (told["width"], told["raw"]) == (160, False)
    assert send_windows(client) == [(160 * MS, ["ramp"])]
    assert not client.has_outgrown()


def test_arrays_come_row_by_row_where_they_are_asked_for(client: Client, channels: Channels) -> None:
    told = client.subscribe(ask("c.wave", "c.ramp", arrays=True), channels)
    assert [(one["arrays"], one["number"]) for one in told] == [(True, False), (False, True)]
    assert len(send_windows(client)) == 2
    assert [watched.ids for watched in client.watched.values()] == [(told[0]["id"],), (told[1]["id"],)]


def test_windows_of_a_kind_share_a_frame(client: Client, channels: Channels, channel: LiveChannel) -> None:
    client.subscribe(ask("c.ramp", "c.counter", "c.message"), channels)
    client.subscribe(ask("c.sine_wave", window=60.0), channels)
    client.subscribe(ask("ramp", window=30.0, feed=1), channels)
    assert send_windows(client) == [(RAW, ["ramp"]), (RAW, ["counter"]), (RAW, ["sine_wave"])]
    client.subscribe(ask(*(f"c.{path}" for path in channel.by_path), window=60.0), channels)
    first = client.next_window(3)
    assert first
    assert len(first.signals) == 3
    second = client.next_window(3)
    assert second
    assert [signal.path for signal in second.signals] == ["square_wave", "is_on"]


def test_what_is_no_longer_asked_for_is_not_served(client: Client, channels: Channels) -> None:
    told = client.subscribe(ask("c.ramp", "ramp", "c.counter"), channels)
    send_windows(client)
    (watched,) = client.watched.values()
    assert watched.ids == tuple(sorted({one["id"] for one in told}))
    client.unsubscribe(ask("c.ramp"))
    assert len(watched.ids) == 2
    client.unsubscribe(ask("ramp", "c.counter", feed=1))
    assert len(watched.ids) == 2
    client.unsubscribe(ask("ramp"))
    assert watched.ids == (told[2]["id"],)
    client.unsubscribe(ask("c.counter", "what was never asked for"))
    assert (client.watched, client.wants) == ({}, {})


def test_the_past_is_asked_for_as_far_as_windows_reach(
    client: Client, channels: Channels, channel: LiveChannel
) -> None:
    assert client.reach() == {}
    client.subscribe(ask("c.message", "nothing", window=600.0), channels)
    assert client.reach() == {}
    client.subscribe(ask("c.ramp", window=20.0), channels)
    assert client.reach() == {channel: (20.0, RAW)}
    client.subscribe(ask("c.counter", window=90.0, columns_per_s=10.0), channels)
    client.subscribe(ask("c.counter", window=30.0, columns_per_s=20.0, feed=1), channels)
    assert client.reach() == {channel: (90.0, 80 * MS)}
    fill(channel, 10, 20)
    send_windows(client)
    client.ask_again(channel, int(60e9))
    assert list(client.awaited) == [(0, "c.counter")]


def test_there_is_a_limit_to_what_one_asks_for(client: Client, channels: Channels) -> None:
    client.subscribe(ask(*(f"x{n}" for n in range(SIGNALS_MAX))), channels)
    client.subscribe(ask("x0"), channels)
    told = client.subscribe(ask("x1", "y", "z" * 513), channels)
    assert [one["name"] for one in told] == ["x1", "y", "z" * 513]
    assert [one["error"] for one in told] == [
        "no such signal: x1",
        "more than 1024 signals for one client",
        "a name of 513 characters, and at most 512 are taken",
    ]
    assert len(client.wants) == SIGNALS_MAX


def test_texts_are_told_when_they_change(client: Client, channels: Channels, channel: LiveChannel) -> None:
    client.subscribe(ask("c.message", "c.ramp"), channels)
    assert client.news() is None
    for text, version in (("a", 1), ("b", 5)):
        channel.texts["message"], channel.versions["message"] = text, version
        news = client.news()
        assert news
        assert json.loads(news) == {"type": "latest", "values": {"c.message": text}}
        assert client.news() is None


def test_what_the_status_tells(client: Client, channels: Channels) -> None:
    client.subscribe(ask("c.ramp"), channels)
    client.subscribe(ask("c.ramp", feed=2), channels)
    client.note_sent(100)
    told = client.to_json(0.0)
    expected = {"id": 3, "address": "127.0.0.1:5", "signals": 1, "frames": 1, "bytes": 100, "unsent": 7}
    assert told | expected == told
