"""Files that are columns already, to be imported: Parquet, HDF5 and Avro, read table by table."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np

from speeddata.blocks import crc32c
from speeddata.errors import FormatError
from speeddata.import_names import signal_names
from speeddata.import_options import ImportOptions
from speeddata.import_plan import UNITS, Chunk, Fit, Found, ImportField, Records
from speeddata.plan import Plan
from speeddata.rows import encode
from speeddata.stamps import NO_TIME
from speeddata.table import Array, Table
from speeddata.times import SCALES, format_time

__all__ = ["ROWS", "Kind", "TableFile", "TableSource", "kind_of_array", "unit_of_times"]

ROWS, PIECE = 1 << 19, 8 << 20  # rows and bytes of a piece that is sent at once, about
EXAMPLES = 5


@dataclass(frozen=True)
class Kind:
    """What a column holds."""

    type: str  # Avro's word
    array: bool = False
    unit: str = ""


@dataclass
class TableFile:
    """A file that gives tables; made by one of the modules import_parquet, import_hdf5, import_avro."""

    name: str
    about: dict[str, str]
    kinds: dict[str, Kind]  # of its columns, by heading
    total: int  # rows, as far as is known
    tables: Callable[
        [], Iterator[tuple[str, Table]]
    ]  # with the value that names the channel; "" where none does
    notes: list[str] = field(default_factory=list)
    schema: dict[str, Any] | None = None  # Avro's, which is taken over
    close: Callable[[], None] = lambda: None


class Opened(Protocol):
    def __call__(self, options: ImportOptions) -> TableFile: ...


class TableSource:
    """Imports what a `TableFile` gives."""

    def __init__(self, file: TableFile, options: ImportOptions) -> None:
        self.file = file
        self.options = options
        self.keys: list[str] = []
        self.headings = self._chosen()
        self.names = dict(zip(self.headings, signal_names(self.headings), strict=True))

    def close(self) -> None:
        self.file.close()

    def _chosen(self) -> list[str]:
        """The columns that are imported."""
        for asked in (*self.options.without, *(name for name, _ in self.options.columns)):
            if asked not in self.file.kinds:
                raise FormatError(
                    f"there is no column {asked!r}, only {', '.join(map(repr, self.file.kinds))}"
                )
        wanted = [name for name, _ in self.options.columns] or list(self.file.kinds)
        left = {*self.options.without, self.options.by}
        chosen = [name for name in wanted if name not in left]
        if not chosen:
            raise FormatError("no column is left besides the time")
        return chosen

    def examine(self, progress: Callable[[int, int], None]) -> Found:
        """Look at all rows."""
        nulls: dict[str, bool] = dict.fromkeys(self.headings, False)
        lowest, highest, unit, total = 2**63 - 1, -(2**63), 0, 0
        counts: dict[str, int] = {}
        chunks, digest = [], hashlib.sha256()
        examples: list[list[str]] = []
        for number, (key, table) in enumerate(self._pieces()):
            _check_times(table)
            for name in self.headings:
                nulls[name] = nulls[name] or has_nulls(table.columns[name])
            if len(table):
                lowest, highest = (
                    min(lowest, int(table.time_ns.min())),
                    max(highest, int(table.time_ns.max())),
                )
            unit = max(unit, unit_of_times(table.time_ns))
            total += len(table)
            counts[key] = counts.get(key, 0) + len(table)
            mark = f"{number}-{key}-{_sum(table):08x}"
            digest.update(mark.encode())
            chunks.append(Chunk(mark, len(table), len(table)))
            examples += self._examples(table, EXAMPLES - len(examples))
            progress(total, max(self.file.total, total))
        self.keys = list(counts)
        known = self._types(nulls)
        return Found(
            rows=total, fields=known, time_unit=UNITS[unit], first_ns=lowest if total else 0, last_ns=highest if total else 0,
            keys=counts or {"": 0}, about=self.file.about, chunks=chunks, identity=digest.hexdigest(),
            notes=list(self.file.notes), examples=examples, schema=self._schema(),
        )  # fmt: skip

    def _schema(self) -> dict[str, Any] | None:
        plain = not (self.options.columns or self.options.without or self.options.by)
        return self.file.schema if plain else None

    def _types(self, nulls: Mapping[str, bool]) -> list[ImportField]:
        made = []
        for heading in self.headings:
            kind = self.file.kinds[heading]
            made.append(
                ImportField(self.names[heading], kind.type, nulls[heading], kind.unit, heading, kind.array)
            )
        return made

    def _pieces(self) -> Iterator[tuple[str, Table]]:
        """Tables of one channel each, none of them large."""
        for key, table in self.file.tables():
            rows = max(1, min(ROWS, PIECE // _row_size(table)))
            for start in range(0, len(table), rows):
                piece = table.take(slice(start, start + rows))
                if self.options.by is None:
                    yield key, piece
                else:
                    yield from self._split(piece)

    def _split(self, table: Table) -> Iterator[tuple[str, Table]]:
        by = self.options.by or ""
        if by not in table.columns:
            raise FormatError(f"there is no column {by!r}, only {', '.join(map(repr, table.columns))}")
        values = [str(value) for value in table.columns[by].tolist()]
        rows: dict[str, list[int]] = {}
        for row, value in enumerate(values):
            rows.setdefault(value, []).append(row)
        for value, places in rows.items():
            yield value, table.take(np.array(places))

    def jobs(self, fit: Fit, done: set[int]) -> Iterator[tuple[int, Callable[[], Records]]]:
        plan = Plan(fit.schema)
        for number, (key, table) in enumerate(self._pieces()):
            if number not in done:
                yield number, partial(self._records, plan, fit, self.keys.index(key), table)

    def _records(self, plan: Plan, fit: Fit, place: int, table: Table) -> Records:
        scale = SCALES[fit.unit]
        schema = fit.schema
        columns: dict[str, Any] = {self.names[name]: table.columns[name] for name in self.headings}
        if self._schema() is not None:
            columns = {name: table.columns[name] for name in self.headings}
        # numpy's division rounds down; what is not whole in this unit was refused before.
        columns[schema.time] = table.time_ns // scale if scale > 1 else table.time_ns
        for signal in schema.signals:
            if signal.name not in columns:
                columns[signal.name] = [None] * len(table)
        return [(place, len(table), encode(plan, columns))]

    def _examples(self, table: Table, count: int) -> list[list[str]]:
        rows = []
        for row in range(min(max(count, 0), len(table))):
            cells = [str(table.columns[name][row]) for name in self.headings]
            rows.append([format_time(int(table.time_ns[row])), *cells])
        return rows


def _row_size(table: Table) -> int:
    """About how many bytes a record takes."""
    size = 10
    for column in table.columns.values():
        if column.dtype != object:
            size += 1 + column.dtype.itemsize * int(np.prod(column.shape[1:], dtype=np.int64))
            continue
        some = column[:: max(1, len(column) // 1000)].tolist()
        size += 4 + max(
            (8 * len(v) if isinstance(v, list | np.ndarray) else len(v or "") for v in some), default=0
        )
    return size


def _check_times(table: Table) -> None:
    bad = table.time_ns == NO_TIME
    if bad.any():
        raise FormatError(f"{int(bad.sum())} times are missing or outside of the years 1677 to 2262")


def unit_of_times(times: Array) -> int:
    """The coarsest unit that holds all times: 0 s, 1 ms, 2 us, 3 ns."""
    for number, unit in enumerate(UNITS):
        if not (times % SCALES[unit]).any():
            return number
    return 3


def has_nulls(column: Array) -> bool:
    if isinstance(column, np.ma.MaskedArray):
        return bool(np.ma.getmaskarray(column).any())
    return column.dtype == object and any(value is None for value in column.tolist())


def _sum(table: Table) -> int:
    """A checksum of a table's values."""
    crc = crc32c(table.time_ns.tobytes())
    for column in table.columns.values():
        if column.dtype == object:
            crc = crc32c(repr(column.tolist()).encode(), crc)
        else:
            mask = np.ma.getmaskarray(column) if isinstance(column, np.ma.MaskedArray) else None
            data = np.ascontiguousarray(np.ma.getdata(column))
            crc = crc32c(data.tobytes(), crc)
            crc = crc if mask is None else crc32c(np.packbits(mask).tobytes(), crc)
    return crc


KINDS = {"b": "boolean", "f2": "float", "f4": "float", "f8": "double", "i1": "int", "i2": "int", "i4": "int", "i8": "long",
         "u1": "int", "u2": "int", "u4": "long", "u8": "long"}  # fmt: skip


def kind_of_array(column: Array, unit: str = "") -> Kind | None:
    """What a column holds; None for what no signal can be."""
    spelled = f"{column.dtype.kind}{column.dtype.itemsize}"
    plain = KINDS.get("b" if column.dtype.kind == "b" else spelled)
    if plain is not None:
        return (
            Kind(plain, column.ndim > 1, unit)
            if column.ndim <= 2 and not (column.ndim == 2 and plain == "boolean")
            else None
        )
    if column.dtype.kind != "O":
        return None
    filled: Sequence[Any] = [value for value in column.tolist() if value is not None]
    if all(isinstance(value, str) for value in filled):
        return Kind("string", unit=unit)
    if all(isinstance(value, bytes) for value in filled):
        return Kind("bytes", unit=unit)
    if all(isinstance(value, np.ndarray | list) for value in filled):
        types = {kind_of_array(np.asarray(value)) for value in filled if len(value)}
        if len(types) == 1 and (inner := types.pop()) is not None and not inner.array:
            return Kind(inner.type, True, unit)
    return None
