"""Runs statements of SQL, each in a process of its own: so many at a time, each with a deadline, none for who has left."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from starlette.responses import Response

from speeddata.counted import counted
from speeddata.pivot.attendance import Left, attend, stopping
from speeddata.pivot.download import Download
from speeddata.pivot.export import PREFIX, temporary_folder
from speeddata.pivot.problem import Problem
from speeddata.pivot.sql_request import MEDIA_TYPES, SqlLimits, SqlRequest

__all__ = ["SqlRunner"]

RETRY_S = 2  # what a client is told to wait when there are too many
IDLE_S = 60.0  # for how long a process is kept ready for the next statement
COMMAND = (sys.executable, "-P", "-m", "speeddata.pivot.sql_worker")
# Arrow's own pools take addresses ahead, and threads of a library for matrices would take more.
ENVIRONMENT = {"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
MEMORY_SIGNALS = (signal.SIGKILL, signal.SIGABRT, signal.SIGBUS)
ENDINGS = {"json": "json", "columns": "json", "csv": "csv", "arrow": "arrows", "parquet": "parquet"}
TYPES = {form: media for media, form in MEDIA_TYPES.items()} | {"columns": "application/json"}


class _NotTaken(Problem):
    """The process had died before it took the statement, so another one may."""


class Worker:
    """A process that is ready for one statement, and the file, without a name, that its answer goes to."""

    def __init__(self, process: Process, file: BinaryIO) -> None:
        self.process = process
        self.file = file
        self.has_taken = False
        """The statement: until then it has done nothing."""

    @classmethod
    async def start(cls, folder: Path) -> "Worker":
        file = tempfile.TemporaryFile(dir=folder, prefix=PREFIX, buffering=0)  # noqa: SIM115
        try:
            process = await asyncio.create_subprocess_exec(
                *COMMAND, str(file.fileno()),
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL, pass_fds=(file.fileno(),), env=os.environ | ENVIRONMENT,
            )  # fmt: skip
        except BaseException:
            file.close()
            raise
        return cls(process, file)

    async def run(self, request: dict[str, Any]) -> dict[str, Any] | None:
        """What became of a statement; None when the process ended without a word."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(ConnectionError):
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            await self.process.stdin.drain()
        told = await self.process.stdout.read()
        await self.process.wait()
        self.has_taken = bool(told)
        try:
            answer: dict[str, Any] = json.loads(told)
        except ValueError:
            return None
        return answer

    async def end(self) -> None:
        """End the process, which need not run any more, and wait until it has."""
        with suppress(ProcessLookupError):
            self.process.kill()
        if self.process.stdin:
            self.process.stdin.close()
        await self.process.wait()


class SqlRunner:
    """Takes a statement to its answer."""

    def __init__(self, archive: Path, limits: SqlLimits) -> None:
        self.archive = archive
        self.limits = limits
        self.admitted = 0  # statements that wait or run
        self.pids: set[int] = set()  # of processes that run one
        self._folder = temporary_folder(archive)
        self._turn = asyncio.Semaphore(limits.running)
        self._closing = False
        # A process that is ready for the next statement: starting one takes most of the time of a small one.
        self._spare: asyncio.Task[Worker] | None = None
        self._ends: set[asyncio.Task[None]] = set()
        self._idle: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Refuse statements to come, and let the process that is ready go."""
        self._closing = True
        self._drop_spare()

    async def closed(self) -> None:
        """Wait until no process is kept ready any more."""
        if self._ends:
            await asyncio.wait(self._ends)

    async def answer(self, request: SqlRequest, left: Left) -> Response:
        """Run a statement and answer it; `left` tells whether the client has gone."""
        if self._closing:
            raise stopping()
        if self.admitted >= self.limits.admitted:
            raise Problem(429, "Too many statements at once, try again later", {"retry-after": str(RETRY_S)})
        self.admitted += 1
        work = asyncio.ensure_future(self._run(request))
        try:
            words = (
                f"The statement took longer than {request.timeout_s:g} s: narrow the time, or aggregate more"
            )
            told, file = await attend(
                work, left, request.timeout_s, Problem(408, words), lambda: self._closing
            )
        finally:
            self.admitted -= 1
            if not work.done():
                work.cancel()
                await asyncio.wait({work})
        return self._download(request, told, file)

    async def _run(self, request: SqlRequest) -> tuple[dict[str, Any], BinaryIO]:
        async with self._turn:
            try:
                return await self._run_by(await self._take(), request)
            except _NotTaken:
                return await self._run_by(await Worker.start(self._folder), request)

    async def _run_by(self, worker: Worker, request: SqlRequest) -> tuple[dict[str, Any], BinaryIO]:
        self.pids.add(worker.process.pid)
        try:
            told = await worker.run(self._asked(request))
            self._require(told, worker)
            assert told is not None
            file, worker.file = worker.file, None  # type: ignore[assignment]
            return told, file
        finally:
            self.pids.discard(worker.process.pid)
            await worker.end()
            if worker.file is not None:
                worker.file.close()

    def _asked(self, request: SqlRequest) -> dict[str, Any]:
        return {
            "archive": str(self.archive),
            "sql": request.sql,
            "format": request.format,
            "limit": request.limit,
            "timeout": request.timeout_s,
            "time_zone": request.time_zone,
            "memory_mb": self.limits.memory_mb,
            "threads": self.limits.threads,
            "max_bytes": self.limits.max_bytes,
        }

    def _require(self, told: dict[str, Any] | None, worker: Worker) -> None:
        """See that a statement has an answer."""
        code = worker.process.returncode
        if told is not None and "error" in told:
            raise Problem(told.pop("status"), told.pop("error"), **told)
        if told is not None:
            return
        how = signal.Signals(-code).name if code and code < 0 else f"exit status {code}"
        if not worker.has_taken:
            raise _NotTaken(500, f"The process for the statement ended before it began ({how})")
        if code is not None and -code in MEMORY_SIGNALS:
            words = f"The statement was ended for want of memory ({how})"
            raise Problem(413, f"{words}: narrow the time, or aggregate more")
        raise Problem(500, f"The process of the statement ended without an answer ({how})")

    def _download(self, request: SqlRequest, told: dict[str, Any], file: BinaryIO) -> Response:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        headers = {
            "content-type": TYPES[request.format],
            "content-disposition": f'inline; filename="answer.{ENDINGS[request.format]}"',
            "x-speeddata-rows": str(told["rows"]),
            "x-speeddata-truncated": str(told["truncated"]).lower(),
            "x-speeddata-records-read": str(told["records_read"]),
        }
        if told["damages"]:
            headers["x-speeddata-partial"] = f"{counted(told['damages'], 'damaged place', '')} left out"
        return Download(file, size, "answer", lambda: None, self.limits.stall_s, headers)

    async def _take(self) -> Worker:
        """A process for a statement, and another one made ready for the next."""
        spare, self._spare = self._spare, None
        worker = None
        if spare is not None:
            with suppress(OSError):
                worker = await spare
            if worker is not None and worker.process.returncode is not None:
                worker.file.close()
                worker = None
        if worker is None:
            worker = await Worker.start(self._folder)
        self._make_ready()
        return worker

    def _make_ready(self) -> None:
        if self._spare is None and not self._closing:
            self._spare = asyncio.ensure_future(Worker.start(self._folder))
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._drop_spare)

    def _drop_spare(self) -> None:
        spare, self._spare = self._spare, None
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if spare is not None:
            task = asyncio.ensure_future(_let_go(spare))
            self._ends.add(task)
            task.add_done_callback(self._ends.discard)


async def _let_go(spare: "asyncio.Task[Worker]") -> None:
    with suppress(OSError):
        worker = await spare
        worker.file.close()
        await worker.end()
