"""The rollup beside a sealed segment: `<segment>.rollup`, an Arrow IPC file, its description in docs/archive-format.md.

One record batch for each level that is stored, the finest first; a row is a bucket that has records, columns are named `aggregate:signal`.
What a signal shares with the records themselves (count and times, where it is never null) is not stored again. The schema's
metadata tell which segment it is of and a checksum of each column of each level: a rollup that is damaged, or that of
another segment, is not there for whoever reads.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pyarrow as pa

from speeddata.blocks import crc32c
from speeddata.decoding import entry_array
from speeddata.durable import sync_folder, take_after
from speeddata.errors import ArchiveError
from speeddata.rollup import LEVELS, NUMERIC, Rollup, Rows, finest_level
from speeddata.rollup_blocks import roll_up_blocks
from speeddata.rollup_names import rollup_path, temporary_path
from speeddata.segment import Segment
from speeddata.table import Array

__all__ = ["RollupFile", "has_rollup", "make_rollup"]

VERSION = 1
ABOUT, CHECK = b"speeddata.rollup", b"speeddata.check"
SMALL = 1 << 20  # bytes of a file that is read whole sooner than columns are picked out of it
FEW = 256  # rows from which coarser ones are made as quickly as they are read
SHARED = ("count", "first_ns", "last_ns")
NAMES = ("count", "min", "max", "first", "last", "sum", "m2", "first_ns", "last_ns")  # in the order of Rows
# What a file that cannot be used raises.
UNUSABLE = (pa.ArrowException, OSError, ValueError, KeyError, TypeError, IndexError)


@dataclass(frozen=True, eq=False)
class RollupFile:
    """The rollup of one segment; columns are read when they are asked for."""

    path: Path
    sync: bytes  # of the segment
    end: int  # the offset in the segment up to which its blocks are in it
    records: int
    rows: Mapping[int, int]  # by level that is stored
    signals: frozenset[str]
    _crc: Mapping[str, Sequence[int]]

    @classmethod
    def open(cls, segment: Path) -> "RollupFile":
        """Look at the rollup of a segment; ArchiveError, with the reason, when it cannot be used."""
        path = rollup_path(segment)
        try:
            with pa.OSFile(os.fspath(path)) as file:
                metadata = pa.ipc.open_file(file).schema.metadata or {}
            about = metadata[ABOUT]
            if int(metadata[CHECK]) != crc32c(about):
                raise ValueError("its description is damaged")
            told = json.loads(about)
            if told["version"] != VERSION:
                raise ValueError(f"version {told['version']}")
            return cls(
                path,
                bytes.fromhex(told["sync"]),
                told["end"],
                told["records"],
                {LEVELS.index(level["width_ns"]): level["rows"] for level in told["levels"]},
                frozenset(told["signals"]),
                told["crc"],
            )
        except UNUSABLE as error:
            raise ArchiveError(f"{path.name}: {error}") from error

    @property
    def finest(self) -> int | None:
        """The finest level; None: there is none."""
        return min(self.rows, default=None)

    def read(self, signal: str, level: int) -> Rollup:
        """The rows of a signal at a level that is not finer than the finest; ArchiveError where they are damaged."""
        try:
            return self._read(signal, max(stored for stored in self.rows if stored <= level)).at(
                LEVELS[level]
            )
        except UNUSABLE as error:
            raise ArchiveError(f"{self.path.name}: {error}") from error

    def _read(self, signal: str, level: int) -> Rollup:
        batch = list(self.rows).index(level)
        names = ["start_ns", *(self._stored(name, signal) for name in NAMES)]
        with pa.OSFile(os.fspath(self.path)) as file:
            if file.size() <= SMALL:
                read = pa.ipc.open_file(pa.py_buffer(file.read())).get_batch(batch)
            else:
                order = {name: place for place, name in enumerate(self._crc)}
                options = pa.ipc.IpcReadOptions(included_fields=sorted({order[name] for name in names}))
                read = pa.ipc.open_file(file, options=options).get_batch(batch)
        columns = {}
        for name in set(names):
            column = read.column(name).to_numpy()
            if _crc(column) != self._crc[name][batch]:
                raise ValueError(f"{name} is damaged")
            columns[name] = column
        return Rollup(LEVELS[level], columns["start_ns"], _rows(columns, names[1:]))

    def _stored(self, name: str, signal: str) -> str:
        """The column of an aggregate of a signal."""
        own = f"{name}:{signal}"
        return name if name in SHARED and own not in self._crc else own


def has_rollup(path: Path) -> bool:
    """Whether a segment has a rollup that is of it as it is now."""
    try:
        rollup = RollupFile.open(path)
    except ArchiveError:
        return False
    with Segment(path) as segment:
        return (rollup.sync, rollup.end) == (segment.head.sync, segment.end)


def make_rollup(path: Path, check: Callable[[], None]) -> Path:
    """Make the rollup of a segment that is written no more, at once and for good; `check` is called often.

    ArchiveError when a block of it cannot be read, OSError when the rollup cannot be written.
    """
    with Segment(path) as segment:
        entries, schema = entry_array(segment.entries), segment.head.plan.schema
        names = [one.name for one in schema.signals if one.type in NUMERIC and one.name != schema.time]
        finest = finest_level(entries)
        if finest is None:  # times at the very ends of what int64 holds
            names, finest, entries = [], len(LEVELS), entries[:0]
        width = LEVELS[min(finest, len(LEVELS) - 1)]
        parts, lost = roll_up_blocks(segment, entries, ["", *names], width, check)
        if lost:
            raise ArchiveError(f"{lost} places in {path.name} cannot be read")
        levels: list[dict[str, int]] = []
        columns: list[dict[str, Array]] = []
        for level in range(finest, len(LEVELS)):
            check()
            if levels and levels[-1]["rows"] <= FEW:
                break
            at = {name: rollup.at(LEVELS[level]) for name, rollup in parts.items()}
            columns.append(_columns(at, list(columns[0]) if columns else None))
            levels.append({"width_ns": LEVELS[level], "rows": len(columns[-1]["start_ns"])})
        stored = list(columns[0]) if columns else []
        about = {
            "version": VERSION,
            "sync": segment.head.sync.hex(),
            "end": segment.end,
            "records": int(entries["count"].sum()),
            "levels": levels,
            "signals": [name for name in parts if name],
            "crc": {name: [_crc(level[name]) for level in columns] for name in stored},
        }
        status = path.stat()
    return _write(path, json.dumps(about).encode(), stored, columns, status)


def _crc(column: Array) -> int:
    bare: Any = np.ascontiguousarray(column).view(np.uint8)
    return crc32c(bare)


def _columns(parts: Mapping[str, Rollup], own: Sequence[str] | None) -> dict[str, Array]:
    """The columns of one level; `own` names those of the finest one, which tells what a signal shares with the records."""
    columns: dict[str, Array] = {"start_ns": parts[""].start_ns}
    columns |= {name: column for name, column in zip(NAMES, parts[""].rows, strict=True) if name in SHARED}
    for signal, rollup in parts.items():
        placed = {}
        for name, column in zip(NAMES, rollup.rows, strict=True):
            stored = f"{name}:{signal}"
            if signal and (
                stored in own if own else name not in SHARED or not np.array_equal(column, columns[name])
            ):
                placed[stored] = column
        columns |= placed
    return columns


def _rows(columns: Mapping[str, Array], names: Sequence[str]) -> Rows:
    rows: Any = tuple(columns[name] for name in names)
    return cast("Rows", rows)


def _write(
    path: Path,
    about: bytes,
    names: Sequence[str],
    levels: Sequence[Mapping[str, Array]],
    status: os.stat_result,
) -> Path:
    schema = pa.schema(
        [pa.field(name, pa.from_numpy_dtype(levels[0][name].dtype), nullable=False) for name in names],
        metadata={ABOUT: about, CHECK: str(crc32c(about)).encode()},
    )
    target, temporary = rollup_path(path), temporary_path(path)
    with temporary.open("wb") as file:
        take_after(file.fileno(), status)
        with pa.ipc.new_file(file, schema) as writer:
            for columns in levels:
                writer.write_batch(
                    pa.record_batch([pa.array(columns[name]) for name in names], schema=schema)
                )
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    sync_folder(target.parent)
    return target
