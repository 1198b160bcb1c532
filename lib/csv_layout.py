"""How the lines of a CSV file are to be read, told field by field: what `speeddata.csv_scan` works by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

__all__ = ["NO_BRANCH", "Column", "Kind", "Layout", "Program", "Spans"]

NO_BRANCH = -1


class Kind(IntEnum):
    """What a field of the file becomes."""

    SKIP = 0
    TIME = 1  # text, by the layout's first program
    CLOCK = 2  # text, by its second program, added to the time
    EPOCH = 3  # a number
    DOUBLE = 4
    FLOAT = 5
    LONG = 6
    INT = 7
    FLAG = 8
    TEXT = 9
    NEW = 10  # not known before the first value that is not null


@dataclass(frozen=True)
class Program:
    """How a time is written: its format, and the steps that read it."""

    format: str
    steps: tuple[tuple[int, int], ...]  # (Step, byte)
    dated: bool
    remembers: bool  # all of date and clock comes before the seconds
    short_tail: bool  # nothing but a fraction and a zone, which both may be absent, comes after them


@dataclass(frozen=True)
class Spans:
    """Local time in spans: from which local second, of which kind, and what offsets in seconds east of UTC count there."""

    starts: tuple[int, ...]
    kinds: tuple[int, ...]
    first: tuple[int, ...]
    second: tuple[int, ...]


@dataclass(frozen=True)
class Column:
    """A field of each line."""

    name: str  # as the file has it
    kind: Kind
    signal: str = ""  # what it is called in the channel
    unit: str = ""
    null_branch: int = NO_BRANCH  # of the channel's field; NO_BRANCH: it cannot be null
    is_key: bool = False  # it names the channel that a line is of


@dataclass(frozen=True)
class Layout:
    """All that tells how lines are read and what is made of them."""

    columns: tuple[Column, ...]
    delimiter: str = ","
    quote: str = '"'
    decimal: str = "."
    programs: tuple[Program, ...] = ()
    spans: Spans | None = None  # None: UTC
    epoch_power: int = 9  # a number that is a time counts 10^-9 s times 10 to this power
    start_ns: int = 0  # what is added to each time
    rate_hz: float = 0.0  # lines have no time: it is told by their number
    unit: str = "ns"  # of the times that are written
    time_kind: str = "long"
    # Fields of the channel's records, in their order: a column's place; -1: the time; -2: always null.
    order: tuple[int, ...] = ()
    null_branches: tuple[int, ...] = ()  # of those always null, by their place in `order`
    time_branch: int = NO_BRANCH
    names: tuple[tuple[str, int], ...] = ()  # months and weekdays
    check_weekdays: bool = True
    ambiguous: str = "order"  # or earlier, later, reject
    missing: str = "reject"  # or shift
    step_s: float = 0.0  # usual distance of lines in time; negative where the newest is first
    encoding: str = "utf-8"

    def with_kinds(self, kinds: Mapping[int, Kind]) -> "Layout":
        """The same with other kinds of some columns."""
        columns = tuple(
            replace(column, kind=kinds.get(place, column.kind)) for place, column in enumerate(self.columns)
        )
        return replace(self, columns=columns)
