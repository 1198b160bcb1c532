"""The server as a process, from the registry's HTTP to the WebSocket."""

import asyncio
import contextlib
import json
import math
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hub_bench import bench, browser
from live import DEADLINE_S, EXAMPLE, Encoder, Framed, LiveProcess, Registry, Sender, free_port, running
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from speeddata.stripchart import frames
from speeddata.stripchart.server import tick

ENCODE = Encoder(EXAMPLE)


def record(value: float) -> bytes:
    told = {"message": "m", "counter": 0, "ramp": 0.0, "square_wave": 0.0, "is_on": True}
    return ENCODE(time=time.time_ns(), sine_wave=value, **told)


@pytest.fixture
def registry() -> Iterator[Registry]:
    with contextlib.closing(Registry()) as opened:
        yield opened


@pytest.fixture
def sender(registry: Registry) -> Iterator[Sender]:
    group = ("239.255.47.1", free_port(socket.SOCK_DGRAM))
    registry.add("example", EXAMPLE, group)
    with contextlib.closing(Sender(group)) as opened:
        yield opened


@pytest.fixture
def server(registry: Registry, sender: Sender) -> Iterator[tuple[LiveProcess, int]]:
    registry.channels["example"]["source"] = sender.source
    with running(registry) as started:
        yield started


@pytest.fixture
def client(server: tuple[LiveProcess, int]) -> Iterator[ClientConnection]:
    with connect(f"ws://127.0.0.1:{server[1]}", compression=None) as connection:
        yield connection


def receive(connection: ClientConnection, kind: str) -> dict[str, Any]:
    """Give the next JSON message of a kind."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        message = connection.recv(timeout=max(0.01, deadline - time.monotonic()))
        if isinstance(message, str) and json.loads(message)["type"] == kind:
            return dict(json.loads(message))


def records(sender: Sender) -> Callable[[float], None]:
    """Sends a record of a value."""
    return lambda value: sender.send(record(value))


def read_to_the_end(connection: ClientConnection) -> None:
    while True:
        connection.recv(timeout=DEADLINE_S)


def receive_values(
    connection: ClientConnection, signal_id: int, count: int, send: Callable[[float], None]
) -> list[float]:
    """Send numbers and give those that arrive, until `count` of them have."""
    values: list[float] = []
    deadline = time.monotonic() + DEADLINE_S
    sent = 0
    while len(values) < count:
        send(sent)
        sent += 1
        with contextlib.suppress(TimeoutError):
            message = connection.recv(timeout=0.02)
            if isinstance(message, bytes):
                for block in frames.parse(message).blocks:
                    if block.kind == frames.KIND_FLOAT64 and block.id == signal_id:
                        values += [value for value in block.data.tolist() if not math.isnan(value)]
        assert time.monotonic() < deadline, f"only {values} came"
    return values


def subscribe(connection: ClientConnection, name: str) -> int:
    """Subscribe; wait until the channel is known to the server."""
    connection.send(json.dumps({"type": "subscribe", "signals": [name], "window": 10}))
    while True:
        (told,) = receive(connection, "subscribed")["signals"]
        if "id" in told:
            return int(told["id"])


def test_from_multicast_to_websocket(client: ClientConnection, sender: Sender) -> None:
    values = receive_values(client, subscribe(client, "example.sine_wave"), 20, records(sender))
    assert values == [values[0] + n for n in range(len(values))]


def test_framed_packets_of_all_versions(registry: Registry, client: ClientConnection) -> None:
    first = {**EXAMPLE, "name": "framed"}
    newer = {**first, "fields": [*EXAMPLE["fields"], {"name": "more", "type": "double"}]}
    group = ("239.255.47.3", 5003)
    registry.add("framed", first, group, framing="single_object", schemas=1)
    number = subscribe(client, "framed.sine_wave")
    told = {"message": "m", "counter": 0, "ramp": 0.0, "square_wave": 0.0, "is_on": True, "more": 1.0}
    with contextlib.closing(Sender(group)) as sender:

        def send(encode: Framed) -> Callable[[float], None]:
            return lambda value: sender.send(encode(time=time.time_ns(), sine_wave=value, **told))

        values = receive_values(client, number, 5, send(Framed(first)))
        assert values == [values[0] + n for n in range(len(values))]
        registry.add_version("framed", newer)
        while (again := receive(client, "subscribed")["signals"][0]["id"]) == number:
            pass
        for encode in (Framed(newer), Framed(first)):
            values = receive_values(client, again, 8, send(encode))
            falls = [n for n in range(1, len(values)) if values[n] < values[n - 1]]
            values = values[falls[0] if falls else 0 :]  # without what was on its way from before
            assert len(values) > 3
            assert values == [values[0] + n for n in range(len(values))]


def test_limits_of_before_are_told(registry: Registry, client: ClientConnection) -> None:
    def add(alarm: float, created_at: str) -> None:
        level = {"name": "level", "type": "double", "speeddata": {"limits": {"alarm": [None, alarm]}}}
        schema = {"type": "record", "name": "r", "fields": [{"name": "time", "type": "long"}, level]}
        registry.add("tank", schema, ("239.255.47.4", 5004))
        registry.channels["tank"]["created_at"] = created_at

    def told() -> dict[str, Any]:
        while True:
            for channel in receive(client, "channels")["channels"]:
                if channel["name"] == "tank":
                    return dict(channel["signals"][1])

    add(5, "2026-01-01 00:00:00")
    assert told()["limits"]["alarm"] == [None, 5]
    registry.remove("tank")
    add(7, "2026-01-01 00:01:00")
    limits = told()
    while limits["limits"]["alarm"] == [None, 5]:
        limits = told()
    ended_ms = 1767225660_000
    former = {"warn": [None, None], "alarm": [None, 5]}
    assert (limits["limits"]["alarm"], limits["former_limits"]) == ([None, 7], [[ended_ms, former]])


def test_channels_that_come_and_go_are_told(registry: Registry, client: ClientConnection) -> None:
    names = {"example"}
    while {channel["name"] for channel in receive(client, "channels")["channels"]} != names:
        pass
    registry.add("second", EXAMPLE, ("239.255.47.2", 5002))
    told = receive(client, "channels")["channels"]
    assert [channel["name"] for channel in told] == ["example", "second"]
    registry.remove("example")
    assert [channel["name"] for channel in receive(client, "channels")["channels"]] == ["second"]


def test_live_goes_on_while_the_registry_is_away(
    registry: Registry, client: ClientConnection, sender: Sender
) -> None:
    number = subscribe(client, "example.sine_wave")
    registry.close()
    assert len(receive_values(client, number, 60, records(sender))) >= 60


def test_fault_72_who_takes_nothing_for_too_long_is_closed_and_told_why() -> None:
    async def run() -> None:
        stop = asyncio.Event()
        async with bench() as made, browser(made) as one:
            await one.read(lambda: one.last("status"))
            made.hub.given_up.extend(made.hub.clients)
            ticking = asyncio.create_task(tick(made.hub, stop))
            async with asyncio.timeout(DEADLINE_S):
                await one.connection.wait_closed()
            stop.set()
            await ticking
            reason = "too slow: nothing was taken for 30 s"
            assert (one.connection.close_code, one.connection.close_reason) == (1013, reason)

    asyncio.run(run())


def test_sigterm_closes_cleanly(server: tuple[LiveProcess, int], client: ClientConnection) -> None:
    receive(client, "hello")
    assert server[0].stop() == 0
    with pytest.raises(ConnectionClosed) as closed:
        read_to_the_end(client)
    assert closed.value.rcvd
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "the live server is stopping")


def test_strangers_do_not_disturb(server: tuple[LiveProcess, int], client: ClientConnection) -> None:
    for content in (b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01rubbish\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server[1]), timeout=DEADLINE_S) as stranger:
            stranger.sendall(content)
    receive(client, "status")
    assert not [line for line in server[0].lines if "Traceback" in line]
