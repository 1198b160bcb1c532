"""Exports that nobody waits for: made one after the other in the background, kept for a while, fetched when they are done.

A job that was running when the service was killed has failed, and says so; one that was ended with the service in good
order, or was waiting, is made after the next start.
"""

import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from speeddata.pivot.attendance import Stopped
from speeddata.pivot.export import NO_ROOM, Work, make_export
from speeddata.pivot.export_request import Order, Requests
from speeddata.pivot.jobs_store import ENDED, Job, JobStore
from speeddata.pivot.problem import Problem
from speeddata.pivot.request import Limits
from speeddata.times import format_time

__all__ = ["JobLimits", "Jobs"]

logger = logging.getLogger(__name__)

GIB = 1 << 30
PERIOD_S = 30.0  # how often is looked after what has expired
RETRY_S = 10
KILLED = "The service ended while it was made, ask for it again"
NO_ROOM_LEFT = "The exports that are kept leave no room; delete some, or wait until they expire"


@dataclass(frozen=True)
class JobLimits:
    """What may be made in the background."""

    channels: int = 1000
    minutes: float = float("inf")
    running: int = 1
    queued: int = 100
    keep_s: float = 86400.0
    max_bytes: int = 20 * GIB
    min_free_percent: float = 0.0

    @property
    def limits(self) -> Limits:
        """Those of a request."""
        return Limits(channels=self.channels, minutes=self.minutes, rows=10**10, advice="")


class Jobs:
    """All of them; threads may call it."""

    def __init__(
        self, folder: Path, requests: Requests, limits: JobLimits, clock: Callable[[], float] = time.time
    ) -> None:
        self.limits = limits
        self.store = JobStore(folder)
        self._requests = requests
        self._clock = clock
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._works: dict[str, Work] = {}  # of those that are queued or running
        self._closing = threading.Event()
        self._threads = ThreadPoolExecutor(limits.running, "job")
        self._keeper: threading.Thread | None = None
        self._load()

    def _load(self) -> None:
        for job in sorted(self.store.load(), key=lambda job: job.created):
            self._jobs[job.id] = job
            if job.state == "running":
                self._end(job, "failed", {"error": KILLED}, 500)
            elif job.state == "queued":
                self._start(job)
        if self._jobs:
            self._keep()
        self.expire()

    def close(self) -> None:
        """End what is under way; it is taken up after the next start."""
        self._closing.set()
        with self._lock:
            for work in self._works.values():
                work.stop.set()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def submit(self, params: Mapping[str, str | None]) -> dict[str, Any]:
        """Take an order; a Problem tells what is wrong with it."""
        if self._closing.is_set():
            raise Problem(503, "The service is stopping")
        self.expire()
        order = self._requests.read(params, self.limits.limits, self._closing)
        with self._lock:
            if sum(job.state not in ENDED for job in self._jobs.values()) >= self.limits.queued:
                retry = {"retry-after": str(RETRY_S)}
                raise Problem(429, f"{self.limits.queued} exports wait already, try again later", retry)
            if self._used() >= self.limits.max_bytes:
                raise Problem(507, NO_ROOM_LEFT, bytes=self._used(), max_bytes=self.limits.max_bytes)
            request = order.request
            # The range is fixed now: what "the newest record" is changes while the job waits.
            asked = {
                name: value
                for name, value in request.asked.items()
                if name not in ("duration", "start", "end")
            }
            if "tag" not in asked:
                asked |= {"start": format_time(request.start_ns), "end": format_time(request.end_ns)}
            job = Job(secrets.token_hex(8), asked, created=self._clock())
            try:
                self.store.save(job)
            except OSError as error:
                if error.errno not in NO_ROOM:
                    raise
                raise Problem(507, "No room for the export on the service's disk") from None
            self._jobs[job.id] = job
            self._start(job)
            self._keep()
            return self.told(job)

    def list(self) -> list[dict[str, Any]]:
        """All jobs, the oldest first."""
        self.expire()
        with self._lock:
            return [self.told(job) for job in self._jobs.values()]

    def show(self, id: str) -> dict[str, Any]:
        """One job."""
        self.expire()
        with self._lock:
            return self.told(self._get(id))

    def open(self, id: str) -> tuple[Job, BinaryIO]:
        """A job that is done, and its file."""
        self.expire()
        with self._lock:
            job = self._get(id)
            if job.state != "done":
                more = {"retry-after": str(RETRY_S)} if job.state in ("queued", "running") else None
                raise Problem(409, "The export is not done", more, id=id, state=job.state)
            try:
                return job, self.store.open(job)
            except FileNotFoundError:
                self._forget(job)
                raise Problem(404, "Export not found", id=id) from None

    def delete(self, id: str) -> dict[str, Any]:
        """Cancel a job that waits or is being made; forget one that has ended, and its file."""
        with self._lock:
            job = self._get(id)
            if job.state in ENDED:
                self._forget(job)
                return {"status": "success", "id": id, "message": f"Export {id} removed"}
            self._end(job, "cancelled")
            return {"status": "success", "id": id, "message": f"Export {id} cancelled"}

    def expire(self) -> None:
        """Forget what has been kept long enough."""
        now = self._clock()
        with self._lock:
            for job in list(self._jobs.values()):
                if job.expires is not None and job.expires <= now:
                    self._forget(job)

    def told(self, job: Job) -> dict[str, Any]:
        """What the API tells of a job."""
        work = self._works.get(job.id)
        records, total = (work.read, work.total) if work else (job.records, job.total)
        rate = eta = None
        progress = 1.0 if job.state == "done" else 0.0
        if job.state == "running" and work and job.started is not None:
            rate = records / max(1e-3, self._clock() - job.started)
            progress = min(0.999, records / total) if total else 0.0
            eta = max(0, total - records) / rate if rate else None
        told = {
            "id": job.id,
            "state": job.state,
            "progress": progress,
            "records": records,
            "rate": rate and round(rate),
            "eta_s": None if eta is None else round(eta, 1),
            "bytes": work.size if work else job.bytes,
            "damages": job.damages,
            **{name: _time(getattr(job, name)) for name in ("created", "started", "finished", "expires")},
            "request": job.asked,
            "url": f"/api/v1/exports/{job.id}",
        }
        if job.state == "done":
            told |= {
                "file": f"/api/v1/exports/{job.id}/file",
                "media_type": job.media,
                "name": file_name(job),
            }
        return told | (job.error or {})

    def _get(self, id: str) -> Job:
        job = self._jobs.get(id)
        if job is None:
            raise Problem(404, "Export not found", id=id)
        return job

    def _used(self) -> int:
        """Bytes of all files that there are."""
        return sum(job.bytes for job in self._jobs.values()) + sum(work.size for work in self._works.values())

    def _start(self, job: Job) -> None:
        self._works[job.id] = Work(min_free_percent=self.limits.min_free_percent)
        self._threads.submit(self._run, job)

    def _run(self, job: Job) -> None:
        """Make an export: the work of a thread."""
        with self._lock:
            work = self._works.get(job.id)
            if job.state != "queued" or work is None or self._closing.is_set():
                return
            job.state, job.started = "running", self._clock()
            work.room = lambda: self.limits.max_bytes - self._used() + work.size
        try:
            self.store.save(job)
            order = self._requests.read(job.asked, self.limits.limits, work.stop)
            work.tags = self._requests.tags_of(order)
            self._make(job, order, work)
        except Stopped:
            self._stopped(job)
        except Problem as problem:
            self._end(job, "failed", problem.body, problem.status)
        except OSError as error:
            logger.exception("export %s", job.id)
            told = {"error": f"Server error: {type(error).__name__}"}
            self._end(job, "failed", told, 507 if error.errno in NO_ROOM else 500)
        except Exception as error:
            logger.exception("export %s", job.id)
            self._end(job, "failed", {"error": f"Server error: {type(error).__name__}"}, 500)

    def _make(self, job: Job, order: Order, work: Work) -> None:
        try:
            with self.store.begin(job) as file:
                made = make_export(order.request, order.archives, self.store.folder, work, file)
                os.fsync(file.fileno())  # it takes its time, so the others are not kept waiting
                with self._lock:
                    if job.state == "running":
                        self.store.finish(job)
                        job.damages, job.media, job.suffix = made.damages, made.media, made.suffix
                        self._end(job, "done")
        finally:
            self.store.drop_part(job)

    def _stopped(self, job: Job) -> None:
        """The service ends, or the job was cancelled, which is written down already."""
        with self._lock:
            if job.state == "running":
                job.state, job.started = "queued", None
                self.store.save(job)

    def _end(
        self, job: Job, state: str, error: dict[str, Any] | None = None, status: int | None = None
    ) -> None:
        """A job ends; one that was cancelled meanwhile stays so."""
        with self._lock:
            if job.state in ENDED:
                return
            work = self._works.pop(job.id, None)
            if work is not None:
                work.stop.set()
                job.records, job.total = work.read, work.total
                job.bytes = work.size if state == "done" else 0
            job.state, job.error, job.status = state, error, status
            job.finished = self._clock()
            job.expires = job.finished + self.limits.keep_s
            try:
                self.store.save(job)
            except OSError as failure:
                logger.warning("export %s: its end cannot be written down: %s", job.id, failure.strerror)

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        self.store.remove(job)

    def _keep(self) -> None:
        """Have a thread look after what expires."""
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._look_after, name="jobs", daemon=True)
            self._keeper.start()

    def _look_after(self) -> None:
        while not self._closing.wait(PERIOD_S):
            self.expire()


def file_name(job: Job) -> str:
    """What the file of a job is called by who fetches it."""
    return f"export_{time.strftime('%Y%m%d_%H%M%S', time.gmtime(job.created))}{job.suffix}"


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else format_time(int(seconds * 1000) * 1_000_000)
