"""Exports that are made in the background, as files: one that describes each, and what was made.

`<id>.json` is replaced as a whole; `<id>.part` becomes `<id>.data` when it is complete. So whatever ends the service, what
has the final name is whole.
"""

import json
import logging
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, BinaryIO

from speeddata.durable import sync_folder

__all__ = ["ENDED", "STATES", "Job", "JobStore"]

logger = logging.getLogger(__name__)

STATES = ("queued", "running", "done", "failed", "cancelled")
ENDED = ("done", "failed", "cancelled")
ID = re.compile("[0-9a-f]{16}")


@dataclass
class Job:
    """An export that is made in the background. Times are seconds since 1970."""

    id: str
    asked: dict[str, str]  # the parameters, as they were given
    state: str = "queued"
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    expires: float | None = None  # when it is removed
    total: int = 0  # records to be read, at most
    records: int = 0  # records read
    bytes: int = 0
    damages: int = 0
    error: dict[str, Any] | None = field(default=None)  # what is wrong with one that failed
    status: int | None = None  # of HTTP, which an answer to a GET would have had
    media: str = ""
    suffix: str = ""


class JobStore:
    """The folder of them, which is made with the first one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self) -> list[Job]:
        """What there is; remains of what was cut short are removed."""
        jobs = []
        for path in sorted(self.folder.glob("*")) if self.folder.is_dir() else ():
            if path.suffix == ".json" and ID.fullmatch(path.stem):
                job = _read(path)
                if job is not None:
                    jobs.append(job)
                    continue
            if path.suffix != ".data":
                _remove(path)
        kept = {job.id for job in jobs if job.state == "done"}
        for path in self.folder.glob("*.data"):
            if path.stem not in kept:
                _remove(path)
        return jobs

    def save(self, job: Job) -> None:
        """Keep what is known of a job, so that it survives the service."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{job.id}.json"
        new = path.with_suffix(".new")
        try:
            with new.open("w") as file:
                json.dump(asdict(job), file)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError:
            _remove(new)
            raise

    def begin(self, job: Job) -> BinaryIO:
        """An empty file for what is made, unbuffered."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return (self.folder / f"{job.id}.part").open("w+b", buffering=0)

    def finish(self, job: Job) -> None:
        """What was made is complete, and on the disk."""
        (self.folder / f"{job.id}.part").replace(self.folder / f"{job.id}.data")
        sync_folder(self.folder)

    def drop_part(self, job: Job) -> None:
        """What was made so far is of no use."""
        _remove(self.folder / f"{job.id}.part")

    def open(self, job: Job) -> BinaryIO:
        """The file of a job that is done."""
        return (self.folder / f"{job.id}.data").open("rb", buffering=0)

    def remove(self, job: Job) -> None:
        """Forget a job; its description goes first, so that none is left without a file."""
        for suffix in (".json", ".data", ".part"):
            _remove(self.folder / f"{job.id}{suffix}")


def _read(path: Path) -> Job | None:
    """A job as it was saved; None where somebody has spoiled it."""
    try:
        told = json.loads(path.read_bytes())
        if not isinstance(told, Mapping):
            raise ValueError("no object")
        names = {field.name for field in fields(Job)}
        job = Job(**{key: value for key, value in told.items() if key in names})
        if job.id != path.stem or job.state not in STATES:
            raise ValueError("not of this name, or in no state that there is")
        return job
    except (OSError, ValueError, TypeError) as error:
        logger.warning("%s cannot be read, removed: %s", path, error)
        return None


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
