"""Columns that came as arrays, made to fit a channel's schema: the time in its unit, signals that are missing filled in."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from speeddata.columns import time_ns
from speeddata.errors import RecordError
from speeddata.pivot.ingest_specs import Known
from speeddata.rows import encode
from speeddata.table import Array
from speeddata.times import SCALES
from speeddata.tree import Type
from speeddata.values_json import default_of

__all__ = ["encode_arrays", "listed", "plain_times"]

DTYPES = {"int": np.int32, "long": np.int64, "float": np.float32, "double": np.float64, "boolean": np.bool_}


def plain_times(
    columns: Mapping[str, Any], time: str, given: str | None
) -> tuple[dict[str, Any], str | None]:
    """The columns with times as numbers, and the unit of these: datetime64 becomes int64 ns, None where it is no time."""
    out = dict(columns)
    column = out.get(time)
    if not isinstance(column, np.ndarray) or column.dtype.kind != "M":
        return out, given
    out[time] = ns = np.ma.getdata(column).astype("datetime64[ns]").view(np.int64)
    missing = np.isnat(np.ma.getdata(column)) | np.ma.getmaskarray(column)
    if missing.any():
        out[time] = np.ma.MaskedArray(ns, missing)
    return out, "ns"


def encode_arrays(
    known: Known, columns: Mapping[str, Any], given: str | None, ignore_unknown: bool
) -> tuple[bytes, int | None]:
    """Encode columns, `given` being the unit of their times; give the newest time too. RecordError, without the row."""
    schema = known.plan.schema
    names = schema.signal_names
    if not ignore_unknown and not columns.keys() <= set(names):
        raise RecordError("a column is no signal of the channel")
    rows = len(columns[schema.time]) if schema.time in columns else 0
    chosen = {name: columns[name] if name in columns else _stand_in(known, name, rows) for name in names}
    newest = None
    if rows:
        ns, bad = time_ns(known.plan, _numbers(chosen[schema.time]), given or known.unit)
        if bad.any():
            raise RecordError("a time cannot be right")
        newest = int(ns.max())
        if given is not None and given != known.unit:
            chosen[schema.time] = _in_unit(ns, known, schema.time)
    return encode(known.plan, chosen), newest


def listed(columns: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The columns as lists of what JSON has, null where masked."""
    return {
        name: column.tolist() if isinstance(column, np.ndarray) else list(column)
        for name, column in columns.items()
    }


def _numbers(times: Any) -> Array:
    """A column of times that are numbers which int64 or float64 holds."""
    if not isinstance(times, np.ndarray) or times.ndim != 1 or times.dtype.kind not in "iuf":
        raise RecordError("the times are no array of numbers")
    if times.dtype.kind == "u" and times.size and int(times.max()) >= 2**63:
        raise RecordError("a time cannot be right")
    return times


def _in_unit(ns: Array, known: Known, time: str) -> Array:
    """Times in the unit of the channel, rounded down where it is coarser."""
    signal = next(signal for signal in known.plan.schema.signals if signal.name == time)
    scale = SCALES[known.unit or ("ns" if signal.type == "long" else "s")]
    whole: Array = ns // scale
    if signal.type in ("int", "long"):
        return whole
    real: Array = whole + (ns - whole * scale) / scale
    return real


def _stand_in(known: Known, name: str, rows: int) -> Any:
    """A column for a signal that did not come: its default, or null."""
    found, value = False, None
    record: Type = known.plan.schema.record
    for part in name.split("."):
        field = next(field for field in record.fields if field.name == part)
        record = field.type
        found, value = default_of(field)
    if not found:
        raise RecordError(f"field {name!r}: the column is missing")
    kind = record.without_null()[0].kind
    if value is None and kind in DTYPES:
        return np.ma.MaskedArray(np.zeros(rows, DTYPES[kind]), np.ones(rows, bool))
    return [value] * rows
