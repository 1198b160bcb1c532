"""Runs queries: so many at a time, each with a deadline, none for a client that has left; repeated ones from a cache."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from speeddata.counted import counted
from speeddata.pivot.attendance import Attendance, Left, checker, stopping
from speeddata.pivot.outlet import PIECE, Outlet
from speeddata.pivot.problem import Problem
from speeddata.pivot.query import Engine
from speeddata.pivot.query_request import Asked, read_query
from speeddata.pivot.result import FORMATS, range_text, write_result
from speeddata.pivot.result_cache import Answer, ResultCache

__all__ = ["QueryLimits", "QueryService"]

T = TypeVar("T")

AHEAD_NS = 60_000_000_000  # how far the clock of a source may be ahead of ours
RETRY_S = 1
CACHE_BYTES = 64 << 20


@dataclass(frozen=True)
class QueryLimits:
    """What clients may ask for."""

    channels: int = 1000
    timeout_s: float = 60.0
    running: int = 4  # queries answered at a time
    admitted: int = 512  # and those that wait
    unsent: int = 256 << 20  # bytes of answers that are on their way
    stall_s: float = 15.0  # for how long a client may take nothing


class QueryService:
    """Takes a query from its parameters to the answer."""

    def __init__(
        self, engine: Engine, limits: QueryLimits | None = None, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self.engine = engine
        self.limits = limits or QueryLimits()
        self.cache = ResultCache(cache_bytes)
        self.admitted = 0  # requests that wait or are being answered
        self.unsent = 0  # bytes being sent
        self._attendance = Attendance("query", self.limits.running)

    def close(self) -> None:
        """Stop all that is under way; what is to come is refused."""
        self._attendance.close()

    async def query(self, params: Mapping[str, str], accept: str, left: Left) -> Response:
        """Answer a request; `left` tells whether the client has gone."""
        begun = time.perf_counter()
        answer = await self.run(lambda check: self._answer(params, accept, check), left)
        if self.unsent + answer.size > self.limits.unsent and self.unsent:
            raise self._too_many()
        self.unsent += answer.size
        taken_ms = (time.perf_counter() - begun) * 1e3
        return Pieces(answer, f"query;dur={taken_ms:.3f}", self._sent, self.limits.stall_s)

    async def run(self, work: Callable[[Callable[[], None]], T], left: Left) -> T:
        """Do something in a thread until its deadline, as long as the client waits for it."""
        if self._attendance.closing:
            raise stopping()
        if self.admitted >= self.limits.admitted:
            raise self._too_many()
        timeout_s = self.limits.timeout_s
        error = f"The query took longer than {timeout_s:g} s, ask for a shorter range or fewer signals"
        stop = self._attendance.begin()
        self.admitted += 1
        try:
            return await self._attendance.step(
                lambda: work(checker(stop)), stop, left, timeout_s, Problem(408, error)
            )
        finally:
            self.admitted -= 1
            self._attendance.end(stop)

    def _answer(self, params: Mapping[str, str], accept: str, check: Callable[[], None]) -> Answer:
        check()
        now_ns = time.time_ns()
        asked = read_query(
            params, accept, now_ns, self.limits.channels, lambda names: self.newest(names, now_ns, check)
        )
        # Before the records are read: what comes in between makes the answer count as outdated.
        token = self.engine.token(asked.query)
        answer = self.cache.get(asked.key, token)
        if answer is None:
            answer = self._made(asked, check)
            self.cache.put(asked.key, token, answer, asked.query.channels)
        return answer

    def _made(self, asked: Asked, check: Callable[[], None]) -> Answer:
        result = self.engine.run(asked.query, check)
        about = range_text(asked.query.start_ns, asked.query.end_ns)
        parts = tuple(_joined(write_result(result, about, asked.shape, check)))
        headers = []
        if result.damages:
            headers.append(
                ("x-speeddata-partial", f"{counted(result.damages, 'damaged place', '')} left out")
            )
        if result.cursor:
            headers.append(("x-speeddata-cursor", result.cursor))
        return Answer(parts, FORMATS[asked.shape.format], tuple(headers))

    def newest(self, names: Sequence[str], now_ns: int, check: Callable[[], None]) -> int | None:
        """The newest record; one far in the future, by a clock that is wrong, only where there is no other."""
        spans = []
        for channel in self.engine.channels(names).values():
            span = channel.look().span
            if span is not None and span[1] > now_ns + AHEAD_NS:
                near = channel.archive.newest(now_ns + AHEAD_NS, check)
                spans.append((near is not None, span[1] if near is None else near))
            elif span is not None:
                spans.append((True, span[1]))
        return max(spans)[1] if spans else None

    def _sent(self, size: int) -> None:
        self.unsent -= size

    def _too_many(self) -> Problem:
        return Problem(429, "Too many queries at once, try again later", {"retry-after": str(RETRY_S)})


class Pieces(Response):
    """Sends an answer; a client that does not take a piece in `stall_s` is left."""

    def __init__(self, answer: Answer, timing: str, done: Callable[[int], None], stall_s: float) -> None:
        headers = {"content-length": str(answer.size), "server-timing": timing, **dict(answer.headers)}
        super().__init__(media_type=answer.media_type, headers=headers)
        self._answer = answer
        self._done = done
        self._stall_s = stall_s

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        outlet = Outlet(receive, send, self._stall_s)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            for part in self._answer.parts[:-1]:
                await outlet.pass_on(part)
            await outlet.finish(*self._answer.parts[-1:])
        except TimeoutError:  # ending without the last message makes the server close the connection
            pass
        finally:
            outlet.close()
            self._done(self._answer.size)


def _joined(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Small parts together: each one costs a message."""
    small: list[bytes] = []
    size = 0
    for part in parts:
        small.append(part)
        size += len(part)
        if size >= PIECE:
            yield b"".join(small)
            small, size = [], 0
    yield b"".join(small)
