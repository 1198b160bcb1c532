"""How far a follower has read a channel's archive, in words that outlive connections, restarts and resealing.

A position counts records: so many of this segment are read. Sealing keeps the order and number of a segment's records, so
this holds where byte offsets, block numbers and sync markers do not. Of the segments some are counted one by one, the last
ones; those named below the `floor` are read whole.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from speeddata.segment_names import is_segment_name

__all__ = ["Key", "Positions", "rank_of"]

KEPT = 8  # segments that a token counts one by one
PLACES = 40  # bits of a rank that tell the record within its segment
WHOLE = 1 << PLACES

# The last record given of a history, which is in the order of time: its time in ns, its segment, its number there.
Key = tuple[int, str, int]


def rank_of(names: Sequence[str], segment: str, record: int) -> int:
    """A number by which the records of these segments stand in their order; -1 of a record: before the segment."""
    place = bisect_left(names, segment)
    if place < len(names) and names[place] == segment:
        return (place << PLACES) + record
    return (place << PLACES) - 1  # the segment is gone: what followed it comes next


@dataclass
class Positions:
    """What of one channel has been read."""

    # Segments named below it are read whole, unless they are counted.
    floor: str = ""
    # Records read of each segment that is counted, the one touched last at the end.
    counts: dict[str, int] = field(default_factory=dict)
    # Where the history is, while it is being read; the rest is then what it goes up to. None: it has been read.
    key: Key | None = None
    in_history: bool = False

    def read_of(self, name: str) -> int:
        """How many records of a segment have been read."""
        return self.counts.get(name, WHOLE if name < self.floor else 0)

    def set(self, name: str, count: int) -> None:
        """So many records of a segment have been read."""
        self.counts.pop(name, None)
        self.counts[name] = count

    def to_json(self, channel: str) -> dict[str, Any]:
        """What a token holds: the segments touched last, those before them as the floor."""
        kept = dict(list(self.counts.items())[-KEPT:])
        dropped = [name for name in self.counts if name not in kept]
        floor = max([self.floor, *(f"{name}\0" for name in dropped)])
        out: dict[str, Any] = {
            "f": _short(channel, floor), "s": {_short(channel, name): count for name, count in kept.items()},
        }  # fmt: skip
        if self.in_history:
            out["h"] = [self.key[0], _short(channel, self.key[1]), self.key[2]] if self.key else []
        return out

    @classmethod
    def from_json(cls, channel: str, value: Any) -> "Positions":
        """Read what `to_json` wrote. ValueError where it is something else."""
        if (
            not isinstance(value, dict)
            or not isinstance(value.get("f"), str)
            or not isinstance(value.get("s"), dict)
        ):
            raise ValueError("no position of a channel")
        counts = {_long(channel, name): _count(count) for name, count in value["s"].items()}
        floor = value["f"].removesuffix("\0")
        made = cls(_long(channel, floor) + "\0" * (len(value["f"]) - len(floor)) if floor else "", counts)
        history = value.get("h")
        if history is not None:
            made.in_history = True
            made.key = _key(channel, history)
        return made


def _short(channel: str, name: str) -> str:
    end = "\0" if name.endswith("\0") else ""
    return name.removesuffix("\0").removeprefix(f"{channel}_").removesuffix(".avro") + end


def _long(channel: str, name: str) -> str:
    whole = f"{channel}_{name}.avro"
    if not is_segment_name(channel, whole):
        raise ValueError(f"{name!r} is no start of a segment")
    return whole


def _count(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= WHOLE:
        raise ValueError(f"{value!r} is no count of records")
    return value


def _key(channel: str, value: Any) -> Key | None:
    if value == []:
        return None
    if (
        not isinstance(value, list)
        or len(value) != 3
        or type(value[0]) is not int
        or not isinstance(value[1], str)
    ):
        raise ValueError("no place in a history")
    if not -(2**63) <= value[0] < 2**63:
        raise ValueError("no time in a history")
    return value[0], _long(channel, value[1]), _count(value[2])
