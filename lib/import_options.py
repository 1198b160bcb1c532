"""What a user tells of an import."""

import hashlib
import json
from dataclasses import asdict, dataclass

__all__ = ["ImportOptions"]


@dataclass(frozen=True)
class ImportOptions:
    """What counts instead of what would be found out; None and empty: find out."""

    delimiter: str | None = None
    quote: str | None = None  # "" for none
    decimal: str | None = None
    header: bool | None = None
    encoding: str | None = None
    skip: int = 0  # lines above the names
    time_column: tuple[str, ...] = ()  # one, or a date's and a clock's
    time_format: str | None = None
    time_unit: str | None = None  # of times that are numbers
    zone: str | None = None  # of times that have none
    start_ns: int | None = None  # of files whose times begin at 0, or that have none
    rate_hz: float | None = None
    ambiguous: str = "order"
    missing: str = "reject"
    weekdays: str = "check"
    columns: tuple[tuple[str, str | None], ...] = ()  # names and types
    without: tuple[str, ...] = ()
    by: str | None = None
    group: str | None = None  # of an HDF5 file
    channel: str | None = None

    def mark(self) -> str:
        """What is the same only for the same options."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
