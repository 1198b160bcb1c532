"""Runs exports: so many at a time, each with a deadline, none for a client that has left."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from starlette.responses import Response

from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.download import Download
from speeddata.pivot.export import Export, Stopped, checker, export_hdf5, sweep, temporary_folder
from speeddata.pivot.problem import Problem
from speeddata.pivot.request import (
    ExportRequest,
    Limits,
    read_channels,
    read_range,
    read_signals,
    require_span,
)

__all__ = ["Exporter"]

POLL_S = 0.2  # how often a client is looked after while its export is made
RETRY_S = 2  # what a client is told to wait when there are too many
AHEAD_NS = 60_000_000_000  # how far the clock of a source may be ahead of ours


class Exporter:
    """Takes an export from its query parameters to the answer."""

    def __init__(self, catalogue: Catalogue, limits: Limits) -> None:
        self.catalogue = catalogue
        self.limits = limits
        self.folder = temporary_folder(catalogue.folder)
        self.admitted = 0  # exports that wait or are being made
        self.sending = 0  # exports that are being sent
        self._threads = ThreadPoolExecutor(limits.running, "export")
        self._stops: set[threading.Event] = set()
        self._closing = False
        sweep(self.folder)

    def close(self) -> None:
        """Stop all exports; those to come are refused."""
        self._closing = True
        for stop in self._stops:
            stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def export(self, params: dict[str, str | None], left: Callable[[], Awaitable[bool]]) -> Response:
        """Answer a request; `left` tells whether the client has gone."""
        if self._closing:
            raise Problem(503, "The service is stopping")
        if self.admitted >= self.limits.admitted or self.sending >= self.limits.sending:
            raise Problem(429, "Too many exports at once, try again later", {"retry-after": str(RETRY_S)})
        self.admitted += 1
        try:
            made = await self._make(params, left)
        finally:
            self.admitted -= 1
        self.sending += 1
        name = f"export_{datetime.now(UTC):%Y%m%d_%H%M%S}.h5"
        headers = {"x-speeddata-partial": f"{made.damages} damaged places left out"} if made.damages else {}
        return Download(made.file, made.size, name, self._sent, self.limits.stall_s, headers)

    def _sent(self) -> None:
        self.sending -= 1

    async def _make(self, params: dict[str, str | None], left: Callable[[], Awaitable[bool]]) -> Export:
        """Make the export in a thread; leave it when it takes too long or nobody waits for it."""
        stop = threading.Event()
        self._stops.add(stop)
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._work, params, stop)
        taken = False

        def discard(done: asyncio.Future[Export]) -> None:
            if not taken and not done.cancelled() and done.exception() is None:
                done.result().file.close()

        try:
            await self._wait(work, left)
            made = work.result()
            taken = True
            return made
        except (Stopped, asyncio.CancelledError):
            if not self._closing:
                raise
            raise Problem(503, "The service is stopping") from None
        finally:
            stop.set()
            self._stops.discard(stop)
            work.add_done_callback(discard)

    async def _wait(self, work: "asyncio.Future[Export]", left: Callable[[], Awaitable[bool]]) -> None:
        """Wait for an export until its deadline, as long as the client does."""
        deadline = time.monotonic() + self.limits.timeout_s
        while True:
            await asyncio.wait({work}, timeout=min(POLL_S, max(0.0, deadline - time.monotonic())))
            if work.done():
                return
            if time.monotonic() >= deadline:
                raise Problem(
                    408, f"The export took longer than {self.limits.timeout_s:g} s, ask for less at once"
                )
            if await left():
                raise Problem(499, "The client has left")

    def _work(self, params: dict[str, str | None], stop: threading.Event) -> Export:
        if stop.is_set():
            raise Stopped
        request = self.read(params, stop)
        return export_hdf5(request, self.catalogue.find(request.channels), self.folder, stop)

    def read(self, params: dict[str, str | None], stop: threading.Event) -> ExportRequest:
        """Check the query parameters of an export."""
        span = params.get("start"), params.get("end"), params.get("duration")
        require_span(*span)
        channels = read_channels(params.get("channels"), self.limits)
        signals = read_signals(params.get("signals"))
        now_ns = time.time_ns()

        def newest() -> int | None:
            """The newest record; one far in the future, by a clock that is wrong, only where there is no other."""
            archives = self.catalogue.find(channels).values()
            near = [archive.newest(now_ns + AHEAD_NS, checker(stop)) for archive in archives]
            times = [stamp_ns for stamp_ns in near if stamp_ns is not None]
            spans = [] if times else [archive.span() for archive in archives]
            return max(times or [span.newest_ns for span in spans if span], default=None)

        start_ns, end_ns = read_range(*span, self.limits, now_ns, newest)
        return ExportRequest(start_ns, end_ns, channels, signals)
