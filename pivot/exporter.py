"""Runs exports: so many at a time, each with a deadline, none for a client that has left."""

import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from starlette.responses import Response

from speeddata.counted import counted
from speeddata.pivot.attendance import Attendance, Left, Stopped, stopping
from speeddata.pivot.catalogue import Catalogue
from speeddata.pivot.download import Download, Part
from speeddata.pivot.export import Export, Work, make_export, sweep, temporary_folder
from speeddata.pivot.export_request import Requests
from speeddata.pivot.export_tags import Tags
from speeddata.pivot.jobs import JobLimits, Jobs
from speeddata.pivot.problem import Problem
from speeddata.pivot.request import ExportRequest, Limits

__all__ = ["Exporter", "too_many"]

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
        self._attendance = Attendance("export", limits.running)
        sweep(self.folder)

    def close(self) -> None:
        """Stop all exports; those to come are refused."""
        self.jobs.close()
        self._attendance.close()

    async def export(self, params: Params, left: Left, accept: str | None = None) -> Response:
        """Answer a request; `left` tells whether the client has gone."""
        if self._attendance.closing:
            raise stopping()
        if self.admitted >= self.limits.admitted or self.sending >= self.limits.sending:
            raise too_many()
        self.admitted += 1
        try:
            made = await self._make(params, left, accept)
        finally:
            self.admitted -= 1
        name = f"export_{datetime.now(UTC):%Y%m%d_%H%M%S}{made.suffix}"
        headers = {"vary": "accept", "x-speeddata-records": str(made.records)}
        if made.damages:
            headers["x-speeddata-partial"] = f"{counted(made.damages, 'damaged place', '')} left out"
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

    async def _make(self, params: Params, left: Left, accept: str | None) -> Export:
        """Make the export in a thread; leave it when it takes too long or nobody waits for it."""
        timeout_s = self.limits.timeout_s
        error = f"The export took longer than {timeout_s:g} s, ask for less at once"
        late = Problem(408, error, **self.limits.hint)
        stop = self._attendance.begin()
        try:
            return await self._attendance.step(
                lambda: self._work(params, stop, accept),
                stop,
                left,
                timeout_s,
                late,
                lambda made: made.file.close(),
            )
        finally:
            self._attendance.end(stop)

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
