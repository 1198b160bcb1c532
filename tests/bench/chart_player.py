"""Plays a live server to benchmarks of charts: their pages by HTTP, and frames of made signals by WebSocket, on one port.

    python -P tests/bench/chart_player.py

prints its address, and ends when its standard input does. A signal's name tells what it is: `raw2000.s3` comes as samples,
2,000 a second, `columns10000.s3` as columns of 10,000 samples a second, and `still.s3` never comes. All have the same values
in each run, are stamped by this machine's clock and are sent 20 times a second, and no rival's page gets other bytes.
"""

import asyncio
import json
import re
import sys
import time
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.asyncio.server import Request, Response, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed

from speeddata.stripchart import frames
from speeddata.stripchart.classes import width_ns

ROOT = Path(__file__).parents[2]
TICK_S = 0.05
HIDDEN_S = 1.0  # between frames to a page that nobody looks at
PERIOD_S = 10.24  # after which values repeat: whole columns of every class that is wide enough
SPAN = 10_240_000_000  # the same in ns
FOLDERS = {
    "/static/stripchart/": ROOT / "stripchart/static",
    "/node_modules/": ROOT / "build/bench/node_modules",
    "/": ROOT / "tests/bench/pages",
}
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
CHANNEL = re.compile(r"(raw|columns)([1-9]\d*)|still")
Floats = NDArray[np.float64]


@cache
def values(rate: int, signal: int) -> Floats:
    """A period of a signal, exact in float32: a wave, noise, and now and then a peak of one sample."""
    rng = np.random.default_rng([rate, signal])
    t = np.arange(round(rate * PERIOD_S)) / rate
    wave = np.sin(2 * np.pi * t * (signal + 1) / PERIOD_S) + 0.25 * np.sin(2 * np.pi * t * 64 / PERIOD_S)
    made = wave + rng.normal(0, 0.05, len(t))
    made[rng.integers(0, len(t), 4)] += 1.5
    return made.astype(np.float32).astype(np.float64)


class Stream:
    """What a channel has, whoever asks: samples by their number since 1970."""

    def __init__(self, name: str, number: int) -> None:
        found = CHANNEL.fullmatch(name)
        if not found:
            raise ValueError(f"channel {name!r}: wanted rawN, columnsN or still")
        self.name = name
        self.id = number
        self.rate = int(found[2] or 0)
        self.is_raw = found[1] != "columns"
        self.step_ns = 10**9 // self.rate if self.rate else 0

    def newest(self, now_ns: int) -> int:
        """Number of the sample after the last that there is."""
        return now_ns // self.step_ns if self.rate else 0

    def samples(self, signal: int, start: int, end: int) -> Floats:
        table = values(self.rate, signal)
        return table[np.arange(start, end) % len(table)]

    def blocks(self, ids: dict[int, int], start: int, end: int, width: int, flags: int = 0) -> list[bytes]:
        """Samples [start, end) of signals, by their ids; where it is served so, the columns that they touch."""
        if start >= end:
            return []
        if self.is_raw:
            times = frames.times_block(self.id, np.arange(start, end) * self.step_ns, flags)
            rows = (self.samples(number, start, end) for number in ids.values())
            return [times, *(frames.values_block(i, v, True, flags) for i, v in zip(ids, rows, strict=True))]
        per = width // self.step_ns
        numbers = np.arange(start // per, (end - 1) // per + 1)
        made = [frames.axis_block(self.id, numbers, width, flags)]
        broken = np.zeros(len(numbers), np.bool_)
        counts = np.minimum(end - numbers * per, per)
        for signal, number in ids.items():
            taken = self.samples(number, int(numbers[0]) * per, end)
            at = np.arange(len(numbers)) * per
            lows, highs = np.minimum.reduceat(taken, at), np.maximum.reduceat(taken, at)
            columns = np.array([taken[at], lows, highs, taken[at + counts - 1]])
            made.append(frames.columns_block(signal, columns, counts, broken, True, flags))
        return made


@dataclass
class Served:
    """The signals of one stream that a client watches, and how far it has them."""

    stream: Stream
    width: int
    position: int
    ids: dict[int, int] = field(default_factory=dict)  # number within the stream, by id


class Client:
    """One page."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection
        self.streams: dict[str, Stream] = {}
        self.served: dict[tuple[str, int], Served] = {}
        self.tick = 0
        self.is_hidden = False
        self.sent_at = 0.0

    async def tell(self, kind: str, **content: Any) -> None:
        await self.connection.send(json.dumps({"type": kind, **content}))

    async def run(self) -> None:
        await self.tell("hello", version=frames.VERSION, tick_ms=TICK_S * 1e3)
        ticking = asyncio.create_task(self.send_ticks())
        try:
            async for message in self.connection:
                await self.handle(json.loads(message))
        except ConnectionClosed:
            pass
        finally:
            ticking.cancel()

    async def handle(self, asked: dict[str, Any]) -> None:
        if asked["type"] == "report":
            self.is_hidden = asked["hidden"]
        elif asked["type"] == "subscribe":
            await self.subscribe(asked)

    async def subscribe(self, asked: dict[str, Any]) -> None:
        """Tell what the signals are, and send their windows."""
        width = width_ns(asked.get("columns", 20), None)
        groups: dict[str, dict[int, int]] = {}
        told = []
        for name in asked["signals"]:
            channel, _, path = name.partition(".s")
            stream = self.streams.setdefault(channel, Stream(channel, len(self.streams)))
            number = stream.id * 1000 + int(path)
            groups.setdefault(channel, {})[number] = int(path)
            told.append({
                "name": name, "id": number, "channel": channel, "feed": asked.get("feed", 0), "type": "float", "unit": "V",
                "number": True, "role": None, "raw": stream.is_raw, "width": width / 1e6,
            })  # fmt: skip
        await self.tell(
            "channels", channels=[{"name": s.name, "id": s.id, "signals": []} for s in self.streams.values()]
        )
        now = time.time_ns()
        lasting = {name: {"last": now / 1e6, "limit": 1e12} for name, s in self.streams.items() if not s.rate}
        await self.tell("status", channels=lasting, strays=0, clients=1)
        await self.tell("subscribed", signals=told)
        for channel, ids in groups.items():
            await self.send_window(self.streams[channel], ids, width, now, asked["window"])

    async def send_window(
        self, stream: Stream, ids: dict[int, int], width: int, now: int, window_s: float
    ) -> None:
        end = stream.newest(now)
        served = self.served.setdefault((stream.name, width), Served(stream, width, end))
        missing = stream.blocks(served.ids, served.position, end, width)
        served.position = end
        served.ids.update(ids)
        window = stream.blocks(ids, end - int(stream.rate * window_s), end, width, frames.FLAG_RESET)
        await self.send([*missing, *window])

    async def send_ticks(self) -> None:
        begun = time.monotonic()
        for number in range(sys.maxsize):
            await asyncio.sleep(max(0.0, begun + number * TICK_S - time.monotonic()))
            self.tick += 1
            now = time.time_ns()
            waits = (
                HIDDEN_S if self.is_hidden or not any(one.stream.rate for one in self.served.values()) else 0
            )
            if now / 1e9 - self.sent_at < waits or not self.served:
                continue
            made: list[bytes] = []
            for one in self.served.values():
                end = one.stream.newest(now)
                made += one.stream.blocks(one.ids, one.position, end, one.width)
                one.position = end
            await self.send(made)

    async def send(self, blocks: list[bytes]) -> None:
        self.sent_at = time.time()
        await self.connection.send(frames.frame(self.tick, self.sent_at * 1e3, blocks))


def page(_: ServerConnection, request: Request) -> Response | None:
    """Answer what is no WebSocket: files, isolated so that the browser gives them its finer clock."""
    if request.headers.get("Upgrade"):
        return None
    path = request.path.partition("?")[0]
    headers = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
    status, kind, body = HTTPStatus.NOT_FOUND, "text/plain", b"not found"
    if path == "/api/v1/tags":
        status, kind, body = HTTPStatus.OK, "application/json", b'{"tags": []}'
    for prefix, folder in FOLDERS.items():
        file = folder / path.removeprefix(prefix)
        if path.startswith(prefix) and file.is_file():
            status, kind, body = HTTPStatus.OK, TYPES.get(file.suffix, "text/plain"), file.read_bytes()
            break
    headers |= {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"}
    return Response(status, status.phrase, Headers(headers), body)


async def main() -> None:
    """Run it."""
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    loop.add_reader(sys.stdin, lambda: ended.done() or ended.set_result(sys.stdin.read(1)))
    server = await serve(
        lambda connection: Client(connection).run(), "127.0.0.1", 0, process_request=page, compression=None
    )
    async with server:
        print(f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}", flush=True)
        await ended


if __name__ == "__main__":
    asyncio.run(main())
