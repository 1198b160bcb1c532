"""What relays say was lost before their live streams, between two looks at their counters.

Buckets of a decimated stream hold as many records as came, so that the stream cannot show that some are missing; its relay,
which has every record's sequence number, can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Missing:
    """What a channel lost since the look before."""

    records: int
    """Sequence numbers that were jumped over and have not come late."""
    has_unnumbered: bool
    """Packets were thrown away by the kernel, or blocks passed over by the decimator: of how many records nobody knows."""
    over_ns: int
    """Time between the two looks."""


@dataclass
class _Seen:
    life: Any
    missing: int
    """Most that was missing at a time: what comes late makes it less, and is not missing once more."""
    unnumbered: int
    at_ns: int


class RelayCounts:
    """The counters of all channels as they were at the last look."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def look(self, channels: Sequence[Mapping[str, Any]], now_ns: int) -> dict[str, Missing]:
        """Take in channels as the registry describes them; give what those lost that lost anything, by name."""
        before, self._seen = self._seen, {}
        found = {}
        for told in channels:
            now = _read(told.get("stats"), now_ns)
            if now is None:
                continue
            name = str(told.get("name"))
            self._seen[name] = now
            then = before.get(name)
            if then is None or then.life != now.life:
                continue
            records, unnumbered = now.missing - then.missing, now.unnumbered - then.unnumbered
            now.missing = max(now.missing, then.missing)
            if records > 0 or unnumbered > 0:
                found[name] = Missing(max(0, records), unnumbered > 0, now_ns - then.at_ns)
        return found


def _read(stats: Any, now_ns: int) -> _Seen | None:
    """The counters of a channel; None where it has no relay, or one that does not count these."""
    try:
        sequence = stats["sequence"]
        missing = int(sequence["gaps"]) - int(sequence["reordered"])
        unnumbered = int(stats["kernel_drops"]) + int(stats["decimate_skipped_blocks"])
        return _Seen(stats.get("since"), missing, unnumbered, now_ns)
    except (KeyError, TypeError, ValueError):
        return None
