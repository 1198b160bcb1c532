"""Results as JSON, CSV or an Arrow stream, in pieces."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
from pyarrow import csv

from speeddata.buckets import Buckets
from speeddata.iso_times import iso_json
from speeddata.pivot.arrow_types import plain_json
from speeddata.pivot.query_words import Result, Series
from speeddata.pivot.spreadsheet import plain
from speeddata.table import Array
from speeddata.times import format_time

__all__ = ["FORMATS", "OPTIONS", "TIMES", "Shape", "range_text", "write_result"]

FORMATS = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
}
TIMES = ("iso", "ns", "us", "ms", "s")
TICKS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9}
ROWS = 1 << 15  # that are written at a time
OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
UTC = pa.timestamp("ns", "UTC")


@dataclass(frozen=True)
class Shape:
    """How a result is told."""

    format: str = "json"
    rows: bool = False  # of JSON: a list for each record instead of one for each column
    time: str = "iso"  # or a unit of numbers


def write_result(
    result: Result, about: Mapping[str, Any], shape: Shape, check: Callable[[], None]
) -> Iterator[bytes]:
    """The pieces of an answer; JSON begins with what it is about. `check` is called between them."""
    if shape.format == "json":
        for piece in _json(result, about, shape):
            check()
            yield piece
        return
    yield from _tables(result, shape, check)


def describe(every: Buckets | None) -> dict[str, Any] | None:
    """Buckets as an answer tells them."""
    if every is None:
        return None
    width = {"months": every.months} if every.months else {"width_ns": every.width_ns}
    return width | {"zone": every.zone}


def _json(result: Result, about: Mapping[str, Any], shape: Shape) -> Iterator[bytes]:
    head = {**about, "every": describe(result.every), "cursor": result.cursor, "damages": result.damages}
    yield orjson.dumps(head, option=OPTIONS)[:-1] + b',"series":['
    for place, series in enumerate(result.series):
        told = {"channel": series.channel, "units": series.units, "count": len(series.time_ns)}
        yield (b"," if place else b"") + orjson.dumps(told)[:-1]
        yield from _json_rows(series, shape) if shape.rows else _json_columns(series, shape)
        yield b"}"
    yield b"]}"


def _json_columns(series: Series, shape: Shape) -> Iterator[bytes]:
    yield b',"time":['
    yield from _pieces(len(series.time_ns), lambda rows: _json_times(series.time_ns[rows], shape.time))
    yield b'],"columns":{'
    for place, (name, column) in enumerate(series.columns.items()):
        yield (b"," if place else b"") + orjson.dumps(name) + b":["
        yield from _pieces(len(column), lambda rows, column=column: _json_list(column[rows]))  # type: ignore[misc]
        yield b"]"
    yield b"}"


def _json_rows(series: Series, shape: Shape) -> Iterator[bytes]:
    yield b',"columns":' + orjson.dumps(["time", *series.columns]) + b',"rows":['

    def rows_of(rows: slice) -> bytes:
        times = orjson.loads(b"[" + _json_times(series.time_ns[rows], shape.time) + b"]")
        columns = [column[rows].tolist() for column in series.columns.values()]
        return orjson.dumps(list(zip(times, *columns, strict=True)), default=plain_json, option=OPTIONS)[1:-1]

    yield from _pieces(len(series.time_ns), rows_of)
    yield b"]"


def _pieces(count: int, write: Callable[[slice], bytes]) -> Iterator[bytes]:
    for at in range(0, count, ROWS):
        yield (b"," if at else b"") + write(slice(at, at + ROWS))


def _json_times(times: Array, form: str) -> bytes:
    times = np.ascontiguousarray(times)
    return iso_json(times) if form == "iso" else orjson.dumps(times // TICKS[form], option=OPTIONS)[1:-1]


def _json_list(column: Array) -> bytes:
    """A column as what stands in a list of JSON: null for null, NaN and what is infinite."""
    if isinstance(column, np.ma.MaskedArray):
        column = np.ascontiguousarray(column.data) if not column.mask.any() else column.tolist()
    elif column.dtype == object:
        column = column.tolist()
    else:
        column = np.ascontiguousarray(column)
    return orjson.dumps(column, default=plain_json, option=OPTIONS)[1:-1]


def _tables(result: Result, shape: Shape, check: Callable[[], None]) -> Iterator[bytes]:
    """One table of all series, with a column for the channel where there are several."""
    texts = shape.format == "csv"
    several = len(result.series) > 1
    columns = {name: column for series in result.series for name, column in series.columns.items()}
    arrays = [
        {name: _arrow(column, texts) for name, column in series.columns.items()} for series in result.series
    ]
    types = {name: _common([each[name].type for each in arrays if name in each]) for name in columns}
    fields = [("channel", pa.string())] * several + [("time", _time_type(shape)), *types.items()]
    schema = pa.schema(fields, metadata=None if texts else _metadata(result))
    made: list[bytes] = []
    out = _Sink(made)
    with _writer(out, schema, texts) as writer:
        for series, own in zip(result.series, arrays, strict=True):
            for at in range(0, len(series.time_ns), ROWS):
                check()
                rows = slice(at, at + ROWS)
                length = len(series.time_ns[rows])
                batch = [pa.repeat(plain(series.channel) if texts else series.channel, length)] * several
                batch.append(_time_array(series.time_ns[rows], shape))
                for name, type_ in types.items():
                    batch.append(
                        _cast(own[name].slice(at, ROWS), type_) if name in own else pa.nulls(length, type_)
                    )
                writer.write_batch(pa.record_batch(batch, schema=schema))
                yield from _taken(made)
    yield from _taken(made)


def _common(types: list[Any]) -> Any:
    """The type of a column that series have in several."""
    if all(type_ == types[0] for type_ in types):
        return types[0]
    numbers = all(pa.types.is_integer(type_) or pa.types.is_floating(type_) for type_ in types)
    return pa.float64() if numbers else pa.string()


def _cast(values: Any, type_: Any) -> Any:
    if values.type == type_ or not pa.types.is_nested(values.type):
        return values.cast(type_, safe=False)
    return pa.array([None if value is None else str(value) for value in values.to_pylist()], type_)


class _Sink:
    """A file to write to, whose pieces are taken away."""

    closed = False

    def __init__(self, made: list[bytes]) -> None:
        self._made = made

    def write(self, data: Any) -> int:
        self._made.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False


def _writer(out: _Sink, schema: pa.Schema, texts: bool) -> Any:
    if not texts:
        return pa.ipc.new_stream(out, schema)
    options = csv.WriteOptions(eol="\r\n", batch_size=ROWS, quoting_style="needed")
    return csv.CSVWriter(out, schema, write_options=options)


def _taken(made: list[bytes]) -> Iterator[bytes]:
    if made:
        yield b"".join(made)
        made.clear()


def _metadata(result: Result) -> dict[str, str]:
    units = {name: unit for series in result.series for name, unit in series.units.items() if unit}
    told = {"units": orjson.dumps(units).decode(), "damages": str(result.damages)}
    return told | ({"cursor": result.cursor} if result.cursor else {})


def _time_type(shape: Shape) -> Any:
    if shape.time != "iso":
        return pa.int64()
    return pa.string() if shape.format == "csv" else UTC


def _time_array(times: Array, shape: Shape) -> Any:
    times = np.ascontiguousarray(times)
    if shape.time != "iso":
        return pa.array(times // TICKS[shape.time])
    if shape.format == "csv":
        return pa.array(orjson.loads(b"[" + iso_json(times) + b"]"), pa.string())
    return pa.array(times).cast(UTC)


def _arrow(column: Array, texts: bool) -> Any:
    """A column as Arrow has it; for CSV anything but numbers is text."""
    if isinstance(column, np.ma.MaskedArray):
        return pa.array(column.data, mask=np.ma.getmaskarray(column))
    if column.dtype != object and column.ndim == 1:
        made = pa.array(np.ascontiguousarray(column))
        if texts and column.dtype.kind == "f":
            made = pa.array(np.ascontiguousarray(column), mask=~np.isfinite(column))
        return made
    values = list(column)
    if all(value is None or isinstance(value, str) for value in values):
        return pa.array([plain(value) for value in values] if texts else values, pa.string())
    if not texts and all(value is None or isinstance(value, bytes) for value in values):
        return pa.array(values, pa.binary())
    if not texts and all(isinstance(value, np.ndarray) for value in values):
        return pa.array([np.asarray(value).tolist() for value in values])
    told = [
        None if value is None else orjson.dumps(value, default=plain_json, option=OPTIONS).decode()
        for value in values
    ]
    return pa.array([plain(value) for value in told] if texts else told, pa.string())


def range_text(start_ns: int, end_ns: int) -> dict[str, str]:
    """A range as an answer tells it, its end not included."""
    return {"start": format_time(start_ns), "end": format_time(min(end_ns + 1, 2**63 - 1))}
