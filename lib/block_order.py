"""In which order the blocks of several segments are read, so that records come sorted by time in bounded memory.

Blocks are taken by their oldest record, in batches. After a batch all records are sorted that are older than any in the
blocks to come; the others wait for the next one. Pure: index entries in, batches out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from speeddata.table import Array

__all__ = ["Batch", "batches_of"]

BYTES = 1 << 24  # about the most that records of a batch have


@dataclass(frozen=True)
class Batch:
    """Blocks to be read together."""

    blocks: Array  # their numbers, ascending: the order in which they arrived
    settled_ns: int | None  # no record of a block to come is older; None: there are none to come
    in_order: bool  # blocks to come arrived after these, and so do records of the same time


def batches_of(
    min_ns: Array, counts: Array, sizes: Array, records: int, size: int = BYTES
) -> Iterator[Batch]:
    """Batches of blocks, which are numbered as they arrived: of their oldest times, records, and bytes of records."""
    order = np.argsort(min_ns, kind="stable")
    if not len(order):
        return
    weight = np.cumsum(np.maximum(counts[order] / records, sizes[order] / size))
    ends = _ends(weight)
    newest = np.maximum.accumulate(order)
    oldest = np.minimum.accumulate(order[::-1])[::-1]
    first = 0
    for end in ends:
        more = end < len(order)
        yield Batch(
            np.sort(order[first:end]),
            int(min_ns[order[end]]) if more else None,
            bool(not more or newest[end - 1] < oldest[end]),
        )
        first = end


def _ends(weight: Array) -> Sequence[int]:
    """Where batches end: each has the blocks up to the one that makes it full."""
    ends, at, before = [], 0, 0.0
    while at < len(weight):
        at = min(int(np.searchsorted(weight, before + 1.0, "left")) + 1, len(weight))
        before = float(weight[at - 1])
        ends.append(at)
    return ends
