"""Salvages a segment that is damaged in the middle: its good blocks go to a new file, which takes its place.

At any instant the old or the new file is under the name, whole. The damaged one stays beside it as `<name>.avro.damaged`
(`<name>.avro.2.damaged` when that is taken), with its index as `<name>.avro.idx`. What is being made has a name that
begins with a dot; `finish` ends or clears away what an interrupted salvage left.
"""

import errno
import filecmp
import os
import re
import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from speeddata.bit_error import flip
from speeddata.blocks import crc32c
from speeddata.durable import sync_folder, take_after
from speeddata.errors import ArchiveError
from speeddata.index import entries_of, index_path, pack_entry, pack_head, parse_head
from speeddata.index_state import read_index
from speeddata.segment import Segment
from speeddata.verify import WHOLE, Report, signature_of, verify
from speeddata.writers import writer_of

__all__ = ["finish", "leftovers", "salvage"]

LEFTOVER = re.compile(r"\.(.+)\.repair\.(avro|idx|damaged)")
SYNC = 16
NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)


def salvage(path: Path, report: Report) -> Path:
    """Put a file of the good blocks, as a report has them, in the place of a damaged one; where that is kept.

    OSError when it cannot be done; then the damaged file is as it was.
    """
    new = path.with_name(f".{path.name}.repair.avro")
    try:
        meant = _write(path, new, report)
        _read_back(new, meant)
        if refusal := writer_of(path):
            raise ArchiveError(refusal)
        if signature_of(path) != report.signature:
            raise ArchiveError("it has changed meanwhile")
        kept = _keep(path)
    except BaseException:
        _clear(path)
        raise
    new.replace(path)
    sync_folder(path.parent)
    if report.indexed:
        index_path(new).replace(index_path(path))
        sync_folder(path.parent)
    return kept


def leftovers(folder: Path) -> list[Path]:
    """The segments of a folder that an interrupted salvage has left something of."""
    found = {match[1] for entry in folder.iterdir() if (match := LEFTOVER.fullmatch(entry.name))}
    return [folder / name for name in sorted(found)]


def finish(path: Path) -> None:
    """End the salvage of a segment that was interrupted between segment and index; clear away one that came less far."""
    new = path.with_name(f".{path.name}.repair.avro")
    index = read_index(new)
    if index is not None and not new.exists():
        told = parse_head(index)
        try:
            with Segment(path, use_index=False, timed=False) as segment:
                fits = told == (segment.head.sync, segment.head.length)
        except OSError:
            fits = False
        if fits:
            index_path(new).replace(index_path(path))
            sync_folder(path.parent)
    _clear(path)


def _clear(path: Path) -> None:
    # The index first: left alone it would mean that the segment has taken its place.
    for ending in ("idx", "avro", "damaged"):
        leftover = path.with_name(f".{path.name}.repair.{ending}")
        if leftover.exists():
            leftover.unlink()


def _write(path: Path, new: Path, report: Report) -> bytes:
    """Write the new segment, and its index where it is to have one, to the disk; the entries of the index."""
    assert report.head is not None, "what is unreadable has no good blocks"
    sync = os.urandom(SYNC)
    entries = bytearray()
    with path.open("rb") as old, new.open("xb") as file:
        status = os.fstat(old.fileno())
        take_after(file.fileno(), status)
        head = old.read(report.head.length)[:-SYNC]
        if report.head.flipped is not None:
            head = flip(head, report.head.flipped)
        if crc32c(head) != report.head.crc:
            raise ArchiveError("its head has changed meanwhile")
        file.write(head + sync)
        for entry in entries_of(report.entries):
            old.seek(entry.offset)
            block = old.read(entry.length)
            if crc32c(block) != entry.crc:
                raise ArchiveError(f"the block at byte {entry.offset} has changed meanwhile")
            block = block[:-SYNC] + sync
            # It stands elsewhere now, and ends with another sync marker.
            entries += pack_entry(entry._replace(offset=file.tell(), crc=crc32c(block)))
            file.write(block)
        file.flush()
        os.utime(file.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
        os.fsync(file.fileno())
    if report.indexed:
        with index_path(new).open("xb") as file:
            take_after(file.fileno(), status)
            file.write(pack_head(sync, report.head.length, report.head.crc) + entries)
            file.flush()
            os.fsync(file.fileno())
    sync_folder(path.parent)
    return bytes(entries)


def _read_back(new: Path, meant: bytes) -> None:
    """Make sure that what is on the disk is what was meant."""
    with Segment(new, timed=False) as segment:
        segment.forget()
    report = verify(new)
    if report.status != WHOLE or _places(report.entries) != _places(meant):
        raise ArchiveError("what was written for it reads back otherwise")


def _places(entries: bytes) -> list[tuple[int, ...]]:
    return [(entry.offset, entry.length, entry.count, entry.crc) for entry in entries_of(entries)]


def _keep(path: Path) -> Path:
    """Give a segment, and its index, a second name that is free."""
    copy = path.with_name(f".{path.name}.repair.damaged")
    for kept in _names(path):
        if kept.exists():
            # One that was interrupted may have come as far as this.
            if not filecmp.cmp(path, kept, shallow=False):
                continue
        elif index_path(kept).exists():
            continue
        else:
            _link(path, kept, copy)
        if index_path(path).exists() and not index_path(kept).exists():
            _link(index_path(path), index_path(kept), copy)
        sync_folder(path.parent)
        return kept
    raise AssertionError("there are names without end")


def _names(path: Path) -> Iterator[Path]:
    yield path.with_name(f"{path.name}.damaged")
    for number in count(2):
        yield path.with_name(f"{path.name}.{number}.damaged")


def _link(old: Path, new: Path, copy: Path) -> None:
    """Give a file a second name; where the file system has no links, a copy, which is made by another name."""
    try:
        os.link(old, new, follow_symlinks=False)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        with old.open("rb") as source, copy.open("wb") as target:
            take_after(target.fileno(), os.fstat(source.fileno()))
            shutil.copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())
        copy.rename(new)
