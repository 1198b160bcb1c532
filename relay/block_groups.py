"""Which blocks of a segment become one in its copy: small ones that follow each other, where there are many. Pure.

What comes by HTTP comes in small batches, each a block of its own; each costs its index entry, sync marker and a read.
"""

from collections.abc import Sequence

from speeddata.index import FLAG_BAD_TIME, FLAG_UNSORTED, Entry, each_entry, entries_of

__all__ = ["block_groups", "has_small_blocks", "merged_entry"]

MERGED = 256 << 10  # bytes that blocks are put together to
MANY = 64  # blocks: fewer are not worth it
SMALL = 16  # blocks that become one on the average, at least


def block_groups(entries: bytes) -> list[list[bytes]]:
    """The index entries of blocks, packed, in groups: each becomes a block, of one where that is not worth it."""
    single = [[packed] for packed in each_entry(entries)]
    groups = _groups(single)
    return groups if len(single) >= MANY and len(groups) * SMALL <= len(single) else single


def has_small_blocks(entries: bytes) -> bool:
    """Whether blocks would be put together."""
    return any(len(group) > 1 for group in block_groups(entries))


def merged_entry(group: Sequence[bytes]) -> Entry:
    """The entry of a block that holds the records of these; place, length and checksums are still those of the first.

    Its arrival is the newest, by which retention counts its age.
    """
    first, *rest = entries_of(b"".join(group))
    count, low, high, flags = first.count, first.min_ns, first.max_ns, first.flags
    arrival = first.arrival_ns
    for one in rest:
        flags |= one.flags
        if one.first_ns < high:
            flags |= FLAG_UNSORTED
        count += one.count
        low, high = min(low, one.min_ns), max(high, one.max_ns)
        arrival = max(arrival, one.arrival_ns)
    return first._replace(count=count, min_ns=low, max_ns=high, flags=flags, arrival_ns=arrival)


def _groups(single: list[list[bytes]]) -> list[list[bytes]]:
    groups: list[list[bytes]] = []
    room = 0
    for (packed,) in single:
        (entry,) = entries_of(packed)
        # The times of a block with impossible ones go by its own arrival.
        alone = bool(entry.flags & FLAG_BAD_TIME)
        if entry.length > room or alone:
            groups.append([])
            room = MERGED
        groups[-1].append(packed)
        room = 0 if alone else room - entry.length
    return groups
