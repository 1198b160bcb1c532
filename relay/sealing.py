"""Sealing: what is done once to a segment that is written no more, in a process of its own, with the lowest priority.

    python -P -m speeddata.relay.sealing [--codec zstandard|deflate] SEGMENT...

Each segment is read from the disk and verified, then compressed if a codec is given and it is worth it; many small blocks
become few, with or without a codec. Then its rollup is made. What was found
is noted in the segment's index, so that it is done once. A damaged segment is left as it is. A line of JSON tells what
came of each (`Outcome`). The process ends when its parent does.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from speeddata.compression import COMPRESSIONS
from speeddata.index import ENTRY_SIZE, Seal, entries_of, mark_seal, parse_head
from speeddata.index_state import read_index
from speeddata.mend import mend
from speeddata.open_files import open_for_writing
from speeddata.relay.block_groups import has_small_blocks
from speeddata.relay.priority import step_back
from speeddata.relay.recompression import Check, finish, recompress
from speeddata.verify import Report, verify

__all__ = ["Outcome", "main", "seal"]

MAX_WORDS = 300  # characters
ROOM = 10  # times its size must be free for a copy that is only to have larger blocks


@dataclass(frozen=True)
class Outcome:
    """What came of sealing one segment."""

    path: Path
    seal: Seal = Seal.UNSEEN  # as it is in the index now; UNSEEN: it could not be done
    words: str = ""  # what is damaged, or why it could not be done
    saved: int | None = None  # bytes, when it was compressed

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"path": str(self.path), "words": self.words[:MAX_WORDS]}

    @classmethod
    def from_json(cls, value: Any) -> "Outcome":
        return cls(Path(value["path"]), Seal(value["seal"]), value["words"], value["saved"])


def seal(path: Path, codec: str | None, check: Check) -> Outcome:
    """Verify a segment, and compress it by a codec."""
    try:
        finish(path)
        return _seal(path, codec, check)
    except OSError as error:
        return Outcome(path, words=error.strerror or str(error))


def _seal(path: Path, codec: str | None, check: Check) -> Outcome:
    if open_for_writing(path):
        return Outcome(path, words="a process has it open for writing")
    _forget(path)
    report = verify(path)
    check()
    if report.error or report.damages or report.odd_times or _ends_early(report):
        return _noted(path, Seal.DAMAGED, _words(report))
    if report.index:  # made anew, as a relay does when it starts
        mend(path, indexed=report.indexed)
        report = verify(path)
    if report.status or report.head is None:
        return _noted(path, Seal.DAMAGED, _words(report))
    if not report.blocks or not report.has_index:
        return Outcome(path, words="it has no records" if not report.blocks else "it has no index")
    final, saved = codec is not None, None
    if report.head.codec == "null" and (codec is not None or _wants_larger_blocks(report)):
        saved = recompress(path, codec or "null", report.signature, check)
    _roll_up(path, check)
    if saved is not None:
        return Outcome(path, Seal.FINAL if final else Seal.VERIFIED, saved=saved)
    _forget(path)
    return _noted(path, Seal.FINAL if final else Seal.VERIFIED)


def _wants_larger_blocks(report: Report) -> bool:
    """Whether it has many small blocks, and the disk has ample room for a copy."""
    free = shutil.disk_usage(report.path.parent).free
    return has_small_blocks(report.entries) and free > ROOM * report.size


def _roll_up(path: Path, check: Check) -> None:
    """Make the rollup of a segment, unless there is one that is of it as it is now."""
    # Here alone: it brings numpy with it, which the orchestrator, who reads outcomes, does not want.
    from speeddata.rollup_file import has_rollup, make_rollup

    if not has_rollup(path):
        make_rollup(path, check)


def _noted(path: Path, found: Seal, words: str = "") -> Outcome:
    """Note in the index what was found; where it has none that is not noted, and found again after the next start."""
    told = parse_head(read_index(path) or b"")
    if told is not None:
        mark_seal(path, told[0], found)
    return Outcome(path, found, words)


def _ends_early(report: Report) -> bool:
    """Whether there is something behind the last block: told here also where nobody knows who has the file open."""
    if not report.blocks:
        return False
    (last,) = entries_of(report.entries[-ENTRY_SIZE:])
    return last.offset + last.length != report.size


def _words(report: Report) -> str:
    found = [str(fault) for fault in report.damages] + report.index
    return report.error or "; ".join(found) or "cut off"


def _forget(path: Path) -> None:
    """Have the kernel keep nothing of a file in memory: to verify what is on the disk, and to leave the room to others."""
    with path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main(arguments: Sequence[str] | None = None) -> None:
    """Seal segments."""
    parser = argparse.ArgumentParser(prog="speeddata.relay.sealing")
    parser.add_argument("--codec", choices=COMPRESSIONS)
    parser.add_argument("segments", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    step_back()
    parent = os.getppid()

    def check() -> None:
        if os.getppid() != parent:
            sys.exit("the orchestrator has ended")

    for path in options.segments:
        check()
        print(json.dumps(seal(path, options.codec, check).to_json()), flush=True)


if __name__ == "__main__":
    main()
