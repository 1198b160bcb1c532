from typing import Any

from speeddata.plan import Plan

MAX_ERRORS: int
"""How many wrong values are told one by one."""

class Encoded:
    """Records, what is wrong with the rows they were to be made of, and how new they are."""

    @property
    def data(self) -> bytes:
        """The records back to back; empty where anything is wrong."""

    @property
    def count(self) -> int:
        """Rows that were given."""

    @property
    def newest_ns(self) -> int | None:
        """The newest time, ns UTC; None where no row has one."""

    @property
    def errors(self) -> list[tuple[int | None, str, Any, str]]:
        """What is wrong, the first `MAX_ERRORS`: row (None: the column), field, value, what was expected."""

    @property
    def wrong(self) -> int:
        """Rows in which something is wrong."""

class RowEncoder:
    """Encodes what JSON has as records of one channel; threads may share it.

    `stored` is the unit of the channel's time ("s", "ms", "us", "ns"; None: told by the magnitude of the first), `given`
    that of times which come as numbers (None: the channel's). Times are numbers or ISO 8601 text; where the channel's unit
    is coarser, they are rounded down to it.
    """

    def __init__(
        self, plan: Plan, stored: str | None = None, given: str | None = None, ignore_unknown: bool = False
    ) -> None: ...
    def rows(self, rows: list[Any], beside: str | None = None) -> Encoded:
        """Encode objects with a value for each signal, nested as records are, or dotted; the key `beside` is none of them."""

    def columns(self, columns: dict[str, list[Any]], count: int) -> Encoded:
        """Encode lists of `count` values each, by the names of the signals; ValueError for one of another length."""
