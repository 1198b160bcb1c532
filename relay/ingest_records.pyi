from _typeshed import ReadableBuffer

from speeddata.plan import Plan

class Records:
    """The records that fill `length` bytes of `data` from `start` on, each validated by `plan`.

    `unit` is the number of a `speeddata.plan.TimeUnit`, 0: told by the first plausible record. They are cut into blocks of at
    most `block_bytes`; one that is larger has a block of its own. RecordError, which also has `row`: the first that is wrong.
    """

    plan: Plan
    count: int
    bad_time: int
    arrival_ns: int

    def __init__(
        self,
        plan: Plan,
        data: ReadableBuffer,
        start: int,
        length: int,
        block_bytes: int,
        unit: int,
        arrival_ns: int,
    ) -> None: ...
    @property
    def unit(self) -> int:
        """The unit of their times, as far as is known now."""

    @property
    def size(self) -> int:
        """Bytes."""

    def blocks(self) -> list[tuple[int, int, int]]:
        """Where each block begins in the piece, its bytes, its records."""
