"""Repairs segments and other Avro container files: makes indexes anew, cuts torn tails, salvages around damage.

What a process writes to just now is let alone.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from speeddata.counted import counted
from speeddata.errors import ArchiveError
from speeddata.exit_codes import DAMAGED
from speeddata.folder_lock import alone_in
from speeddata.mend import mend
from speeddata.salvage import finish, leftovers, salvage
from speeddata.verify import UNREADABLE, WHOLE, Report, said, signature_of, verify
from speeddata.writers import writer_of

__all__ = ["Outcome", "repair", "tidy"]

PATIENCE_S = 2.0


@dataclass(frozen=True)
class Outcome:
    """What was done to one file, or, in a dry run, what would be."""

    path: Path
    done: str = ""  # empty: nothing, for it was whole
    records: int = 0  # in it now
    lost: int | None = 0  # that it had; None: nobody knows how many
    error: str = ""  # why it could not be repaired
    kept: Path | None = None  # where the damaged file is

    @property
    def status(self) -> int:
        return UNREADABLE if self.error else WHOLE if self.lost == 0 else DAMAGED

    def as_json(self) -> dict[str, Any]:
        return {
            "path": str(self.path),
            "done": self.done or None,
            "records": self.records,
            "lost": self.lost,
            "kept": None if self.kept is None else str(self.kept),
            "error": self.error or None,
        }

    def lines(self) -> list[str]:
        """What there is to say."""
        if self.error:
            return [f"{self.path}: cannot be repaired: {self.error}"]
        if not self.done:
            return []
        where = f"; the damaged file is {self.kept.name}" if self.kept else ""
        return [f"{self.path}: {self.done}: {said(self.records)} saved, {said(self.lost)} lost{where}"]


def repair(path: Path, *, dry_run: bool = False, watch: Callable[[int], None] = lambda _: None) -> Outcome:
    """Make a file whole, if it is not, of what is whole of it. FileNotFoundError when it is not there.

    `watch` is told the bytes of each block that is read at first.
    """
    try:
        if dry_run:
            return _repair(path, dry_run, watch)
        with _alone(path.parent):
            finish(path)
            return _repair(path, dry_run, watch)
    except FileNotFoundError:
        raise
    except OSError as error:
        return Outcome(path, error=error.strerror or str(error))


def tidy(folder: Path) -> None:
    """Clear away what repairs that were interrupted have left in a folder."""
    if leftovers(folder):
        with _alone(folder):
            for path in leftovers(folder):
                finish(path)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait, but not for long, until nobody else exchanges files in a folder."""
    until = time.monotonic() + PATIENCE_S
    while True:
        with alone_in(folder) as alone:
            if alone:
                yield
                return
        if time.monotonic() > until:
            raise ArchiveError("another process exchanges files in its folder")
        time.sleep(0.02)


def _repair(path: Path, dry_run: bool, watch: Callable[[int], None]) -> Outcome:
    report = verify(path, watch=watch)
    if report.error:
        return Outcome(path, error=report.error, lost=report.lost)
    if report.status == WHOLE:
        return Outcome(path, records=report.records)
    if refusal := writer_of(path):
        return Outcome(path, error=f"{refusal}; wait until it is over")
    if report.odd_times:
        # Made anew it would have the times that a damaged head tells.
        return Outcome(path, error=f"head and index contradict each other: {report.index[-1]}")
    if _head_is_lost(report):
        return Outcome(path, error="what its head said is damaged; with its index it can be read")
    if not report.size:
        return Outcome(
            path, error=f"nothing of it is left, its index tells of {said(report.lost)}", lost=report.lost
        )
    done = _plan(report)
    if dry_run:
        return Outcome(path, f"would be {done}", report.records, report.lost)
    kept = _act(path, report)
    after = verify(path)
    if after.status != WHOLE or after.records != report.records:
        return Outcome(path, done, after.records, report.lost, error="it is still not whole", kept=kept)
    return Outcome(path, done, after.records, report.lost, kept=kept)


def _head_is_lost(report: Report) -> bool:
    """Whether what the head said is damaged beyond one flipped bit, which is known."""
    assert report.head is not None, "a report without error has one"
    if not report.faults or report.head.flipped is not None:
        return False
    first = report.faults[0]
    return first.block is None and first.damage.start == 0


def _plan(report: Report) -> str:
    """What is to be done, in words."""
    if report.faults:
        return f"salvaged, {counted(report.blocks, 'block', '')} to a new file"
    if report.tail:
        damage = report.tail.damage
        return f"cut by {counted(damage.end - damage.start, 'byte', '')} of a torn tail"
    return f"given a new index of {counted(report.blocks, 'block', '')}"


def _act(path: Path, report: Report) -> Path | None:
    if report.faults:
        return salvage(path, report)
    if signature_of(path) != report.signature:
        raise ArchiveError("it has changed meanwhile")
    mend(path, indexed=report.indexed)
    return None
