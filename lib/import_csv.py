"""A CSV file to be imported: examined as a whole, in threads, then made to records piece by piece."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from speeddata.csv_check import Facts, Piece, examine, records
from speeddata.csv_detect import Detected, detect_layout
from speeddata.csv_dialect import detect_dialect, read_sample
from speeddata.csv_layout import Kind, Layout
from speeddata.csv_times import compile_format
from speeddata.csv_zones import find_folds
from speeddata.errors import FormatError
from speeddata.import_notes import csv_about, csv_notes
from speeddata.import_options import ImportOptions
from speeddata.import_plan import UNITS, Chunk, Fit, Found, ImportField, Records

__all__ = ["CsvSource"]

PIECE = 12 << 20  # bytes of a file that are made to records, sent and noted at once
EXAMPLES = 5
TYPES = {
    Kind.DOUBLE: "double", Kind.NEW: "double", Kind.FLOAT: "float", Kind.LONG: "long", Kind.INT: "int",
    Kind.FLAG: "boolean", Kind.TEXT: "string",
}  # fmt: skip
KINDS = {
    "double": Kind.DOUBLE, "float": Kind.FLOAT, "long": Kind.LONG, "int": Kind.INT, "boolean": Kind.FLAG, "string": Kind.TEXT
}  # fmt: skip
TIMES = (Kind.TIME, Kind.CLOCK, Kind.EPOCH)


class CsvSource:
    """Reads one file."""

    def __init__(self, path: Path, options: ImportOptions, max_bad: int, threads: int = 2) -> None:
        self.path = path
        self.options = options
        self.max_bad = max_bad
        sample = read_sample(path, options.encoding)
        self.dialect = detect_dialect(
            path, sample, options.delimiter, options.quote, options.decimal, options.header, options.skip
        )
        self.detected: Detected = detect_layout(self.dialect, options)
        self.layout: Layout = replace(self.detected.layout, step_s=self._step())
        self.facts: list[Facts] = []
        self.folds: list[tuple[int, int]] = []
        self.keys: list[bytes] = []
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._size = os.fstat(self._fd).st_size
        self._pool = ThreadPoolExecutor(threads, "csv")

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        os.close(self._fd)

    def examine(self, progress: Callable[[int, int], None]) -> Found:
        """Look at every line."""
        facts = self._settled(progress)
        if self.detected.other_format is not None:
            facts = self._ordered(facts, progress)
        self._number(facts)
        self.facts = [one for one in facts if one.rows or one.bad_count]
        step = self.layout.step_s
        self.folds = find_folds([one.seen for one in facts], step) if self.layout.ambiguous == "order" else []
        counts: dict[bytes, int] = {}
        for one in facts:
            for key, rows in one.keys.items():
                counts[key] = counts.get(key, 0) + rows
        self.keys = list(counts) if any(column.is_key for column in self.layout.columns) else []
        keys = (
            {key.decode(): rows for key, rows in counts.items()} if self.keys else {"": sum(counts.values())}
        )
        return self._found(facts, keys)

    def jobs(self, fit: Fit, done: set[int]) -> Iterator[tuple[int, Callable[[], Records]]]:
        """Each piece's records, made when it is called."""
        layout = self._written(fit)
        for number, piece in enumerate(self._pieces()):
            if number not in done:
                yield number, partial(self._records, layout, piece, self.facts[number])

    def _records(self, layout: Layout, piece: Piece, facts: Facts) -> Records:
        made, crc = records(self._fd, self._size, layout, self._names(), piece, self.keys, self.folds)
        if crc != facts.crc or sum(count for _, count, _ in made) != facts.rows:
            raise FormatError(
                f"{self.path} has changed since it was examined, or its channel cannot hold all its values"
            )
        return made

    def _pieces(self) -> list[Piece]:
        pieces, line, row = [], self.dialect.lines_above, 0
        for one in self.facts:
            pieces.append(Piece(one.start, one.stop, first_line=line, first_row=row))
            line, row = line + one.lines, row + one.rows
        return pieces

    def _names(self) -> Sequence[str]:
        return self.dialect.names if self.dialect.has_names else ()

    def _settled(self, progress: Callable[[int, int], None]) -> list[Facts]:
        """The facts of all pieces, once all agree on the kinds of the columns."""
        while True:
            facts = self._pass(progress)
            told = [one.kinds for one in facts if one.rows]
            joined = {
                place: _join([kinds[place] for kinds in told] or [column.kind])
                for place, column in enumerate(self.layout.columns)
            }
            again = any(
                kinds[place] != kind and kinds[place] not in (Kind.NEW, Kind.LONG)
                for kinds in told
                for place, kind in joined.items()
            )
            self.layout = self.layout.with_kinds(joined)
            if not again:
                return facts

    def _pass(self, progress: Callable[[int, int], None]) -> list[Facts]:
        start = self.dialect.data_start
        starts = range(start, max(self._size, start + 1), PIECE)
        pieces = [Piece(at, min(self._size, at + PIECE), seek=at > start) for at in starts]
        waiting = [self._pool.submit(self._examine, piece) for piece in pieces]
        facts: list[Facts] = []
        at = start
        for piece, one in zip(pieces, waiting, strict=True):
            fact = one.result()
            if fact.start != at:  # a line end in quotes, or a very long line, is where the piece began
                fact = self._examine(Piece(at, max(at, piece.stop)))
            at = max(at, fact.stop)
            facts.append(fact)
            progress(piece.stop - start, self._size - start)
        return facts

    def _examine(self, piece: Piece) -> Facts:
        return examine(self._fd, self._size, self.layout, self._names(), piece, self.max_bad + 1)

    def _ordered(self, facts: list[Facts], progress: Callable[[int, int], None]) -> list[Facts]:
        """Which of two orders of day and month it is: the one that all lines allow. FormatError when both are."""
        bad = sum(one.bad_count for one in facts)
        if not bad and max(one.largest[0] for one in facts) > 12:
            return facts
        first, other = self.layout.programs[0], compile_format(self.detected.other_format or "")
        before = self.layout
        self.layout = replace(before, programs=(other,))
        others = self._settled(progress)
        other_bad = sum(one.bad_count for one in others)
        if other_bad == bad:
            one, two = (
                text.replace("[clock]", "").replace("[:%S]", ":%S") for text in (first.format, other.format)
            )
            raise FormatError(f"all times can be read as {one} and as {two}: --time-format tells which it is")
        if other_bad < bad:
            self.detected.time_format = other.format.replace("[clock]", "").replace("[:%S]", ":%S")
            return others
        self.layout = before
        return facts

    def _number(self, facts: Sequence[Facts]) -> None:
        """Give lines that were refused their numbers in the file."""
        above = self.dialect.lines_above
        for one in facts:
            one.bad = [replace(bad, line=bad.line + above) for bad in one.bad]
            above += one.lines

    def _found(self, facts: Sequence[Facts], keys: dict[str, int]) -> Found:
        filled = [one for one in facts if one.rows]
        rows = sum(one.rows for one in facts)
        bad = [bad for one in facts for bad in one.bad]
        finest = max((one.finest for one in filled), default=0)
        content = " ".join(f"{one.start} {one.stop} {one.crc:08x}" for one in facts)
        lowest = min((one.lowest_ns for one in filled), default=0)
        highest = max((one.highest_ns for one in filled), default=0)
        if self.layout.rate_hz:
            highest = lowest + round((rows - 1) * 1e9 / self.layout.rate_hz)
        return Found(
            rows=rows,
            fields=self._fields(filled),
            time_unit=UNITS[finest],
            first_ns=lowest,
            last_ns=highest,
            keys=keys,
            about=csv_about(self.dialect, self.detected, self.layout),
            chunks=[
                Chunk(f"{one.start}-{one.stop}-{one.crc:08x}", one.stop - one.start, one.rows)
                for one in self.facts
            ],
            identity=hashlib.sha256(f"{self._size} {content}".encode()).hexdigest(),
            bad_count=sum(one.bad_count for one in facts),
            bad=bad,
            notes=csv_notes(facts, self.layout, self._cut(), self.folds),
            examples=self.dialect.rows[:EXAMPLES],
        )

    def _fields(self, facts: Sequence[Facts]) -> list[ImportField]:
        made = []
        for place, column in enumerate(self.layout.columns):
            if column.signal and column.kind != Kind.SKIP:
                nulls = sum(one.nulls[place] for one in facts)
                made.append(
                    ImportField(column.signal, TYPES[column.kind], nulls > 0, column.unit, column.name)
                )
        return made

    def _written(self, fit: Fit) -> Layout:
        """The layout that makes records as a channel has them."""
        places = [place for place, c in enumerate(self.layout.columns) if c.signal and c.kind != Kind.SKIP]
        columns = list(self.layout.columns)
        order = []
        for field, branch, kind in zip(fit.order, fit.branches, fit.types, strict=True):
            order.append(field if field < 0 else places[field])
            if field >= 0:
                columns[places[field]] = replace(columns[places[field]], kind=KINDS[kind], null_branch=branch)
        time = fit.order.index(-1)
        return replace(
            self.layout, columns=tuple(columns), order=tuple(order), null_branches=fit.branches, unit=fit.unit,
            time_kind=fit.types[time], time_branch=fit.branches[time],
        )  # fmt: skip

    def _step(self) -> float:
        """The usual distance of lines in seconds, by the sample; negative where the newest is first."""
        from speeddata.csv_scan import Scan

        layout = self.detected.layout
        if not any(column.kind in TIMES for column in layout.columns):
            return 0.0
        kinds = {place: Kind.SKIP for place, c in enumerate(layout.columns) if c.kind not in TIMES}
        plain = replace(layout, spans=None).with_kinds(kinds)
        scan = Scan(replace(plain, columns=tuple(replace(c, is_key=False) for c in plain.columns)))
        steps, before = [], None
        for row in self.dialect.rows[:500]:
            if scan.add([cell.encode(errors="replace") for cell in row]) is None:
                if before is not None and scan.last_ns != before:
                    steps.append(scan.last_ns - before)
                before = scan.last_ns
        return sorted(steps)[len(steps) // 2] / 1e9 if steps else 0.0

    def _cut(self) -> bool:
        return self._size > 0 and os.pread(self._fd, 1, self._size - 1) != b"\n"


def _join(kinds: Sequence[Kind]) -> Kind:
    """The kind that takes the values of all."""
    told = {kind for kind in kinds if kind != Kind.NEW}
    if len(told) <= 1:
        return next(iter(told), Kind.DOUBLE)
    return Kind.DOUBLE if told == {Kind.LONG, Kind.DOUBLE} else Kind.TEXT
