"""Room in a file for what is known only when its last record is written.

Formats that tell about themselves in their first bytes get a text of blanks there, which is found again and written over at
the end. JSON may end in blanks, so whoever reads it notices nothing.
"""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Room", "outcome"]

SIZE = 1 << 14  # bytes
NEAR = 1 << 23  # bytes of a file's head and tail that are looked through


class Room:
    """A text that is replaced later, in each place of a file where it is."""

    def __init__(self) -> None:
        mark = json.dumps(secrets.token_hex(16))
        self.text = mark.ljust(SIZE)
        self._mark = mark.encode()

    def fill(self, descriptor: int, told: Mapping[str, Any]) -> int:
        """Write what is told where the text is, and give the number of places; lists are cut to what there is room for."""
        text = fitting(told, SIZE)
        size, places = os.fstat(descriptor).st_size, set()
        for start in {0, max(0, size - NEAR)}:
            data = os.pread(descriptor, NEAR, start)
            at = data.find(self._mark)
            while at >= 0:
                places.add(start + at)
                at = data.find(self._mark, at + 1)
        for place in places:
            os.pwrite(descriptor, text, place)
        return len(places)


def outcome(
    records: int, gaps: Sequence[tuple[int, int]], damage: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What is told about records that were written."""
    return {
        "records": records,
        "gaps": [{"after_ns": after_ns, "missing": missing} for after_ns, missing in gaps],
        "damage": list(damage),
    }


def fitting(told: Mapping[str, Any], size: int) -> bytes:
    """JSON of exactly so many bytes, with blanks at its end; of its lists the first items, and how many more there are."""
    keep = max((len(value) for value in told.values() if isinstance(value, list)), default=0)
    keep = min(keep, size)
    while True:
        cut: dict[str, Any] = {}
        for key, value in told.items():
            cut[key] = value[:keep] if isinstance(value, list) else value
            if isinstance(value, list) and len(value) > keep:
                cut[f"{key}_left_out"] = len(value) - keep
        text = json.dumps(cut, separators=(",", ":")).encode()
        if len(text) <= size or not keep:
            return text[:size].ljust(size)
        keep = min(keep * size // len(text), keep - 1)
