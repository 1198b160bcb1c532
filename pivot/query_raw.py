"""Raw records of a range: so many of each channel, and a cursor from which the next query goes on.

A cursor is the time of the last record given and how many of that time there were. As records of equal time stand in the
order they arrived, none is given twice or left out by what arrives later with that time or a newer one; what arrives later
with an older time is not given by the queries that go on.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence

import numpy as np
import orjson

from speeddata.pivot.problem import wrong
from speeddata.pivot.query_words import (
    Check,
    Limits,
    Query,
    Result,
    Series,
    chosen_signals,
    matching,
    too_many,
    where_signals,
)
from speeddata.reader import Reader
from speeddata.rollup_channel import ChannelRollups
from speeddata.schema import Schema, Signal
from speeddata.schema_union import bring_to
from speeddata.table import Table

__all__ = ["answer_raw", "read_cursor"]

MAX_CURSOR = 64 * 1024  # characters
# By channel: the time of the last record given, and how many of that time were; None: there are no more.
Places = dict[str, tuple[int, int] | None]


def answer_raw(query: Query, channels: Mapping[str, ChannelRollups], limits: Limits, check: Check) -> Result:
    """Answer a query for raw records."""
    places = read_cursor(query.cursor, query.channels)
    views = {name: channel.look() for name, channel in channels.items()}
    known = {name: view.signals for name, view in views.items()}
    chosen = chosen_signals(query, known)
    result = Result([])
    after: Places = {}
    readers: dict[str, Reader] = {}
    try:
        for name, channel in channels.items():
            place = places.get(name, (query.start_ns, 0))
            start = max(query.start_ns, place[0]) if place else query.end_ns
            readers[name] = channel.open(views[name], start, query.end_ns)
        for name, reader in readers.items():
            place = places.get(name, (query.start_ns, 0))
            rows = _rows(query, len(chosen[name]), limits)
            written = where_signals(query, name, known[name])
            table = _read(query, reader, views[name].schema, chosen[name], written, place, rows, check)
            result.series.append(
                Series(name, table.time_ns, dict(table.columns), {one.name: one.unit for one in chosen[name]})
            )
            result.damages += len(reader.damages) + views[name].unreadable
            after[name] = _after(place, table) if len(table) >= rows else None
    finally:
        for reader in readers.values():
            reader.close()
    if any(after.values()):
        result.cursor = _cursor_text(after)
    return result


def _rows(query: Query, columns: int, limits: Limits) -> int:
    """How many records of a channel are given at most."""
    most = max(limits.points // max(columns, 1), 1)
    if query.limit and query.limit > most:
        raise too_many(query.limit * columns, limits, "a smaller limit or fewer signals")
    return query.limit or min(limits.rows, most)


def _read(
    query: Query,
    reader: Reader,
    schema: Schema | None,
    signals: Sequence[Signal],
    written: Mapping[str, str],
    place: tuple[int, int] | None,
    rows: int,
    check: Check,
) -> Table:
    """The records from a place on that the condition holds for."""
    parts: list[Table] = []
    count, given = 0, place[1] if place else 0
    names = list(dict.fromkeys([*(signal.name for signal in signals), *written.values()]))
    for table in reader.batches(names, check) if place else ():
        table = matching(query, table, written)
        if given and place:  # those of the cursor's time that have been given
            skipped = min(given, int(np.searchsorted(table.time_ns, place[0], "right")))
            table = table.take(slice(skipped, None))
            given -= skipped
        parts.append(_brought(reader.schema, signals, table))
        count += len(table)
        if count >= rows:
            break
    if not parts:
        return _brought(reader.schema or schema, signals, Table(np.empty(0, np.int64), {}))
    return Table.join(parts).take(slice(0, rows))


def _brought(schema: Schema | None, signals: Sequence[Signal], table: Table) -> Table:
    """The columns of the signals asked for, as all versions of the schema together have them."""
    if schema is None:
        return Table(table.time_ns, {})
    return Table(table.time_ns, bring_to(signals, schema, table.columns, len(table)))


def _after(place: tuple[int, int] | None, table: Table) -> tuple[int, int]:
    last = int(table.time_ns[-1])
    given = len(table) - int(np.searchsorted(table.time_ns, last, "left"))
    if place is not None and place[0] == last:
        given += place[1]
    return last, given


def read_cursor(text: str | None, channels: Sequence[str]) -> Places:
    """Where each channel goes on; Problem 400 for what is no cursor of a query for these channels."""
    if not text:
        return {}
    try:
        if len(text) > MAX_CURSOR:
            raise ValueError
        told = orjson.loads(base64.urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
        places: Places = {}
        for name, place in told.items():
            if place is not None:
                time_ns, given = place
                if not (
                    isinstance(time_ns, int)
                    and isinstance(given, int)
                    and abs(time_ns) < 2**63
                    and given >= 0
                ):
                    raise ValueError
                place = time_ns, given
            places[name] = place
        if set(places) != set(channels):
            raise ValueError
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise wrong("cursor", text, "that of the answer before, to a query for the same channels") from None
    return places


def _cursor_text(places: Places) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(places)).decode().rstrip("=")
