"""The answer of a statement as a file: JSON, CSV, Arrow or Parquet, written a batch at a time up to a limit."""

import base64
import csv
import datetime
import io
from collections.abc import Callable, Iterator
from decimal import Decimal
from math import isfinite
from typing import Any, BinaryIO

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from speeddata.errors import FormatError, TimeError
from speeddata.pivot.spreadsheet import plain
from speeddata.times import format_time

__all__ = ["FORMATS", "Failed", "TooLarge", "write"]

FORMATS = {
    "json": "application/json",
    "columns": "application/json",
    "csv": "text/csv; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
    "parquet": "application/vnd.apache.parquet",
}
LARGEST = 2**63
TICKS = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


class TooLarge(Exception):
    """The answer has more bytes than it may."""


class Failed(Exception):
    """The statement failed while it gave its answer; the words are DuckDB's."""


class _Limited:
    """Counts rows up to a limit, and the bytes of a file."""

    def __init__(self, reader: pa.RecordBatchReader, file: BinaryIO, rows: int | None, size: int) -> None:
        self.schema = reader.schema
        self._reader, self._file = reader, file
        self._limit, self._size = rows, size
        self.rows = 0
        self.truncated = False

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        while (batch := self._next()) is not None:
            if self._limit is not None and self.rows + len(batch) > self._limit:
                self.truncated = True
                batch = batch.slice(0, self._limit - self.rows)
            self.rows += len(batch)
            if len(batch):
                yield batch
            self.check(self._file.tell())
            if self.truncated:
                return

    def _next(self) -> pa.RecordBatch | None:
        try:
            return self._reader.read_next_batch()
        except StopIteration:
            return None
        except (OSError, pa.ArrowException) as error:
            raise Failed(str(error)) from error

    def check(self, size: int) -> None:
        if size > self._size:
            raise TooLarge


def write(
    reader: pa.RecordBatchReader, types: list[str], form: str, file: BinaryIO, rows: int | None, size: int
) -> tuple[int, bool]:
    """Write what a statement gives, at most so many rows; the number of rows, and whether there were more.

    `types` are the columns' types in SQL. TooLarge when it is more than `size` bytes; Failed when the statement failed;
    FormatError when the format cannot hold it.
    """
    batches = _Limited(reader, file, rows, size)
    writers: dict[str, Callable[[_Limited, list[str], BinaryIO], None]] = {
        "json": _write_rows,
        "columns": _write_columns,
        "csv": _write_csv,
        "arrow": _write_arrow,
        "parquet": _write_parquet,
    }
    try:
        writers[form](batches, types, file)
    except pa.ArrowNotImplementedError as error:
        raise FormatError(f"{form} cannot hold this answer: {error}") from error
    batches.check(file.tell())
    return batches.rows, batches.truncated


def _write_rows(batches: _Limited, types: list[str], file: BinaryIO) -> None:
    file.write(b'{"columns":' + _json(_described(batches.schema, types)) + b',"rows":[')
    comma = b""
    for batch in batches:
        # A small batch at a time: Python's objects take many times the memory of a column.
        for at in range(0, len(batch), 8192):
            columns = [_values(column) for column in batch.slice(at, 8192).columns]
            rows = _json(list(zip(*columns, strict=True)))
            file.write(comma + rows[1:-1])
            comma = b","
            batches.check(file.tell())
    file.write(b'],"truncated":' + _json(batches.truncated) + b"}")


def _write_columns(batches: _Limited, types: list[str], file: BinaryIO) -> None:
    parts = [io.BytesIO() for _ in types]
    for batch in batches:
        for part, column in zip(parts, batch.columns, strict=True):
            part.write((b"," if part.tell() else b"") + _json(_values(column))[1:-1])
        batches.check(sum(part.tell() for part in parts))
    file.write(b'{"columns":' + _json(_described(batches.schema, types)) + b',"values":[')
    for place, part in enumerate(parts):
        file.write((b"," if place else b"") + b"[" + part.getvalue() + b"]")
    file.write(b'],"truncated":' + _json(batches.truncated) + b"}")


def _write_csv(batches: _Limited, _: list[str], file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, "utf-8", newline="", write_through=True)
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow(batches.schema.names)
    for batch in batches:
        out.writerows(
            zip(*[[_cell(value) for value in _values(column)] for column in batch.columns], strict=True)
        )
        text.flush()
    text.detach()


def _write_arrow(batches: _Limited, _: list[str], file: BinaryIO) -> None:
    with pa.ipc.new_stream(file, batches.schema) as out:
        for batch in batches:
            out.write_batch(batch)


def _write_parquet(batches: _Limited, _: list[str], file: BinaryIO) -> None:
    with pq.ParquetWriter(file, batches.schema, compression="zstd") as out:
        for batch in batches:
            out.write_batch(batch)


def _described(schema: pa.Schema, types: list[str]) -> list[dict[str, str]]:
    return [{"name": name, "type": type_} for name, type_ in zip(schema.names, types, strict=True)]


def _values(column: pa.Array) -> list[Any]:
    """The values of a column as JSON has them."""
    if pa.types.is_timestamp(column.type):
        return _stamps(column)
    if pa.types.is_floating(column.type):
        return [value if value is not None and isfinite(value) else None for value in column.to_pylist()]
    return list(column.to_pylist())


def _stamps(column: pa.Array) -> list[str | None]:
    ticks, zone = TICKS[column.type.unit], "Z" if column.type.tz else ""
    values = column.cast(pa.int64()).to_pylist()
    return [None if value is None else _stamp(value, ticks, zone) for value in values]


def _stamp(value: int, ticks: int, zone: str) -> str:
    try:
        return format_time(value * ticks).removesuffix("Z") + zone
    except TimeError:  # beyond the years of int64 nanoseconds
        if abs(value) >= LARGEST - 1:
            return "infinity" if value > 0 else "-infinity"
        return f"{np.datetime64(value * (ticks // 1000 or 1), 'us')}{zone}"


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return plain(value)
    if value is None or isinstance(value, int | float):
        return value
    told = _json(value).decode()
    return plain(told.strip('"')) if told.startswith('"') else told


def _json(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain, option=orjson.OPT_NON_STR_KEYS)


def _plain(value: Any) -> Any:
    """What JSON has no word for."""
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value()
        return (int(value) if abs(value) < LARGEST else str(value)) if whole else float(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, pa.MonthDayNano):
        return f"P{value.months}M{value.days}DT{Decimal(value.nanoseconds) / 10**9:f}S"
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    return str(value)
