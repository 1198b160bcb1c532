"""What a query asks for, what answers it, and which signals of a channel it is about. No files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from speeddata.buckets import Buckets
from speeddata.pivot.problem import Problem
from speeddata.pivot.request import choose_signals
from speeddata.pivot.where import Condition
from speeddata.schema import Signal
from speeddata.table import Array, Table

__all__ = [
    "Check",
    "Limits",
    "Query",
    "Result",
    "Series",
    "chosen_signals",
    "matching",
    "too_many",
    "where_signals",
]

Check = Callable[[], None]


@dataclass(frozen=True)
class Query:
    """What is asked for; both ends of the range are included."""

    channels: tuple[str, ...]
    start_ns: int
    end_ns: int
    signals: tuple[str, ...] = ()  # `name` or `channel.name`; none: all
    every: Buckets | None = None
    aggregates: tuple[str, ...] = ()  # none, and no buckets: raw records
    fill: str = "none"
    where: Condition | None = None
    limit: int | None = None  # records of each channel, of raw ones
    cursor: str | None = None
    width: int | None = None  # pixels, in place of `every`
    zone: str = "UTC"  # of the buckets that `width` makes


@dataclass(eq=False)
class Series:
    """What is answered of one channel: columns [n] of raw signals by `signal`, of aggregates by `signal.avg` and so on.

    What is not there is NaN in a column of floats, masked in one of integers or booleans, None in one of objects.
    """

    channel: str
    time_ns: Array  # int64 [n]: the records' time, or where their bucket begins
    columns: dict[str, Array]
    units: dict[str, str | None] = field(default_factory=dict)  # by signal


@dataclass(eq=False)
class Result:
    """The answer to a query."""

    series: list[Series]
    cursor: str | None = None  # where raw records go on
    damages: int = 0  # places in the archive that could not be read
    every: Buckets | None = None  # the buckets, where there are any


@dataclass(frozen=True)
class Limits:
    """What one query may ask for."""

    points: int = 1_000_000  # values of an answer
    rows: int = 100_000  # records of a channel when the query does not say how many


def chosen_signals(query: Query, known: Mapping[str, Sequence[Signal]]) -> dict[str, list[Signal]]:
    """Of each channel's signals those asked for, in that order; all where none are named. 404 for one that there is not."""
    names = choose_signals(query.signals, {name: [one.name for one in all_] for name, all_ in known.items()})
    chosen = {}
    for channel, signals in known.items():
        by_name = {signal.name: signal for signal in signals}
        asked = names[channel]
        chosen[channel] = list(signals) if asked is None else [by_name[name] for name in asked]
    return chosen


def where_signals(query: Query, channel: str, known: Iterable[Signal]) -> dict[str, str]:
    """The channel's signals that the condition is about, by how they were written."""
    if query.where is None:
        return {}
    names = {signal.name for signal in known}
    found = {}
    for written in query.where.signals:
        name = written if written in names else written.removeprefix(f"{channel}.")
        if name not in names:
            raise Problem(404, "Signal not found", signal=written, field="where", channel=channel)
        found[written] = name
    return found


def matching(query: Query, table: Table, written: Mapping[str, str]) -> Table:
    """The rows of a table that the condition holds for; a signal that the table has not is null."""
    if query.where is None:
        return table
    columns = {
        name: table.columns[signal] if signal in table.columns else np.full(len(table), None, np.object_)
        for name, signal in written.items()
    }
    rows = query.where.rows(columns)
    return table if rows.all() else table.take(np.flatnonzero(rows))


def too_many(points: int, limits: Limits, advice: str) -> Problem:
    """The answer to a query that asks for too much."""
    error = f"The answer would have {points} points, more than {limits.points}: ask for {advice}"
    return Problem(413, error, points=points, max_points=limits.points)
