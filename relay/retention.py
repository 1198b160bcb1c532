"""Which segments are to be deleted: pure, over a description of what there is.

Limits of a channel first, then those of the whole archive, each time the oldest by arrival first. What a tag pins and
what may not be touched is passed over, and counts all the same: a limit that only it exceeds deletes everything else.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Choice", "Held", "Limits", "choose", "limits_of"]

NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Held:
    """A segment, as retention sees it."""

    channel: str
    name: str
    bytes: int  # with its index
    order_ns: int  # when its newest records came, by a clock that never stepped
    age_ns: int
    free: bool = True  # may be touched: sealed, and nobody writes to it


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel may have; None: any."""

    max_age_ns: int | None = None
    max_bytes: int | None = None
    max_segments: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """A segment that is to be deleted, and which setting says so."""

    segment: Held
    setting: str


@dataclass(slots=True)
class _Sum:
    segments: int = 0
    bytes: int = 0

    def add(self, segment: Held) -> None:
        self.segments += 1
        self.bytes += segment.bytes

    def remove(self, segment: Held) -> None:
        self.segments -= 1
        self.bytes -= segment.bytes


def limits_of(settings: Mapping[str, Any]) -> Limits:
    """The limits that the settings of a channel stand for; `mode` and `value` are those of SpeedData 0.6."""
    age, size = settings["retention.max_age_s"], settings["retention.max_bytes"]
    mode, value = settings["retention.mode"], settings["retention.value"]
    if mode is not None and value is not None:
        age, size = (value, None) if mode == "ttl" else (None, value)
    return Limits(None if age is None else int(age * NS), size, settings["retention.max_segments"])


def choose(
    segments: Iterable[Held],
    limits: Callable[[str], Limits],
    archive_bytes: int | None,
    lacking: int,
    pinned: Callable[[Held], bool],
) -> list[Choice]:
    """Choose what to delete, in the order of deletion; `lacking` bytes are to become free on the disk."""
    oldest_first = sorted(segments, key=lambda one: (one.order_ns, one.channel, one.name))
    sums: dict[str, _Sum] = {}
    total = _Sum()
    for one in oldest_first:
        sums.setdefault(one.channel, _Sum()).add(one)
        total.add(one)
    chosen: list[Choice] = []
    left: list[Held] = []
    for one in oldest_first:
        setting = _exceeded(one, limits(one.channel), sums[one.channel])
        if setting and one.free and not pinned(one):
            chosen.append(Choice(one, setting))
            sums[one.channel].remove(one)
            total.remove(one)
        else:
            left.append(one)
    lacking -= sum(choice.segment.bytes for choice in chosen)
    for one in left:
        setting = (
            "retention.archive_bytes"
            if archive_bytes is not None and total.bytes > archive_bytes
            else "retention.min_free_percent"
            if lacking > 0
            else ""
        )
        if not setting:
            break
        if one.free and not pinned(one):
            chosen.append(Choice(one, setting))
            total.remove(one)
            lacking -= one.bytes
    return chosen


def _exceeded(segment: Held, limits: Limits, channel: _Sum) -> str:
    """The limit of its channel for which a segment, the oldest left, must go."""
    if limits.max_age_ns is not None and segment.age_ns > limits.max_age_ns:
        return "retention.max_age_s"
    if limits.max_segments is not None and channel.segments > limits.max_segments:
        return "retention.max_segments"
    if limits.max_bytes is not None and channel.bytes > limits.max_bytes:
        return "retention.max_bytes"
    return ""
