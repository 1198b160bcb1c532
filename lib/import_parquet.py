"""Parquet files to be imported."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from speeddata.csv_detect import TIME_NAMES
from speeddata.errors import FormatError
from speeddata.import_options import ImportOptions
from speeddata.import_tables import ROWS, Kind, TableFile
from speeddata.stamps import times_of, to_ns
from speeddata.table import Array, Table

__all__ = ["open_parquet"]

UNITS = {b"speeddata.unit", b"unit"}


def open_parquet(path: Path, options: ImportOptions) -> TableFile:
    """Open a file; FormatError for one that is none, or has no time."""
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise FormatError(f"{path} is no Parquet file, or a damaged one: {error}") from None
    schema = file.schema_arrow
    time = _time_column(path, schema, options)
    kinds: dict[str, Kind] = {}
    notes = []
    for one in schema:
        if one.name == time:
            continue
        kind = _kind(one)
        if kind is None:
            notes.append(f"column {one.name!r} of type {one.type} is left out")
        else:
            kinds[one.name] = kind

    def tables() -> Iterator[tuple[str, Table]]:
        for batch in file.iter_batches(ROWS, columns=[time, *kinds]):
            column = batch.column(batch.schema.get_field_index(time))
            columns = {
                name: _array(batch.column(batch.schema.get_field_index(name)), kind)
                for name, kind in kinds.items()
            }
            yield "", Table(_times(column, options), columns)

    about = {"format": "Parquet", "time": repr(time), "time type": str(schema.field(time).type)}
    return TableFile(path.stem, about, kinds, file.metadata.num_rows, tables, notes, close=file.close)


def _time_column(path: Path, schema: pa.Schema, options: ImportOptions) -> str:
    names: list[str] = list(schema.names)
    if options.time_column:
        if len(options.time_column) > 1 or options.time_column[0] not in names:
            raise FormatError(
                f"{path} has no column {'+'.join(options.time_column)!r}, only {', '.join(names)}"
            )
        return options.time_column[0]
    called = [name for name in names if name.lower() in TIME_NAMES]
    stamps = [str(one.name) for one in schema if pa.types.is_timestamp(one.type)]
    for name in (*(n for n in called if n in stamps), *stamps, *called):
        return name
    raise FormatError(f"{path} has no column of times, of {', '.join(names)}: --time-column names one")


def _times(column: Any, options: ImportOptions) -> Array:
    if column.null_count:
        raise FormatError(f"{column.null_count} times are null")
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        zoneless = pa.types.is_timestamp(column.type) and column.type.tz is None
        if zoneless and options.zone not in (None, "UTC"):
            column = pc.assume_timezone(column, options.zone, ambiguous="earliest", nonexistent="latest")
        try:
            whole = column.cast(pa.timestamp("ns", getattr(column.type, "tz", None)))
        except pa.ArrowInvalid:
            raise FormatError("a time is outside of the years 1677 to 2262") from None
        return np.asarray(whole.cast(pa.int64()).to_numpy(zero_copy_only=False))
    values = column.to_numpy(zero_copy_only=False)
    return to_ns(values, options.time_unit) if values.dtype.kind in "iuf" else times_of(values)


def _kind(one: pa.Field) -> Kind | None:
    unit = next((value.decode() for key, value in (one.metadata or {}).items() if key in UNITS), "")
    types, given = pa.types, one.type
    if types.is_dictionary(given):
        given = given.value_type
    if types.is_boolean(given):
        return Kind("boolean", unit=unit)
    if types.is_integer(given):
        small = given.bit_width < 32 or (given.bit_width == 32 and types.is_signed_integer(given))
        return Kind("int" if small else "long", unit=unit)
    if types.is_floating(given):
        return Kind("double" if given.bit_width == 64 else "float", unit=unit)
    if types.is_decimal(given):
        return Kind("double", unit=unit)
    if types.is_string(given) or types.is_large_string(given):
        return Kind("string", unit=unit)
    if types.is_binary(given) or types.is_large_binary(given):
        return Kind("bytes", unit=unit)
    if types.is_timestamp(given):
        return Kind("long", unit="ns")
    if types.is_list(given) or types.is_large_list(given) or types.is_fixed_size_list(given):
        inner = _kind(given.value_field)
        return (
            Kind(inner.type, True, unit)
            if inner and inner.type in ("int", "long", "float", "double")
            else None
        )
    return None


def _array(column: Any, kind: Kind) -> Array:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("ns", column.type.tz)).cast(pa.int64())
    if kind.array or kind.type in ("string", "bytes"):
        made = np.empty(len(column), object)
        for row, value in enumerate(column.to_pylist()):
            made[row] = value
        return made
    if not column.null_count:
        return np.asarray(column.to_numpy(zero_copy_only=False))
    empty = pa.scalar(False if kind.type == "boolean" else 0).cast(column.type)
    filled = column.fill_null(empty).to_numpy(zero_copy_only=False)
    return np.ma.MaskedArray(filled, column.is_null().to_numpy(zero_copy_only=False))
