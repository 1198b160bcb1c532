"""Asyncio client of the shared relay, the process that archives what comes by other ways than UDP.

It listens on a Unix socket. A request is two lengths (of a JSON header and of a body) and both; the answer is a length and
JSON. One request at a time runs on a connection, so there is a pool of them. What the shared relay refuses is `Refused`; that
it cannot be reached, or was lost before it answered, is `StoreAway`.
"""

import asyncio
import contextlib
import os
import struct
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import orjson

__all__ = ["MAX_BODY", "Refused", "StoreAway", "StoreClient"]

MAX_BODY = 64 << 20  # bytes of the records of one request
MAX_ANSWER = 16 << 20
JOINED = 1 << 18  # bytes of a request that goes in one piece
OPENED = 4 << 20  # bytes of specs in one request
CONNECTIONS = 16
CONNECT_S = 2.0  # for how long a connection is tried, as the shared relay may just be starting anew
AGAIN_S = 0.1
ANSWER_S = 60.0
LENGTHS = struct.Struct("<II")
LENGTH = struct.Struct("<I")


class StoreAway(Exception):
    """The shared relay does not answer; `sent`: it may have done what it was asked all the same."""

    def __init__(self, message: str, sent: bool = False) -> None:
        self.sent = sent
        super().__init__(message)


class Refused(Exception):
    """The shared relay did not do what it was asked: a status as HTTP has it, and its whole answer."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = answer
        status = answer.get("status")
        self.status = status if isinstance(status, int) else 503
        super().__init__(str(answer.get("error", "refused without a reason")))


class _Line(asyncio.Protocol):
    """One connection: it takes one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.open = False
        self._waiting: asyncio.Future[bytes] | None = None
        self._parts: list[bytes] = []
        self._have = 0
        self._wanted: int | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by its type
        self.open = True

    def connection_lost(self, _: Exception | None) -> None:
        self._fail(StoreAway("the shared relay has ended the connection", sent=True))

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        self._have += len(data)
        if self._wanted is None and self._have >= LENGTH.size:
            data = b"".join(self._parts)
            self._parts = [data]
            self._wanted = LENGTH.size + LENGTH.unpack_from(data)[0]
        if self._wanted is None or self._have < self._wanted <= MAX_ANSWER:
            return
        answer = b"".join(self._parts)
        if self._waiting is None or len(answer) != self._wanted:
            self._fail(StoreAway("the shared relay answered what is no answer", sent=True))
            return
        waiting, self._waiting = self._waiting, None
        self._parts, self._have, self._wanted = [], 0, None
        if not waiting.done():
            waiting.set_result(answer)

    async def ask(self, pieces: Sequence[bytes]) -> bytes:
        """Send a request; give the answer with its length before it."""
        assert self.transport is not None
        assert self._waiting is None, "a connection takes one request at a time"
        waiting = self._waiting = asyncio.get_running_loop().create_future()
        if sum(map(len, pieces)) < JOINED:
            pieces = [b"".join(pieces)]
        self.transport.writelines(pieces)
        try:
            async with asyncio.timeout(ANSWER_S):
                answer: bytes = await waiting
                return answer
        except TimeoutError:
            raise StoreAway(f"the shared relay took longer than {ANSWER_S:g} s", sent=True) from None
        finally:
            if self._waiting is not None:  # what answers it would be taken for the answer to the next
                self._fail(StoreAway("given up", sent=True))

    def _fail(self, error: StoreAway) -> None:
        self.open = False
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_exception(error)
        if self.transport is not None:
            self.transport.abort()


class StoreClient:
    """Asks the shared relay that listens at `path`."""

    def __init__(self, path: Path, connections: int = CONNECTIONS) -> None:
        self.path = path
        self.connections = connections
        self._free: list[_Line] = []
        self._made = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    async def append(
        self,
        parts: Sequence[Mapping[str, Any]],
        body: Sequence[bytes],
        *,
        key: str | None = None,
        durability: str | None = None,
        live: bool | None = None,
    ) -> dict[str, Any]:
        """Have records archived, all or none; each part says `channel`, `schema`, `bytes`, `records`.

        The answer comes when they are written, or synced where that is the durability (None: the channels' own). `live`: whether
        they are sent live too (None: as the channels have it). Refused, StoreAway.
        """
        header = {"op": "append", "key": key, "durability": durability, "live": live, "parts": parts}
        return await self._ask(header, body)

    async def open(self, specs: Iterable[Mapping[str, Any]]) -> None:
        """Make channels known by their specs as the registry gives them."""
        group: list[orjson.Fragment] = []
        size = 0
        for spec in specs:
            packed = orjson.dumps(spec)
            if group and size + len(packed) > OPENED:
                await self._ask({"op": "open", "specs": group}, ())
                group, size = [], 0
            group.append(orjson.Fragment(packed))
            size += len(packed)
        if group:
            await self._ask({"op": "open", "specs": group}, ())

    async def seal(self, channel: str) -> list[str]:
        """End a channel's open segment; give the names of segments that are complete now."""
        answer = await self._ask({"op": "seal", "channel": channel}, ())
        return list(answer.get("segments", ()))

    async def stats(self) -> dict[str, Any]:
        """The counters of the shared relay."""
        return await self._ask({"op": "stats"}, ())

    def close(self) -> None:
        """Drop all connections that are free."""
        for line in self._free:
            line._fail(StoreAway("closed"))
        self._free.clear()

    async def _ask(self, header: Mapping[str, Any], body: Sequence[bytes]) -> dict[str, Any]:
        head = orjson.dumps(header)
        pieces = [LENGTHS.pack(len(head), sum(map(len, body))), head, *body]
        line = await self._take()
        try:
            data = await line.ask(pieces)
        finally:
            self._give_back(line)
        try:
            answer = orjson.loads(memoryview(data)[LENGTH.size :])
        except orjson.JSONDecodeError:
            raise StoreAway("the shared relay answered what is no JSON", sent=True) from None
        if not isinstance(answer, dict):
            raise StoreAway("the shared relay answered what is no object", sent=True)
        if not answer.get("ok"):
            raise Refused(answer)
        return answer

    async def _take(self) -> _Line:
        """A connection that nobody uses."""
        while True:
            while self._free:
                line = self._free.pop()
                if line.open:
                    return line
                self._made -= 1
            if self._made < self.connections:
                break
            turn = asyncio.get_running_loop().create_future()
            self._queue.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._wake()
                raise
        self._made += 1
        try:
            return await self._connect()
        except BaseException:
            self._made -= 1
            self._wake()
            raise

    def _give_back(self, line: _Line) -> None:
        if line.open:
            self._free.append(line)
        else:
            self._made -= 1
        self._wake()

    def _wake(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    async def _connect(self) -> _Line:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CONNECT_S
        while True:
            try:
                return await self._connect_once(loop)
            except OSError as error:
                if loop.time() + AGAIN_S > deadline:
                    raise StoreAway(f"the shared relay is away: {error.strerror or error}") from None
            await asyncio.sleep(AGAIN_S)

    async def _connect_once(self, loop: asyncio.AbstractEventLoop) -> _Line:
        # By way of a descriptor of the folder, as the whole path may be too long for an address.
        folder = os.open(self.path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _, line = await loop.create_unix_connection(_Line, f"/proc/self/fd/{folder}/{self.path.name}")
            return line
        finally:
            with contextlib.suppress(OSError):
                os.close(folder)
