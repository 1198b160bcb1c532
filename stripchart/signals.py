"""The signals of a channel as browsers may ask for them, and their values as text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from speeddata.limits import Limits
from speeddata.stripchart.catalogue import ChannelInfo
from speeddata.tree import Type

TEXT_MAX = 256  # characters of a latest value
ITEMS_MAX = 32  # an array of so many numbers is also shown number by number, such as the load of each core


@dataclass(frozen=True)
class LiveSignal:
    """A signal that browsers may ask for."""

    id: int
    name: str
    """channel.signal, with [item] for a number of an array"""
    channel: str
    path: str
    """Its name within the channel."""
    field: str
    """The signal of the schema that it comes from."""
    item: int | None
    """Which number of an array; None: the value itself."""
    type: str
    unit: str | None
    role: str | None
    row: int | None
    """Row in the ring; None when it has no samples, only a latest text."""
    limits: Limits | None = None
    symbols: tuple[str, ...] = ()
    """Of an enum, whose samples are places in this list."""
    former_limits: tuple[tuple[int, Limits | None], ...] = ()
    """Those that it had before, oldest first: until when, in ms since 1970, and which."""

    def describe(self) -> dict[str, Any]:
        """Tell what clients are told of it."""
        more: dict[str, Any] = {}
        if self.limits:
            more["limits"] = _told(self.limits)
        if self.former_limits:
            more["former_limits"] = [
                [until_ms, limits and _told(limits)] for until_ms, limits in self.former_limits
            ]
        if self.symbols:
            more["symbols"] = self.symbols
        return {
            "name": self.name,
            "id": self.id,
            "channel": self.channel,
            "type": self.type,
            "unit": self.unit,
            "number": self.row is not None,
            "role": self.role,
        } | more

    def numbers(self, columns: Mapping[str, NDArray[Any]]) -> ArrayLike:
        """Give its samples among decoded columns; NaN where there is none."""
        column = columns[self.field]
        if self.symbols:
            places = {symbol: place for place, symbol in enumerate(self.symbols)}
            return [places.get(symbol, np.nan) for symbol in column.tolist()]
        if self.item is None:
            if np.ma.is_masked(column):
                return np.ma.filled(column.astype(np.float64), np.nan)
            return column
        if column.ndim == 2:
            return column[:, self.item] if self.item < column.shape[1] else np.full(len(column), np.nan)
        # An earlier version of the schema may have an array of something else under this name.
        return [row[self.item] if _is_numbers(row) and self.item < len(row) else np.nan for row in column]


def _told(limits: Limits) -> dict[str, Any]:
    return {"warn": limits.warn, "alarm": limits.alarm}


def schema_signals(info: ChannelInfo, ids: Iterator[int]) -> Iterator[LiveSignal]:
    """Give the signals of a channel's schema."""
    roles = {info.schema.time: "time", info.schema.sequence: "sequence"}
    row = 0
    for signal in info.schema.signals:
        role = roles.get(signal.name)
        has_samples = (signal.number or signal.type in ("boolean", "enum")) and role != "time"
        yield LiveSignal(
            id=next(ids),
            name=f"{info.name}.{signal.name}",
            channel=info.name,
            path=signal.name,
            field=signal.name,
            item=None,
            type=signal.type,
            unit=signal.unit,
            role=role,
            row=row if has_samples else None,
            limits=signal.limits,
            symbols=_symbols(info.schema.record, signal.path),
            former_limits=info.former_limits.get(signal.name, ()),
        )
        row += has_samples


def _symbols(record: Type, path: Sequence[str]) -> tuple[str, ...]:
    """The symbols of the enum at a path of a record; none where there is something else."""
    type_ = record
    for name in path:
        type_ = next(field.type for field in type_.fields if field.name == name)
    value, _ = type_.without_null()
    return value.symbols


def item_signals(array: LiveSignal, items: range, row: int, ids: Iterator[int]) -> Iterator[LiveSignal]:
    """Give signals for numbers of an array, the first of them at a row of the ring."""
    for item in items:
        yield LiveSignal(
            id=next(ids),
            name=f"{array.name}[{item}]",
            channel=array.channel,
            path=f"{array.path}[{item}]",
            field=array.field,
            item=item,
            type="double",
            unit=array.unit,
            role=None,
            row=row + item - items.start,
        )


def array_length(column: NDArray[Any]) -> int:
    """Give how many numbers the longest array of a column has; 0 when it has none, or other things."""
    if column.ndim == 2:
        return int(column.shape[1]) if column.dtype.kind in "if" else 0
    return max((len(row) for row in column if _is_numbers(row)), default=0)


def _is_numbers(row: Any) -> bool:
    return isinstance(row, np.ndarray) and row.ndim == 1 and row.dtype.kind in "if"


def time_text(ns: int) -> str:
    """Give a time as ISO 8601 with milliseconds."""
    stamp = datetime.fromtimestamp(ns // 1_000_000 / 1000, UTC)
    return stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def value_text(value: Any) -> str:
    """Give a value that is no number as a short text."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bytes):
        text = value[:TEXT_MAX].hex()
    elif isinstance(value, np.ndarray):
        text = json.dumps(value[:TEXT_MAX].tolist(), default=str)
    else:
        text = json.dumps(
            value, default=lambda other: other.hex() if isinstance(other, bytes) else str(other)
        )
    return text if len(text) <= TEXT_MAX else text[: TEXT_MAX - 1] + "…"
