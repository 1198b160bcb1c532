"""Aggregates of signals per time bucket."""

from collections.abc import Mapping, Sequence

import numpy as np

from speeddata.pivot.problem import Problem
from speeddata.pivot.query_collect import (
    MOMENTS,
    Collector,
    Moments,
    Quantiles,
    Weighted,
    Words,
    column_of,
    quantile_of,
)
from speeddata.pivot.query_fill import fill_column
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
from speeddata.rollup import NUMERIC, Totals
from speeddata.rollup_channel import ChannelRollups, Sums
from speeddata.schema import Signal
from speeddata.table import Array

__all__ = ["OF_WORDS", "answer_buckets"]

OF_WORDS = ("first", "last", "count", "distinct", "mode")
COUNTED = ("string", "enum", "bytes", "fixed", "union")
HIGHEST = 2**63 - 1
ADVICE = "a larger every, fewer signals or a shorter range"
# Of each signal asked for, the aggregates that it has.
Wanted = dict[Signal, tuple[str, ...]]


def answer_buckets(
    query: Query, channels: Mapping[str, ChannelRollups], limits: Limits, check: Check
) -> Result:
    """Answer a query for aggregates."""
    edges = _edges(query, limits)
    views = {name: channel.look() for name, channel in channels.items()}
    chosen = chosen_signals(query, {name: view.signals for name, view in views.items()})
    wanted = {name: _wanted(query, signals) for name, signals in chosen.items()}
    columns = sum(len(names) for each in wanted.values() for names in each.values())
    if (len(edges) - 1) * columns > limits.points:
        raise too_many((len(edges) - 1) * columns, limits, ADVICE)
    inside = edges.copy()
    inside[0] = max(int(edges[0]), query.start_ns)
    inside[-1] = min(int(edges[-1]), min(query.end_ns, HIGHEST - 1) + 1)
    granule = query.every.granule(edges) if query.every else 0
    result = Result([], every=query.every)
    for name, channel in channels.items():
        by_rollup = _by_rollup(query, wanted[name])
        written = where_signals(query, name, views[name].signals)
        sums = channel.sum_up(views[name], by_rollup, inside, granule, check) if by_rollup else Sums({})
        told = {one: _told(one, wanted[name][one], sums.totals[one.name]) for one in by_rollup}
        rest = {one: names for one, names in wanted[name].items() if one not in told}
        damages = 0
        if rest:
            with channel.open(views[name], query.start_ns, query.end_ns) as reader:
                more = _by_records(query, reader, rest, inside, written, check)
                damages = len(reader.damages)
            told |= more
        result.series.append(_filled(query, name, edges, wanted[name], told))
        result.damages += max(sums.damages, damages) + views[name].unreadable
    return result


def _edges(query: Query, limits: Limits) -> Array:
    """Where buckets begin, and the last ends."""
    if query.every is None:
        return np.array([query.start_ns, min(query.end_ns, HIGHEST - 1) + 1], np.int64)
    expected = query.every.estimate(query.start_ns, query.end_ns)
    if expected * 2 // 3 > limits.points:
        raise too_many(expected, limits, ADVICE)
    return query.every.edges(query.start_ns, query.end_ns)


def _wanted(query: Query, signals: Sequence[Signal]) -> Wanted:
    """The aggregates of each signal; one that is named must have them all."""
    wanted = {}
    for signal in signals:
        has = tuple(name for name in query.aggregates if _has(signal, name))
        if query.signals and len(has) < len(query.aggregates):
            lacking = next(name for name in query.aggregates if name not in has)
            of = f"{', '.join(OF_WORDS)}" if signal.type in COUNTED else "none"
            raise Problem(
                400, f"Invalid aggregates: {signal.name} is of type {signal.type}, which has no {lacking} (it has {of})",
                field="aggregates", value=lacking, wanted=of, signal=signal.name,
            )  # fmt: skip
        if has:
            wanted[signal] = has
    return wanted


def _has(signal: Signal, name: str) -> bool:
    return signal.type in NUMERIC or (signal.type in COUNTED and name in OF_WORDS)


def _by_rollup(query: Query, wanted: Wanted) -> list[Signal]:
    """The signals whose aggregates rollups can tell."""
    if query.where is not None:
        return []
    return [one for one, names in wanted.items() if one.type in NUMERIC and {*names} <= {*MOMENTS}]


def _told(signal: Signal, names: Sequence[str], totals: Totals) -> dict[str, Array]:
    return {name: column_of(name, totals, signal.type) for name in {*names, "count"}}


def _by_records(
    query: Query,
    reader: Reader,
    wanted: Wanted,
    edges: Array,
    written: Mapping[str, str],
    check: Check,
) -> dict[Signal, dict[str, Array]]:
    """Aggregates made from the records."""
    collectors = {signal.name: _collectors(signal, names, edges) for signal, names in wanted.items()}
    for table in reader.batches(list(dict.fromkeys([*collectors, *written.values()])), check):
        table = matching(query, table, written)
        for name in collectors.keys() & table.columns.keys():
            for collector in collectors[name]:
                collector.add(table.time_ns, table.columns[name])
                check()
    told: dict[Signal, dict[str, Array]] = {}
    for signal in wanted:
        told[signal] = {}
        for collector in collectors[signal.name]:
            told[signal] |= collector.columns()
    return told


def _collectors(signal: Signal, names: Sequence[str], edges: Array) -> list[Collector]:
    if signal.type not in NUMERIC:
        return [Words(edges, tuple({*names, "count"}))]
    made: list[Collector] = [Moments(edges, signal.type, tuple({*MOMENTS} & {*names, "count"}))]
    if quantiles := [name for name in names if quantile_of(name) is not None]:
        made.append(Quantiles(edges, quantiles))
    if "twa" in names:
        made.append(Weighted(edges))
    if words := [name for name in names if name in ("distinct", "mode")]:
        made.append(Words(edges, words))
    return made


def _filled(
    query: Query, channel: str, edges: Array, wanted: Wanted, told: Mapping[Signal, Mapping[str, Array]]
) -> Series:
    """The columns that were asked for, empty buckets filled or left out."""
    starts = edges[:-1]
    columns = {
        f"{signal.name}.{name}": told[signal][name] for signal, names in wanted.items() for name in names
    }
    counts = {f"{signal.name}.count" for signal in wanted}
    if query.every is not None and query.fill == "none":
        filled = np.zeros(len(starts), np.bool_)
        for signal in wanted:
            filled |= told[signal]["count"] > 0
        if not filled.all():
            starts, columns = starts[filled], {name: column[filled] for name, column in columns.items()}
    columns = {
        name: column if name in counts else fill_column(query.fill, starts, column)
        for name, column in columns.items()
    }
    return Series(channel, starts, columns, {signal.name: signal.unit for signal in wanted})
