"""The body of an ingest request: received within limits of size and time, and unpacked within a limit of size."""

import asyncio
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from math import inf

import zstandard
from starlette.types import Message, Receive

from speeddata.pivot.problem import Problem

__all__ = ["BodyLimits", "ClientGone", "Gate", "Incoming", "receive_body", "unpack_body"]

MAX_WINDOW = 64 << 20  # bytes that a zstd frame may look back
RETRY_S = 1
CODINGS = ("identity", "gzip", "zstd")


@dataclass(frozen=True)
class BodyLimits:
    """What a client may send."""

    bytes: int = 64 << 20  # of a body, as it is sent and as it is unpacked
    text: int = 32 << 20  # the same of JSON and CSV, which take a multiple of that to read
    stall_s: float = 15.0  # for how long nothing may come
    rate: float = 8192.0  # bytes a second, on the average, after the first stall_s
    requests: int = 64  # at a time
    held: int = 256 << 20  # bytes of bodies, at a time
    drain_s: float = 5.0  # for how long what is still sent is thrown away, so that the client reads why


class ClientGone(Exception):
    """The client has left before the end of its body."""


class Gate:
    """Counts the requests that are being worked on and the bytes of their bodies; over the limits it is a 429."""

    def __init__(self, limits: BodyLimits) -> None:
        self.limits = limits
        self.requests = 0
        self.held = 0

    def enter(self) -> None:
        if self.requests >= self.limits.requests:
            raise busy()
        self.requests += 1

    def hold(self, count: int) -> None:
        """Reckon with so many more bytes."""
        if self.held + count > self.limits.held:
            raise busy()
        self.held += count

    def leave(self, held: int) -> None:
        self.requests -= 1
        self.held -= held


def busy() -> Problem:
    """Too much is under way."""
    return Problem(429, "Too much is being ingested at once, try again later", {"retry-after": str(RETRY_S)})


async def receive_body(
    receive: Receive, length: int | None, most: int, limits: BodyLimits, hold: Callable[[int], None]
) -> bytes:
    """Receive a body of at most `most` bytes, of `length` where that was said; `hold` is told of bytes before they are kept."""
    if length is not None and length > most:
        raise too_large(most)
    loop = asyncio.get_running_loop()
    began = loop.time()
    pieces: list[bytes] = []
    size = 0
    while True:
        try:
            async with asyncio.timeout(limits.stall_s):
                message = await receive()
        except TimeoutError:
            raise Problem(408, f"The body did not go on for {limits.stall_s:g} s") from None
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > most:
            raise too_large(most)
        hold(len(piece))
        if piece:
            pieces.append(piece)
        if not message.get("more_body", False):
            return pieces[0] if len(pieces) == 1 else b"".join(pieces)
        late = loop.time() - began - limits.stall_s
        if late > 0 and size < late * limits.rate:
            raise Problem(408, f"The body comes slower than {limits.rate:g} bytes a second")


class Incoming:
    """The messages of a request; `more` says whether some of its body may be on the way."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.more = True

    async def __call__(self) -> Message:
        message = await self._receive()
        self.more = message["type"] == "http.request" and bool(message.get("more_body", False))
        return message

    async def drain(self, seconds: float, most: float = inf) -> None:
        """Throw away what a client still sends: it may read an answer only when it has sent all."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.more and most > 0:
                    most -= len((await self()).get("body", b""))


def too_large(limit: int) -> Problem:
    """More than a body may be."""
    return Problem(413, f"The body is larger than {limit} bytes", limit=limit, hint="send smaller batches")


def unpack_body(data: bytes, coding: str | None, limit: int) -> bytes:
    """Undo the Content-Encoding of a body, which must then have at most `limit` bytes."""
    coding = (coding or "identity").strip().lower()
    if coding in ("identity", ""):
        return data
    try:
        if coding in ("gzip", "x-gzip"):
            return _gunzip(data, limit)
        if coding == "zstd":
            return _unpack_zstd(data, limit)
    except (zlib.error, zstandard.ZstdError) as error:
        raise Problem(400, f"The body is not {coding}: {str(error)[:200]}") from None
    raise Problem(
        415,
        "Unsupported content encoding",
        {"accept-encoding": ", ".join(CODINGS)},
        value=coding[:100],
        wanted=f"one of {', '.join(CODINGS)}",
    )


def _gunzip(data: bytes, limit: int) -> bytes:
    out: list[bytes] = []
    left = limit
    while data:
        member = zlib.decompressobj(31)
        piece = member.decompress(data, left + 1)
        left -= len(piece)
        if left < 0:
            raise too_large(limit)
        if not member.eof:
            raise zlib.error("it is cut off")
        out.append(piece)
        data = member.unused_data
    return b"".join(out)


def _unpack_zstd(data: bytes, limit: int) -> bytes:
    """One frame. What it says of its size, if anything, is looked at first: that much would be reserved."""
    told = zstandard.frame_content_size(data)
    if told > limit:
        raise too_large(limit)
    packer = zstandard.ZstdDecompressor(max_window_size=MAX_WINDOW)
    if told < 0:
        with packer.stream_reader(data) as reader:
            if len(reader.read(limit + 1)) > limit:
                raise too_large(limit)
    frame = packer.decompressobj()
    out: bytes = frame.decompress(data)
    if not frame.eof or frame.unused_data:
        raise zstandard.ZstdError("it is not one whole frame")
    return out
