"""Tables cut and joined anew, so that each has as many rows as those who store them want."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain

import numpy as np

from speeddata.table import Array, Table

__all__ = ["pieces", "regroup", "row_bytes"]

SAMPLES = 64  # values looked at to tell how large those of a column are


def regroup(tables: Iterable[Table], rows: int, *, several: bool = False) -> Iterator[Table]:
    """The same rows in tables of `rows` each, the last of what is left.

    With `several` a table may have a whole multiple of `rows`, which saves cutting what is to be stored in one go.
    """
    parts: list[Table] = []
    held = 0
    for table in tables:
        at = 0
        if held:
            at = min(rows - held, len(table))
            parts.append(_copied(table.take(slice(0, at))))
            held += at
            if held == rows:
                yield Table.join(parts)
                parts, held = [], 0
        step = max(rows, (len(table) - at) // rows * rows) if several else rows
        while len(table) - at >= rows:
            yield table.take(slice(at, at + step))
            at += step
        if at < len(table):
            parts.append(_copied(table.take(slice(at, None))))
            held += len(table) - at
    if held:
        yield Table.join(parts)


def pieces(tables: Iterable[Table], rows: Callable[[int], int]) -> Iterator[Table]:
    """The same rows in tables of as many as `rows` gives for the bytes that a row of the first one has."""
    ahead = iter(tables)
    first = next((table for table in ahead if len(table)), None)
    if first is not None:
        yield from regroup(chain([first], ahead), rows(row_bytes(first)))


def row_bytes(table: Table) -> int:
    """About how many bytes a row has in memory."""
    return 8 + sum(_value_bytes(column) for column in table.columns.values())


def _value_bytes(column: Array) -> int:
    if not len(column):
        return int(column.dtype.itemsize)
    if column.dtype != object:
        size: int = column.nbytes
        return size // len(column)
    sample = column[:: max(1, len(column) // SAMPLES)]
    return 8 + sum(map(_size, sample)) // len(sample)


def _size(value: object) -> int:
    """About the bytes of a value, whatever is below it."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes) + 100
    if isinstance(value, dict):
        return 100 + sum(_size(inner) + 60 for inner in value.values())
    if isinstance(value, (list, tuple)):
        return 60 + sum(map(_size, value))
    return 50 + len(value) if isinstance(value, (str, bytes)) else 30


def _copied(table: Table) -> Table:
    """A few rows by themselves: a view would keep all that it was cut from."""
    return Table(table.time_ns.copy(), {name: column.copy() for name, column in table.columns.items()})
