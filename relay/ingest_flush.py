"""Bringing many segments to the disk: one by one while they are few, the whole file system at once when they are many.

Files are opened anew for it: an error that nobody has been told of yet is told to who opens a file next, too.
"""

import os
import queue
import select
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from speeddata.durable import sync_folder
from speeddata.index import index_path
from speeddata.relay.ingest_segment import IngestSegment, Place, sync_file_system

__all__ = ["Flusher", "Job", "bring_to_disk"]

MANY = 32  # segments


class Job(NamedTuple):
    """A segment to be brought to the disk, as far as it goes now; it may grow meanwhile."""

    segment: IngestSegment
    path: Path
    place: Place

    @classmethod
    def of(cls, segment: IngestSegment) -> "Job":
        return cls(segment, Path(segment.folder) / segment.name, segment.place)


def bring_to_disk(jobs: Sequence[Job], folders: Iterable[Path]) -> list[Job]:
    """fsync segments, and folders that have new names; gives the segments that may not be on the disk.

    Where the file system is asked as a whole and reports an error, each segment is asked for its own. One that has been
    deleted has nothing to be brought anywhere.
    """
    if len(jobs) > MANY:
        try:
            for archive in {job.path.parent.parent for job in jobs}:
                _sync_all(archive)
        except OSError:
            pass
        else:
            return []
    bad = {folder for folder in folders if not _folder_synced(folder)}
    return [
        job
        for job in jobs
        if job.path.parent in bad or not (_synced(job.path) and _synced(index_path(job.path)))
    ]


def _sync_all(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync_file_system(fd)
    finally:
        os.close(fd)


def _synced(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        return _fd_synced(fd)
    finally:
        os.close(fd)


def _fd_synced(fd: int) -> bool:
    try:
        os.fdatasync(fd)
    except OSError:
        return False
    return True


def _folder_synced(folder: Path) -> bool:
    try:
        sync_folder(folder)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


class Flushed(NamedTuple):
    """What came of a list."""

    jobs: list[Job]
    failed: list[Job]  # those that may not be on the disk
    journal: bool  # whether the journal is, as far as it went


class Flusher:
    """A thread that brings segments, and then the journal, to the disk, one list at a time; `fd` is readable when that is done.

    In this order, or power loss would leave a journal that says less than what is known to be on the disk.
    """

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.jobs: list[Job] = []
        self._todo: queue.SimpleQueue[tuple[list[Job], set[Path], int] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Flushed] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="flusher", daemon=True)
        self._thread.start()

    def start(self, jobs: list[Job], folders: set[Path], journal: int) -> None:
        """Begin; it must be idle. The descriptor of the journal is duplicated."""
        assert not self.jobs, "one list at a time"
        self.jobs = jobs
        self._todo.put((jobs, folders, os.dup(journal)))

    def finish(self, *, wait: bool = False) -> Flushed | None:
        """What came of the list; None while there is nothing to tell."""
        if not self.jobs or not (wait or self._done.qsize()):
            return None
        flushed = self._done.get()
        select.select([self.fd], [], [])  # it is written right after
        os.eventfd_read(self.fd)
        self.jobs = []
        return flushed

    def close(self) -> None:
        """End the thread; it must be idle."""
        self._todo.put(None)
        self._thread.join()
        os.close(self.fd)

    def _run(self) -> None:
        while (todo := self._todo.get()) is not None:
            jobs, folders, journal = todo
            failed = bring_to_disk(jobs, folders)
            self._done.put(Flushed(jobs, failed, _fd_synced(journal)))
            os.close(journal)
            os.eventfd_write(self.fd, 1)
