"""A hub with real groups and real WebSocket connections, ticked by hand, and clients that sort what they are told."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from live import DEADLINE_S, EXAMPLE, Encoder, Sender, free_port
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from speeddata.schema import Schema
from speeddata.stripchart import frames
from speeddata.stripchart.catalogue import Address, ChannelInfo
from speeddata.stripchart.channel import LiveChannel
from speeddata.stripchart.hub import Hub
from speeddata.stripchart.receiver import Receiver
from speeddata.stripchart.server import attend

MS = 1_000_000
ENCODE = Encoder(EXAMPLE)


class Bench:
    """A hub, a group and its sender; its clock goes by what is sent, and by ticks of 50 ms."""

    def __init__(self) -> None:
        self.hub = Hub(partial(Receiver, interface="127.0.0.1"))
        self.now_s = 0.0
        self.group = ("239.255.46.1", free_port(socket.SOCK_DGRAM))
        self.sender = Sender(self.group)
        self.start = time.time_ns()
        self.sent = 0
        self.port = 0

    def info(
        self,
        name: str = "c",
        source: Address | None = None,
        revision: str = "1",
        full: Address | None = None,
        **schema: Any,
    ) -> ChannelInfo:
        parsed = Schema.parse({**EXAMPLE, **schema})
        return ChannelInfo(name, self.group, source, revision, None, parsed, full_group=full)

    def channel(self, name: str = "c") -> LiveChannel:
        return self.hub.streams.channels[name]

    def send(self, *values: float, sender: Sender | None = None, **more: Any) -> None:
        """Send a record per value of `ramp`, 10 ms apart."""
        for value in values:
            told = {"message": "m", "counter": self.sent, "sine_wave": 0.0, "square_wave": 0.0, "is_on": True}
            record = ENCODE(time=self.start + self.sent * 10 * MS, ramp=value, **told | more)
            (sender or self.sender).send(record)
            self.sent += 1

    def tick(self, count: int = 1) -> None:
        for _ in range(count):
            self.now_s += 0.05
            self.hub.tick(self.start + self.sent * 10 * MS, self.now_s)

    async def handle(self, connection: ServerConnection) -> None:
        # Small buffers, so that a client that stops reading shows soon.
        connection.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        await attend(self.hub, connection, lambda: self.now_s)

    def use(self, fields: list[dict[str, Any]]) -> Encoder:
        """Have the channel another schema; gives what encodes its records."""
        self.hub.apply([self.info(fields=fields)])
        return Encoder({**EXAMPLE, "fields": fields})


class Browser:
    """A client that sorts what it is told."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.told: list[dict[str, Any]] = []
        self.frames: list[frames.Frame] = []
        self.ids: dict[str, int] = {}

    async def ask(self, kind: str, *signals: str, window: float = 10, **more: Any) -> None:
        """Ask, and wait for the answer if there is one."""
        before = self.count("subscribed")
        message = {"type": kind, "signals": signals, "window": window, **more}
        await self.connection.send(json.dumps(message))
        if kind == "subscribe":
            await self.read(lambda: self.count("subscribed") > before)

    async def read(self, until: Callable[[], Any]) -> Any:
        async with asyncio.timeout(DEADLINE_S):
            while not until():
                self.take(await self.connection.recv())
        return until()

    def take(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.frames.append(frames.parse(message))
            return
        told = json.loads(message)
        self.told.append(told)
        if told["type"] == "subscribed":
            self.ids |= {signal["name"]: signal.get("id") for signal in told["signals"]}

    def count(self, kind: str) -> int:
        return len([told for told in self.told if told["type"] == kind])

    def last(self, kind: str) -> dict[str, Any] | None:
        return next((told for told in reversed(self.told) if told["type"] == kind), None)

    def values(self, name: str) -> list[float]:
        """All samples of a signal since its window was sent."""
        values: list[float] = []
        for frame in self.frames:
            for block in frame.blocks:
                if block.kind != frames.KIND_TIMES and block.id == self.ids.get(name):
                    values = [] if block.flags & frames.FLAG_RESET else values
                    values += block.data.tolist()
        return values

    def columns(self, name: str, width: float) -> dict[float, tuple[float, ...]]:
        """The columns of a signal that were sent since its window: first, min, max, last and count by their starts."""
        found: dict[float, tuple[float, ...]] = {}
        for frame in self.frames:
            axis = None
            for block in frame.blocks:
                if block.kind == frames.KIND_AXIS:
                    axis = block
                elif block.counts is not None and axis and axis.width == width and block.id == self.ids[name]:
                    found = {} if block.flags & frames.FLAG_RESET else found
                    rows = zip(axis.data.tolist(), block.data.T.tolist(), block.counts.tolist(), strict=True)
                    found |= {start: (*values, count) for start, values, count in rows}
        return found


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    async with serve(
        made.handle, "127.0.0.1", 0, compression=None, ping_interval=None, close_timeout=1
    ) as server:
        made.port = server.sockets[0].getsockname()[1]
        try:
            yield made
        finally:
            made.hub.close()
            made.sender.close()


@asynccontextmanager
async def browser(made: Bench, **options: Any) -> AsyncIterator[Browser]:
    address = f"ws://127.0.0.1:{made.port}"
    async with connect(
        address, compression=None, ping_interval=None, max_size=None, close_timeout=1, **options
    ) as it:
        yield Browser(it)


def scenario(test: Callable[[Bench, Browser], Awaitable[None]]) -> Callable[[], None]:
    """Run a scenario with a bench and one client."""

    async def run() -> None:
        async with bench() as made, browser(made) as one:
            await one.read(lambda: one.last("status"))
            await test(made, one)

    def test_scenario() -> None:
        asyncio.run(run())

    return test_scenario


async def settle(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.001)
