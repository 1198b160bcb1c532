"""The steps of a validating walk: the operations of a plan, with what has a fixed size stepped over at once.

Most of a record of measurements is of fixed size, so that one comparison stands for many. A walk by steps only says
that a record is right; one that is not is walked by its operations, which say why and where.
"""

from collections.abc import Collection, Sequence

from speeddata.tree import Type

__all__ = ["END", "NUMBER", "OTHER", "Step", "steps"]

# What comes after the fixed bytes of a step. The numbers are those of plan.pxd.
END, LONG, INT, STRING, NUMBER, OTHER = range(6)
KINDS = {"long": LONG, "int": INT, "string": STRING}
FIXED = {"null": 0, "float": 4, "double": 8}

# Fixed bytes, what comes after them, and its place: the leaf of a NUMBER, else the operation.
Step = tuple[int, int, int]


def steps(
    rows: Sequence[tuple[Type, int]], leaves: Sequence[tuple[Type, int, int]], wanted: Collection[int]
) -> list[Step]:
    """Give the steps of a plan's operations; the values of the `wanted` leaves are read, not stepped over."""
    found: list[Step] = []
    starts = {leaves[leaf][1]: leaf for leaf in wanted}
    fixed = place = 0
    while place < len(rows):
        kind, after = rows[place]
        if place in starts:
            leaf = starts[place]
            found.append((fixed, NUMBER, leaf))
            fixed, after = 0, leaves[leaf][2]
        elif kind.kind in FIXED or kind.kind == "fixed":
            fixed += FIXED.get(kind.kind, kind.size)
        else:
            found.append((fixed, KINDS.get(kind.kind, OTHER), place))
            fixed = 0
        place = after
    found.append((fixed, END, 0))
    return found
