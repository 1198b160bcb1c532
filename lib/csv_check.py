"""A range of a CSV file, from line to line: examined, or made to records. Called from several threads at once."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from speeddata.csv_layout import Kind, Layout
from speeddata.csv_line import BLANK, NAMES_AGAIN, TAKEN, Lines
from speeddata.csv_scan import MAX_LINE, Scan
from speeddata.csv_zones import Seen

__all__ = ["Bad", "Facts", "Piece", "examine", "records"]

STEP = 1 << 20  # bytes that are read at once: what is read stays in the processor's cache
# Bytes of records after which a body ends: far below what the service takes. Keys are made by it.
FULL = 16 << 20


@dataclass(frozen=True)
class Piece:
    """A range of a file."""

    start: int
    stop: int
    seek: bool = False  # the first line that begins in it is to be looked for
    first_line: int = 0  # lines of the file before it
    first_row: int = 0


@dataclass(frozen=True)
class Bad:
    """A line that was refused."""

    line: int  # its number in the file, from 1
    reason: str
    text: bytes


@dataclass
class Facts:
    """What a range has."""

    start: int  # offset of its first line,
    stop: int  # and of the line after its last one
    crc: int = 0
    rows: int = 0
    lines: int = 0
    blanks: int = 0
    names_again: int = 0
    bad: list[Bad] = field(default_factory=list)
    bad_count: int = 0
    first_ns: int = 0
    last_ns: int = 0
    lowest_ns: int = 0
    highest_ns: int = 0
    backward: int = 0
    equal: int = 0
    finest: int = 0
    finer: bool = False
    kinds: tuple[Kind, ...] = ()
    nulls: tuple[int, ...] = ()
    largest: tuple[int, int] = (0, 0)
    keys: Mapping[bytes, int] = field(default_factory=dict)  # rows of each
    seen: Seen = ((), None)


def examine(fd: int, size: int, layout: Layout, names: Sequence[str], piece: Piece, keep_bad: int) -> Facts:
    """Look at each line that begins in a range."""
    scan = Scan(layout)
    scan.number = piece.first_row
    facts = Facts(piece.start, piece.stop)
    lines = Lines(layout, names)

    def refuse(reason: str, raw: bytes) -> None:
        facts.bad_count += 1
        if len(facts.bad) < keep_bad:
            facts.bad.append(Bad(scan.lines + 1, reason, raw))

    for _ in _steps(fd, size, scan, lines, piece, refuse, facts):
        pass
    facts.rows, facts.lines = scan.rows, scan.lines
    facts.blanks += scan.blanks
    facts.first_ns, facts.last_ns = scan.first_ns, scan.last_ns
    facts.lowest_ns, facts.highest_ns = scan.lowest_ns, scan.highest_ns
    facts.backward, facts.equal = scan.backward, scan.equal
    facts.finest, facts.finer = scan.finest, scan.finer
    facts.kinds, facts.nulls = tuple(map(Kind, scan.kinds())), tuple(scan.nulls())
    facts.largest, facts.seen = scan.largest(), scan.take_events()
    facts.keys = dict(zip(scan.keys or [b""], scan.counts(), strict=True))
    return facts


def records(
    fd: int,
    size: int,
    layout: Layout,
    names: Sequence[str],
    piece: Piece,
    keys: Sequence[bytes],
    folds: Sequence[tuple[int, int]],
) -> tuple[list[tuple[int, int, bytes]], int]:
    """Make the records of a range: for each key that has some its number, how many, and their bytes; and the range's CRC-32C.

    Where they become too many for one body, a key has several.
    """
    scan = Scan(layout, encode=True, keys=keys, folds=folds)
    scan.number = piece.first_row
    facts = Facts(piece.start, piece.stop)
    lines = Lines(layout, names, settled=True)
    made: list[tuple[int, int, bytes]] = []
    for _ in _steps(fd, size, scan, lines, piece, lambda _reason, _raw: None, facts):
        if scan.made > FULL:
            made += scan.take()
    return made + scan.take(), facts.crc


def _steps(
    fd: int,
    size: int,
    scan: Scan,
    lines: Lines,
    piece: Piece,
    refuse: Callable[[str, bytes], None],
    facts: Facts,
) -> Iterator[None]:
    """Scan a range step by step; tell where it begins and ends, its checksum, and what was left out."""
    at = _next_line(fd, piece.start - 1, size) if piece.seek and piece.start else piece.start
    facts.start = at
    while at < piece.stop:
        scan.load(fd, at, min(at + STEP, piece.stop), size)
        while scan.run() is not None:
            verdict = _take(fd, size, scan, lines, refuse)
            facts.names_again += verdict == NAMES_AGAIN
            facts.blanks += verdict == BLANK
        facts.crc = scan.crc(facts.crc)
        at = scan.position
        yield
    facts.stop = at


def _take(fd: int, size: int, scan: Scan, lines: Lines, refuse: Callable[[str, bytes], None]) -> str:
    """Take the line that the scan cannot."""
    raw = scan.line()
    if raw is None:
        start = scan.position
        end = _next_line(fd, start, size)
        refuse(f"longer than {MAX_LINE} bytes", os.pread(fd, min(end - start, MAX_LINE), start))
        scan.jump(end, 1)
        return "long"
    verdict = lines.take(scan, raw, scan.position + len(raw) >= size)
    inside = raw.find(b"\n") + 1
    if verdict not in (TAKEN, BLANK, NAMES_AGAIN) and 0 < inside < len(raw):
        # The quote that joined lines was perhaps none: let the first line stand for itself.
        first = lines.take(scan, raw[:inside], False)
        raw, verdict = raw[:inside], first
    if verdict not in (TAKEN, BLANK, NAMES_AGAIN):
        refuse(verdict, raw)
    scan.skip(len(raw), max(1, raw.count(b"\n")))
    return verdict


def _next_line(fd: int, start: int, size: int) -> int:
    """Where the line after a long one begins."""
    at = start
    while data := os.pread(fd, MAX_LINE, at):
        if (place := data.find(b"\n")) >= 0:
            return at + place + 1
        at += len(data)
    return size
