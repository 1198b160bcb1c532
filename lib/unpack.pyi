from collections.abc import Iterator
from typing import Any

from typing_extensions import Buffer

from speeddata.plan import Plan

class Records:
    """Records that stand back to back, such as the content of a block, one by one.

    Each comes as its time in ns by `unit` ("s", "ms", "us", "ns"; None where it cannot be told) and a dict: nested records
    are dicts, bytes and fixed `bytes`, logical types are not applied. RecordError at what is not a record.
    """

    def __init__(self, plan: Plan, data: Buffer, unit: str | None = None) -> None: ...
    def __iter__(self) -> Iterator[tuple[int | None, dict[str, Any]]]: ...
    def __next__(self) -> tuple[int | None, dict[str, Any]]: ...
