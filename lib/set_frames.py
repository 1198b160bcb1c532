"""Channels as tables of pandas, polars, Arrow and xarray, and of Arrow's tables channels.

Times are UTC with nanoseconds. Masked values become null; NaN stays NaN, save in pandas, which has one for both.
"""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from speeddata.set_extras import needed
from speeddata.table import Array

if TYPE_CHECKING:
    from speeddata.channel import Channel

__all__ = ["beside_time", "from_arrow", "to_arrow", "to_pandas", "to_polars", "to_xarray"]

TIME = "time"
NULLABLE = {"b": "boolean", "i": "Int{}", "u": "UInt{}"}  # pandas' types of numbers that may be null


def to_pandas(channel: "Channel") -> Any:
    """See `Channel.to_pandas`."""
    pandas = needed("pandas", "to_pandas()")
    index = pandas.DatetimeIndex(channel.real_time, name=TIME).tz_localize("UTC")
    columns = {
        name: _pandas_column(pandas, signal._plain(), index) for name, signal in channel.signal.items()
    }
    frame = pandas.DataFrame(columns, index=index)
    frame.attrs.update(name=channel.name, units=_units(channel))
    return frame


def to_polars(channel: "Channel") -> Any:
    """See `Channel.to_polars`."""
    return needed("polars", "to_polars()").from_arrow(to_arrow(channel))


def to_arrow(channel: "Channel") -> Any:
    """See `Channel.to_arrow`."""
    arrow = needed("pyarrow", "to_arrow()")
    times = arrow.array(channel.real_time, arrow.timestamp("ns", "UTC"))
    fields, columns = [arrow.field(TIME, times.type, nullable=False)], [times]
    for name, signal in beside_time(channel):
        column = _arrow_column(arrow, signal._plain())
        metadata = {"unit": signal.unit} if signal.unit else None
        fields.append(arrow.field(name, column.type, metadata=metadata))
        columns.append(column)
    about = {"channel": channel.name, **({"avro.schema": channel.schema} if channel.schema else {})}
    return arrow.table(columns, schema=arrow.schema(fields, metadata=about))


def to_xarray(channel: "Channel") -> Any:
    """See `Channel.to_xarray`."""
    xarray = needed("xarray", "to_xarray()")
    variables = {}
    for name, signal in beside_time(channel):
        values = signal._plain()
        if isinstance(values, np.ma.MaskedArray):
            values = (
                np.ma.filled(values.astype(np.float64), np.nan) if np.ma.is_masked(values) else values.data
            )
        dimensions = [TIME, *(f"{name}_{place}" for place in range(1, values.ndim))]
        variables[name] = (dimensions, values, {"units": signal.unit} if signal.unit else {})
    return xarray.Dataset(variables, {TIME: channel.real_time}, {"channel": channel.name})


def from_arrow(table: Any, name: str | None = None, time: str = TIME) -> "Channel":
    """See `Channel.from_arrow`."""
    from speeddata.channel import Channel

    about = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    table = table.combine_chunks()
    if time not in table.column_names:
        raise ValueError(f"the table has no column {time!r}, only {', '.join(table.column_names)}")
    units, signals = {}, {}
    for field, column in zip(table.schema, table.columns, strict=True):
        if field.name != time:
            signals[field.name] = _values(column)
            units[field.name] = (field.metadata or {}).get(b"unit", b"").decode() or None
    channel = Channel.from_ns(name or about.get("channel", ""), _stamps(table[time], time), signals, units)
    channel.schema = about.get("avro.schema")
    return channel


def _units(channel: "Channel") -> dict[str, str]:
    return {name: signal.unit for name, signal in channel.signal.items() if signal.unit}


def beside_time(channel: "Channel") -> Iterator[tuple[str, Any]]:
    """Signals by names that leave `time` to the abscissa."""
    for name, signal in channel.signal.items():
        free = name
        while free == TIME or (free != name and free in channel.signal):
            free += "_"
        yield free, signal


def _pandas_column(pandas: Any, values: Array, index: Any) -> Any:
    if values.ndim > 1:
        return pandas.Series(list(np.ma.getdata(values)), index=index, dtype=object)
    if isinstance(values, np.ma.MaskedArray) and values.dtype.kind in NULLABLE:
        kind = NULLABLE[values.dtype.kind].format(8 * values.dtype.itemsize)
        column = pandas.Series(values.data, index=index).astype(kind)
        column[np.ma.getmaskarray(values)] = pandas.NA
        return column
    if isinstance(values, np.ma.MaskedArray):
        values = values.filled(np.nan if values.dtype.kind == "f" else None)
    return pandas.Series(values, index=index)


def _arrow_column(arrow: Any, values: Array) -> Any:
    if values.dtype == object:
        plain = [one.tolist() if isinstance(one, np.ndarray) else one for one in values]
        try:
            return arrow.array(plain)
        except arrow.ArrowInvalid:  # maps and unions of kinds, as text
            return arrow.array([None if one is None else json.dumps(one, default=str) for one in plain])
    data, mask = np.ma.getdata(values), np.ma.getmaskarray(values)
    if data.ndim > 1:
        flat = arrow.array(data.reshape(-1), mask=mask.reshape(-1) if mask.any() else None)
        for width in reversed(data.shape[1:]):
            flat = arrow.FixedSizeListArray.from_arrays(flat, width)
        return flat
    return arrow.array(data, mask=mask if mask.any() else None)


def _stamps(column: Any, name: str) -> Array:
    arrow = needed("pyarrow", "from_arrow()")
    if column.null_count:
        raise ValueError(f"column {name!r} has {column.null_count} nulls, wanted a time in each row")
    if arrow.types.is_timestamp(column.type):
        stamps: Array = column.cast(arrow.timestamp("ns", column.type.tz)).cast(arrow.int64()).to_numpy()
        return stamps
    from speeddata.stamps import times_of

    return times_of(np.asarray(column.to_numpy()))


def _values(column: Any) -> Array:
    """A column as a signal has it: masked where whole numbers and booleans are null, None in objects."""
    arrow = needed("pyarrow", "from_arrow()")
    column = column.combine_chunks() if isinstance(column, arrow.ChunkedArray) else column
    column = column.dictionary_decode() if arrow.types.is_dictionary(column.type) else column
    if arrow.types.is_fixed_size_list(column.type) and not column.null_count:
        width = column.type.list_size
        return _values(column.flatten()).reshape(len(column), width)
    if arrow.types.is_list(column.type) and len(column) and not column.null_count:
        widths = set(column.value_lengths().to_pylist())
        if len(widths) == 1 and arrow.types.is_primitive(column.type.value_type):
            return _values(column.flatten()).reshape(len(column), widths.pop())
    if column.null_count and (arrow.types.is_integer(column.type) or arrow.types.is_boolean(column.type)):
        mask = column.is_null().to_numpy(zero_copy_only=False)
        filler = arrow.scalar(False if arrow.types.is_boolean(column.type) else 0, column.type)
        return np.ma.MaskedArray(column.fill_null(filler).to_numpy(zero_copy_only=False), mask)
    values: Array = column.to_numpy(zero_copy_only=False)
    return values if values.flags.writeable else values.copy()
