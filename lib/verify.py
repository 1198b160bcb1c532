"""Verifies segments and other Avro container files: what is whole of them, what is damaged, and what that cost."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from speeddata.container import Head
from speeddata.counted import counted
from speeddata.errors import ArchiveError
from speeddata.examination import Examination, Fault
from speeddata.exit_codes import DAMAGED, DONE, FAILED
from speeddata.index import ENTRY, ENTRY_SIZE, Entry, entries_of, index_path
from speeddata.index_state import index_faults, is_indexed, read_index, records_told
from speeddata.segment import Segment
from speeddata.writers import writer_of

__all__ = ["UNREADABLE", "WHOLE", "Report", "signature_of", "summary", "total", "verify"]

WHOLE, UNREADABLE = DONE, FAILED  # exit statuses
STATES = {WHOLE: "whole", UNREADABLE: "unreadable", DAMAGED: "damaged"}
ATTEMPTS = 3

Signature = tuple[tuple[int, int, int] | None, ...]


@dataclass
class Report:
    """What was found out about one file."""

    path: Path
    size: int = 0  # bytes
    error: str = ""  # why nothing of it can be read
    denied: bool = False  # that is only because we may not read it, which loses nothing
    told: int | None = None  # records that its index tells of, when it is unreadable
    faults: list[Fault] = field(default_factory=list)  # in the order of the file
    tail: Fault | None = None  # what was cut off its end
    index: list[str] = field(default_factory=list)  # what is wrong with its index
    odd_times: int = 0  # blocks whose times the index tells otherwise than they are
    has_index: bool = False
    indexed: bool = False  # whether it is to have an index
    growing: bool = False  # a process has it open for writing
    entries: bytes = b""  # index entries of its good blocks
    head: Head | None = None
    unit: str | None = None  # of the source time
    signature: Signature = ()

    def refuse(self, error: OSError) -> None:
        """Take note of why nothing can be read."""
        self.error, self.denied = error.strerror or str(error), isinstance(error, PermissionError)

    @property
    def damages(self) -> list[Fault]:
        return self.faults + ([self.tail] if self.tail else [])

    @property
    def status(self) -> int:
        if self.error:
            return UNREADABLE
        return DAMAGED if self.damages or self.index else WHOLE

    @property
    def state(self) -> str:
        return STATES[self.status]

    @property
    def blocks(self) -> int:
        return len(self.entries) // ENTRY_SIZE

    @property
    def records(self) -> int:
        return sum(entry.count for entry in entries_of(self.entries))

    @property
    def lost(self) -> int | None:
        """Records that cannot be read; None when nobody knows how many."""
        if self.denied:
            return 0
        return self.told if self.error else total(fault.damage.records for fault in self.damages)

    def as_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "state": self.state,
            "growing": self.growing,
            "bytes": self.size,
            "blocks": self.blocks,
            "records": self.records,
            "lost": self.lost,
            "damages": [
                {
                    "block": fault.block,
                    "start": fault.damage.start,
                    "end": fault.damage.end,
                    "records": fault.damage.records,
                    "reason": fault.damage.reason,
                }
                for fault in self.damages
            ],
            "index": {"present": self.has_index, "faults": self.index},
            "error": self.error or None,
        }

    def lines(self) -> list[str]:
        """What there is to say about a file that is not whole: a line, and one for each damage."""
        if self.denied:
            return [f"{self.path}: cannot be read: {self.error}"]
        if self.error:
            return [f"{self.path}: unreadable: {self.error}, {said(self.lost)} lost"]
        if self.status == WHOLE:
            return []
        found = [str(fault) for fault in self.damages] + [f"index: {words}" for words in self.index]
        return [f"{self.path}: damaged", *(f"  {line}" for line in found)]


def verify(
    path: Path, *, schema_text: str | None = None, watch: Callable[[int], None] = lambda _: None
) -> Report:
    """Read all of a file and of its index. FileNotFoundError when it is not there.

    `schema_text` is for files of SpeedData up to 0.6, which have no head. `watch` is told the bytes of each block read.
    """
    report = _verify(path, schema_text, watch)
    for _ in range(ATTEMPTS - 1):
        # What changes while it is read, by a relay or by sealing, may look damaged.
        if report.status == WHOLE or signature_of(path) == report.signature:
            break
        report = _verify(path, schema_text, lambda _: None)
    return report


def signature_of(path: Path) -> Signature:
    """Tells whether a segment or its index have changed since."""
    return tuple(_signature(one) for one in (path, index_path(path)))


def summary(files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Figures of many files together, each as `Report.as_json` gives it."""
    states = [file["state"] for file in files]
    return {
        "state": next((state for state in ("unreadable", "damaged") if state in states), "whole"),
        "files": len(files),
        "blocks": sum(file["blocks"] for file in files),
        "records": sum(file["records"] for file in files),
        "bytes": sum(file["bytes"] for file in files),
        "damaged": states.count("damaged"),
        "unreadable": states.count("unreadable"),
        "lost": total(file["lost"] for file in files),
    }


def total(counts: Iterable[int | None]) -> int | None:
    """The sum; None when one of them is not known."""
    known = list(counts)
    return None if None in known else sum(count for count in known if count is not None)


def said(count: int | None) -> str:
    """A number of records in words."""
    return "an unknown number of records" if count is None else counted(count, "record", "")


def _verify(path: Path, schema_text: str | None, watch: Callable[[int], None]) -> Report:
    report = Report(path, signature=signature_of(path))
    before = read_index(path)
    try:
        with Segment(path, schema_text=schema_text, timed=False) as segment:
            _examine(segment, before, report, watch)
    except FileNotFoundError:
        raise
    except (OSError, ArchiveError) as error:
        report.refuse(error)
        report.told = records_told(before)
        report.size = signature[1] if (signature := _signature(path)) else 0
    return report


def _examine(segment: Segment, before: bytes | None, report: Report, watch: Callable[[int], None]) -> None:
    examination = Examination(segment, before)
    for packed, _ in examination.read():
        watch(Entry._make(ENTRY.unpack(packed)).length)
    examination.find_tail()
    after = read_index(report.path)
    # Whoever has begun to write since has changed it since.
    report.growing = bool(writer_of(report.path))
    report.size, report.head, report.unit = segment.size, segment.head, segment.unit
    report.has_index = after is not None
    report.indexed = report.has_index or is_indexed(segment)
    report.faults, report.entries = examination.faults, bytes(examination.good)
    report.tail = None if report.growing else examination.tail
    report.index = index_faults(after, segment, report.growing)
    report.odd_times = examination.odd_times
    if report.odd_times:
        report.index.append(
            f"it tells other times than {counted(report.odd_times, 'block', '')} of the segment (is the time unit in the head damaged?)"
        )


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
