"""Runs exports: so many at a time, each with a deadline, none for a client that has left."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from starlette.responses import Response

from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.download import Download, Part
from speeddata.pivot.export import Export, Stopped, Work, make_export, sweep, temporary_folder
from speeddata.pivot.export_request import Requests
from speeddata.pivot.export_tags import Tags
from speeddata.pivot.jobs import JobLimits, Jobs
from speeddata.pivot.problem import Problem
from speeddata.pivot.request import ExportRequest, Limits

__all__ = ["Exporter", "too_many"]

POLL_S = 0.2  # how often a client is looked after while its export is made
RETRY_S = 2  # what a client is told to wait when there are too many

Params = Mapping[str, str | None]


def too_many() -> Problem:
    """What a client is told that asks while too much is under way."""
    return Problem(429, "Too many exports at once, try again later", {"retry-after": str(RETRY_S)})


class Exporter:
    """Takes an export from its query parameters to the answer."""

    def __init__(
        self,
        catalogue: Catalogue,
        limits: Limits,
        tags: Tags | None = None,
        min_free_percent: float = 0,
        jobs_folder: Path | None = None,
        job_limits: JobLimits | None = None,
    ) -> None:
        self.catalogue = catalogue
        self.limits = limits
        self.requests = Requests(catalogue, tags or Tags(None))
        self.folder = temporary_folder(catalogue.folder)
        self.min_free_percent = min_free_percent
        # Exports that nobody waits for.
        self.jobs = Jobs(
            jobs_folder or self.folder / ".exports",
            self.requests,
            job_limits or JobLimits(min_free_percent=min_free_percent),
        )
        self.admitted = 0  # exports that wait or are being made
        self.sending = 0  # exports that are being sent
        self._threads = ThreadPoolExecutor(limits.running, "export")
        self._stops: set[threading.Event] = set()
        self._closing = False
        sweep(self.folder)

    def close(self) -> None:
        """Stop all exports; those to come are refused."""
        self._closing = True
        self.jobs.close()
        for stop in self._stops:
            stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def export(
        self, params: Params, left: Callable[[], Awaitable[bool]], accept: str | None = None
    ) -> Response:
        """Answer a request; `left` tells whether the client has gone."""
        if self._closing:
            raise Problem(503, "The service is stopping")
        if self.admitted >= self.limits.admitted or self.sending >= self.limits.sending:
            raise too_many()
        self.admitted += 1
        try:
            made = await self._make(params, left, accept)
        finally:
            self.admitted -= 1
        name = f"export_{datetime.now(UTC):%Y%m%d_%H%M%S}{made.suffix}"
        headers = {"x-speeddata-partial": f"{made.damages} damaged places left out"} if made.damages else {}
        headers["vary"] = "accept"
        return self.send(made.file, made.size, name, headers, made.media)

    def send(
        self,
        file: BinaryIO,
        size: int,
        name: str,
        headers: dict[str, str],
        media: str,
        part: Part | None = None,
        body: bool = True,
    ) -> Download:
        """The answer that sends a file, which counts until it has gone."""
        self.sending += 1
        stall_s = self.limits.stall_s
        return Download(
            file, size, name, self._sent, stall_s, headers, media_type=media, part=part, body=body
        )

    def _sent(self) -> None:
        self.sending -= 1

    async def _make(self, params: Params, left: Callable[[], Awaitable[bool]], accept: str | None) -> Export:
        """Make the export in a thread; leave it when it takes too long or nobody waits for it."""
        stop = threading.Event()
        self._stops.add(stop)
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._threads, self._work, params, stop, accept)
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
                error = f"The export took longer than {self.limits.timeout_s:g} s, ask for less at once"
                raise Problem(408, error, **self.limits.hint)
            if await left():
                raise Problem(499, "The client has left")

    def _work(self, params: Params, stop: threading.Event, accept: str | None) -> Export:
        if stop.is_set():
            raise Stopped
        order = self.requests.read(params, self.limits, stop, accept)
        tags = self.requests.tags_of(order)
        work = Work(stop=stop, tags=tags, min_free_percent=self.min_free_percent)
        return make_export(order.request, order.archives, self.folder, work)

    def read(self, params: Params, stop: threading.Event) -> ExportRequest:
        """Check the query parameters of an export."""
        return self.requests.read(params, self.limits, stop).request
