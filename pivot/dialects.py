"""What the dialects of other systems share: errors as they tell them, times and numbers, answers sent a page at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import orjson
from fastapi import Request
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from speeddata.pivot.attendance import Attendance, checker
from speeddata.pivot.outlet import Outlet
from speeddata.pivot.problem import Problem
from speeddata.pivot.query import Engine
from speeddata.pivot.query_words import Check, Query, Series
from speeddata.pivot.request import read_stamp
from speeddata.pivot.result_cache import Answer, ResultCache
from speeddata.table import Array
from speeddata.times import format_time

__all__ = [
    "Reads",
    "invalid",
    "pages",
    "params",
    "plainly",
    "read_stamp",
    "refusal",
    "stamps",
    "tells_detail",
]

logger = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")
Rows = Iterator[list[dict[str, Any]]]
PAGE = 50_000  # records or buckets that are in memory at a time
WINDOW = 100_000  # buckets that are asked for at a time
EXACT = 10**15  # below this a whole number is written without a fraction
RETRY_S = 2
STALL_S = 15.0  # for how long a client may take nothing


def refusal(status: int, text: str) -> Problem:
    """An error as these systems tell it: `detail` beside our `error`."""
    return Problem(status, text, detail=text)


def invalid(place: str, name: str, text: str, value: Any = None) -> Problem:
    """A 422 as these systems tell it: `place` is query, path or body."""
    detail = [{"type": "value_error", "loc": [place, *name.split(".")], "msg": text, "input": _shown(value)}]
    return Problem(422, f"Invalid {name}: {text}", detail=detail, field=name)


def _shown(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float) else str(value)[:100]


def tells_detail(handler: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Make each error of a handler tell its `detail`."""

    @wraps(handler)
    async def told(*args: P.args, **named: P.kwargs) -> T:
        try:
            return await handler(*args, **named)
        except Problem as problem:
            problem.body.setdefault("detail", problem.body["error"])
            raise

    return told


def params(request: Request, *names: str) -> list[str]:
    """Query parameters that must be there."""
    given = request.query_params
    for name in names:
        if name not in given:
            raise invalid("query", name, "Field required")
    return [given[name] for name in names]


def stamps(times: Array) -> list[str]:
    """Times as ISO 8601 in UTC, with as many digits of a second as one of them needs."""
    units = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
    unit = next(unit for unit, ticks in units.items() if not (times % ticks).any())
    return [f"{text}Z" for text in np.datetime_as_string(times.astype("M8[ns]"), unit).tolist()]  # type: ignore[call-overload]


def plainly(values: Array) -> list[int | float | None]:
    """Numbers as JavaScript writes them: whole ones without a fraction; NaN is null."""
    return [
        None
        if value is None or value != value
        else int(value)
        if value.is_integer() and abs(value) < EXACT
        else value
        for value in np.ma.filled(np.ma.asarray(values, np.float64), np.nan).tolist()
    ]


def pages(engine: Engine, query: Query, check: Check) -> Iterator[Series]:
    """The answer to a query about one channel, a page at a time, however long it is."""
    if query.start_ns > query.end_ns:
        return
    if query.every is not None:
        for start_ns, end_ns in _windows(query):
            yield engine.run(replace(query, start_ns=start_ns, end_ns=end_ns), check).series[0]
        return
    cursor = None
    while True:
        result = engine.run(replace(query, limit=PAGE, cursor=cursor), check)
        yield result.series[0]
        cursor = result.cursor
        if cursor is None:
            return


def _windows(query: Query) -> Iterator[tuple[int, int]]:
    """Parts of a query's range that meet where buckets do."""
    assert query.every is not None
    if query.every.months:
        yield query.start_ns, query.end_ns
        return
    begin = int(query.every.edges(query.start_ns, query.start_ns)[0])
    step = query.every.width_ns * WINDOW
    at = query.start_ns
    while at <= query.end_ns:
        begin = max(begin + step, at + 1)
        yield at, min(begin - 1, query.end_ns)
        at = begin


class Reads:
    """Runs what reads for the dialects: so many at a time, none for a client that has left."""

    def __init__(
        self, cache: ResultCache | None = None, running: int = 4, admitted: int = 32, timeout_s: float = 60.0
    ) -> None:
        self.cache = cache
        self.admitted = 0
        self.timeout_s = timeout_s
        self.attendance = Attendance("dialect", running)
        self._most = admitted

    def close(self) -> None:
        """End what runs."""
        self.attendance.close()

    async def run(self, request: Request, work: Callable[[Check], T]) -> T:
        """Do one thing in a thread."""
        with self._admit() as reading:
            return await reading.step(lambda: work(reading.check), request)

    async def stream(
        self,
        request: Request,
        rows: Callable[[Check], Rows],
        around: tuple[str, str] = ("", ""),
        about: tuple[Engine, Query] | None = None,
    ) -> Response:
        """Answer the rows as a JSON list with something `around` it, sent as they are found.

        An answer of one page is kept, where it is told which query it is `about`, and given again as long as it is right.
        """
        reading = self._admit()
        try:
            kept = (
                _Kept(self.cache, request.url.path, *about)
                if self.cache is not None and about is not None and about[1].start_ns <= about[1].end_ns
                else None
            )
            if kept is not None and (known := await reading.step(kept.get)) is not None:
                reading.end()
                return Response(known, media_type="application/json")
            found = rows(reading.check)
            # What is wrong is told, if it can be, before the first byte is sent.
            first = await reading.step(lambda: next_page(found), request)
        except BaseException:
            reading.end()
            raise
        return _Pages(reading, found, first, around, kept)

    def _admit(self) -> "_Reading":
        if self.admitted >= self._most:
            raise Problem(429, "Too many queries at once, try again later", {"retry-after": str(RETRY_S)})
        return _Reading(self)


class _Kept:
    """The place of an answer in the result cache."""

    def __init__(self, cache: ResultCache, path: str, engine: Engine, query: Query) -> None:
        self._cache, self._engine, self._query = cache, engine, query
        every = query.every
        width = (
            f" every {every.months} months"
            if every and every.months
            else f" every {every.width_ns} ns"
            if every
            else ""
        )
        what = ",".join(query.aggregates or query.signals)
        span = f"{format_time(query.start_ns)}/{format_time(query.end_ns)}"
        self.key = f"{path} {','.join(query.channels)} {what} {span}{width}"
        self._token: int | None = None

    def get(self) -> bytes | None:
        """What is kept; None when nothing is, or the archive has changed since."""
        with suppress(Problem):  # of a channel that there is not
            self._token = self._engine.token(self._query)
            answer = self._cache.get(self.key, self._token)
            return b"".join(answer.parts) if answer else None
        return None

    def put(self, body: bytes) -> None:
        if self._token is not None:
            self._cache.put(self.key, self._token, Answer((body,), "application/json"), self._query.channels)


class _Reading:
    """One client's reading, from thread to thread."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._stop = reads.attendance.begin()
        self.check = checker(self._stop)
        self._ended = False
        reads.admitted += 1

    def __enter__(self) -> "_Reading":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._reads.admitted -= 1
            self._reads.attendance.end(self._stop)

    async def step(self, work: Callable[[], T], request: Request | None = None) -> T:
        """Do a part of it; with a request, as long as its client is there."""
        timeout_s = self._reads.timeout_s
        late = Problem(408, f"The query took longer than {timeout_s:g} s, ask for less at once")
        left = request.is_disconnected if request is not None else None
        return await self._reads.attendance.step(work, self._stop, left, timeout_s, late)


def next_page(rows: Rows) -> list[dict[str, Any]] | None:
    """The next rows that there are; None at the end."""
    return next((page for page in rows if page), None)


class _Pages(Response):
    """Sends rows as they are found, as long as the client takes them."""

    media_type = "application/json"

    def __init__(
        self,
        reading: _Reading,
        rows: Rows,
        first: list[dict[str, Any]] | None,
        around: tuple[str, str],
        kept: _Kept | None,
    ) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._reading, self._rows, self._first, self._around, self._kept = reading, rows, first, around, kept

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        outlet = Outlet(receive, send, STALL_S)
        work = asyncio.ensure_future(self._send(send, outlet))
        try:
            await asyncio.wait({outlet.gone, work}, return_when=asyncio.FIRST_COMPLETED)
            # Without its last message the server closes the connection, so that the client sees the answer break off.
            with suppress(TimeoutError):
                if work.done():
                    work.result()
        except Problem as problem:
            logger.warning("an answer broke off: %s", problem)
        finally:
            outlet.close()
            work.cancel()
            self._reading.end()

    async def _send(self, send: Send, outlet: Outlet) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        begin, end = self._around[0].encode() + b"[", b"]" + self._around[1].encode()
        page, before, pages = self._first, begin, 0
        self._first, whole = None, begin
        while page is not None:
            text = orjson.dumps(page)[1:-1]
            await outlet.pass_on(before + text)
            before, pages = b",", pages + 1
            whole = begin + text if pages == 1 else b""
            page = await self._reading.step(lambda: next_page(self._rows))
        await outlet.finish((b"" if pages else begin) + end)
        if self._kept is not None and pages < 2:
            self._kept.put(whole + end)
