"""Aggregates blocks of a segment that has no rollup of its own, those that are new alone."""

from collections.abc import Callable, Sequence

import numpy as np

from speeddata.decoding import Decoding, Wanted
from speeddata.rollup import NUMERIC, Rollup
from speeddata.segment import Segment
from speeddata.table import Array

__all__ = ["roll_up_blocks"]

SLICE = 1 << 20  # records decoded at a time
Check = Callable[[], None]


def roll_up_blocks(
    segment: Segment, entries: Array, names: Sequence[str], width_ns: int, check: Check
) -> tuple[dict[str, Rollup], int]:
    """The rows of signals over some blocks, and how many places in them could not be read; `check` is called often.

    Under the name "" are those of the records themselves. Signals that the segment has not, or not as numbers, have none.
    """
    plan = segment.head.plan
    numbers = [one.name for one in plan.schema.signals if one.type in NUMERIC and one.name in names]
    parts: dict[str, list[Rollup]] = {name: [] for name in [*(("",) if "" in names else ()), *numbers]}
    lost = 0
    for first, last in _slices(entries):
        check()
        decoding = Decoding(plan, [Wanted(segment, entries[first:last], 0)], numbers, ranked=False)
        try:
            times, _, columns, damages = decoding.take(check)
        except BaseException:
            decoding.cancel()
            raise
        lost += len(damages)
        columns = {"": np.zeros(len(times), np.bool_), **columns}
        order = None if (times[1:] >= times[:-1]).all() else np.argsort(times, kind="stable")
        times = times if order is None else times[order]
        for name, made in parts.items():
            column = columns[name] if order is None else columns[name][order]
            made.append(Rollup.of_records(times, column, width_ns))
    return {name: Rollup.merged(each) for name, each in parts.items() if each}, lost


def _slices(entries: Array) -> list[tuple[int, int]]:
    """Ranges of blocks of about so many records."""
    if not len(entries):
        return []
    numbers = np.cumsum(entries["count"], dtype=np.int64)
    ends = np.searchsorted(numbers, np.arange(SLICE, int(numbers[-1]) + SLICE, SLICE), "left") + 1
    ends = np.unique(np.minimum(ends, len(entries)))
    return list(zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True))
