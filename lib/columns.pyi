from collections.abc import Iterable
from typing import Any

import numpy as np
from _typeshed import ReadableBuffer
from numpy.typing import ArrayLike, NDArray

from speeddata.plan import Plan

class Columns:
    """Columns of `rows` rows, filled by parts: by several threads too, if each has rows of its own."""

    @property
    def rows(self) -> int: ...
    def __init__(self, plan: Plan, rows: int, names: Iterable[str] | None = None) -> None:
        """KeyError for a signal that there is not."""

    def fill(self, data: ReadableBuffer, count: int, row: int = 0) -> None:
        """Decode `count` records, which fill `data` exactly, into the rows from `row`; RecordError when they do not.

        `data` must not change until the columns are taken.
        """

    def numbers(self, name: str) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """The values of a signal of numbers or booleans, and where they are null if that is marked (NaN needs no mark).

        What is not filled yet is anything.
        """

    def take(self) -> dict[str, NDArray[Any]]:
        """The columns, as `decode` gives them. In rows that were not filled numbers are anything, objects None."""

def decode(
    plan: Plan, data: ReadableBuffer, count: int | None = None, names: Iterable[str] | None = None
) -> dict[str, NDArray[Any]]:
    """Decode records that stand back to back, such as the content of a block, into one array a signal.

    `count` records must fill `data` exactly; None takes as many as there are. `names` chooses the signals, and the order
    in which they come; the rest is walked over. Every array has a row a record:

    * int, long, float, double, boolean: int32, int64, float32, float64, bool, bit for bit as they were sent;
    * nullable float and double: `numpy.nan` where null; nullable int, long and boolean: a masked array;
    * string, enum: objects (str); bytes, fixed: objects (bytes); None where null;
    * an array of numbers: two-dimensional when all rows are equally long, else objects (arrays);
    * map, other arrays and unions: objects as fastavro makes them, logical types not applied.

    Times are as they were sent: see `time_ns`. RecordError, with the reason, when the bytes are not that many records;
    KeyError for a signal that there is not.
    """

def time_ns(
    plan: Plan, column: ArrayLike, unit: str | None = None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Give a column of source times as int64 ns UTC, and which of them cannot be right (those are 0).

    The unit is `unit` ("s", "ms", "us", "ns"), else that of the schema, else what the magnitude of the first plausible
    time tells. Impossible are null, NaN and what lies outside int64 ns (1677 to 2262).
    """
