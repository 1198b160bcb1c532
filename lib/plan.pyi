from enum import IntEnum
from typing import Literal

from _typeshed import ReadableBuffer

from speeddata.schema import Schema
from speeddata.tree import Type

REASONS: tuple[str, ...]
"""Why records are refused, by number: "", "empty", "truncated" ..."""
MEANINGS: dict[str, str]
"""What a reason says, in words."""
TIME_UNITS: dict[str, int]
"""Units of time, by the name that schemas and settings use."""

class StepKind(IntEnum):
    STEP_END = 0
    STEP_LONG = 1
    STEP_INT = 2
    STEP_STRING = 3
    STEP_NUMBER = 4
    STEP_OTHER = 5

class Kind(IntEnum):
    KIND_NULL = 0
    KIND_BOOLEAN = 1
    KIND_INT = 2
    KIND_LONG = 3
    KIND_FLOAT = 4
    KIND_DOUBLE = 5
    KIND_BYTES = 6
    KIND_STRING = 7
    KIND_FIXED = 8
    KIND_ENUM = 9
    KIND_ARRAY = 10
    KIND_MAP = 11
    KIND_UNION = 12
    KIND_RECORD = 13

class Reason(IntEnum):
    REASON_OK = 0
    REASON_EMPTY = 1
    REASON_TRUNCATED = 2
    REASON_SHORT = 3
    REASON_TRAILING = 4
    REASON_VARINT = 5
    REASON_LENGTH = 6
    REASON_UNION = 7
    REASON_ENUM = 8
    REASON_BOOLEAN = 9
    REASON_UTF8 = 10
    REASON_DEPTH = 11
    REASON_SOURCE = 12
    REASON_SCHEMA = 13
    REASON_AUTH = 14
    REASON_REPLAY = 15
    REASON_COUNT = 16

class TimeUnit(IntEnum):
    UNIT_UNKNOWN = 0
    UNIT_S = 1
    UNIT_MS = 2
    UNIT_US = 3
    UNIT_NS = 4

class Plan:
    """A compiled channel schema."""

    def __init__(self, schema: Schema) -> None: ...
    @property
    def schema(self) -> Schema: ...
    @property
    def types(self) -> tuple[Type, ...]: ...
    def walk(self, data: ReadableBuffer, offset: int = 0) -> tuple[int, int | None, int | None]:
        """Validate the record that starts at `offset`; give its length in bytes, its time and its sequence.

        The time is int64 ns UTC, None when it cannot be right (null, NaN, outside 1677 to 2262); where schema and
        channel state no unit, the magnitude of this time tells it. RecordError carries the reason.
        """

    def steps(self) -> list[tuple[int, int, int]]:
        """Give the steps of the validating walk: bytes of fixed size, then what (StepKind), and its place."""

    def numbers(self, data: ReadableBuffer, offset: int = 0) -> dict[str, int | float | None]:
        """Give the numbers in the record that starts at `offset`, by signal; what is not a number is walked over."""

    def put(self, name: str, value: float | None) -> bytes:
        """Give the bytes of a number as the signal `name` has it: as near as it comes.

        For int and long it is rounded half to even and held within the type. Null is NaN or 0 where there is no null.
        """

    def packet(self, data: ReadableBuffer, framing: Literal["plain", "single_object"] = "plain") -> int:
        """Validate a whole packet; give the number of its records.

        RecordError carries the reason: that of the first record, or `trailing` for bytes after whole records.
        """
