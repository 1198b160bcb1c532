"""What `speeddata status` shows, from what the API tells: the state of the whole, and a line for each channel. Pure."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from speeddata.counted import counted
from speeddata.errors import TimeError
from speeddata.times import parse_time

__all__ = [
    "Line",
    "Rates",
    "age_text",
    "channel_line",
    "count_text",
    "in_order",
    "loss_words",
    "losses",
    "size_text",
    "span_text",
    "troubles",
]

Json = Mapping[str, Any]

NS = 10**9
SPAN_S = 3.0  # over which rates are means
IN_TROUBLE = ("degraded", "backoff", "failed")
ORDER = {state: rank for rank, state in enumerate((*IN_TROUBLE, "stopped", "starting"))}  # before all others
SIZES = (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3))
SPANS = (("d", 86400), ("h", 3600), ("min", 60))


@dataclass(frozen=True)
class Line:
    """A channel as the table has it."""

    name: str
    port: int | None
    state: str
    reason: str
    records: int
    rate: float | None  # records a second; None: not known
    drops: int
    drops_why: str  # in words
    last_s: float | None  # how long ago a record came; None: not known

    @property
    def troubled(self) -> bool:
        """Whether somebody should look at it."""
        return self.state in IN_TROUBLE or (self.state == "stopped" and bool(self.reason))

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "port": self.port, "state": self.state, "reason": self.reason, "records": self.records,
                "rate": None if self.rate is None else round(self.rate, 3), "drops": self.drops, "drops_why": self.drops_why,
                "last_s": None if self.last_s is None else round(self.last_s, 3)}  # fmt: skip


class Rates:
    """Records a second of channels: differences of their counters, which bring the time at which they were read."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], deque[tuple[float, int]]] = {}

    def update(self, channel: Json) -> float | None:
        """Take in the counters of a channel; its rate, None where it cannot be told yet."""
        found = None
        for key in ("stats", "ingested"):
            counters = channel.get(key)
            if counters and counters.get("heartbeat"):
                rate = self._add(
                    (channel["name"], key), counters["heartbeat"] / NS, int(counters.get("records") or 0)
                )
                if rate is not None:
                    found = (found or 0.0) + rate
        return found

    def _add(self, key: tuple[str, str], time_s: float, count: int) -> float | None:
        seen = self._seen.setdefault(key, deque())
        if seen and (count < seen[-1][1] or time_s < seen[-1][0]):
            seen.clear()  # counting began anew
        if not seen or time_s > seen[-1][0]:
            seen.append((time_s, count))
        while len(seen) > 2 and time_s - seen[1][0] >= SPAN_S:
            seen.popleft()
        (from_s, first), (until_s, last) = seen[0], seen[-1]
        return (last - first) / (until_s - from_s) if until_s > from_s else None


def channel_line(channel: Json, rate: float | None, now_ns: int) -> Line:
    """The line of a channel as the API tells it."""
    stats, ingested = channel.get("stats") or {}, channel.get("ingested") or {}
    return Line(
        name=channel["name"],
        port=channel.get("port"),
        state=channel["state"],
        reason=channel.get("reason") or "",
        records=int(stats.get("records") or 0) + int(ingested.get("records") or 0),
        rate=rate,
        drops=sum(count for _, _, count in losses(channel)),
        drops_why=loss_words(channel),
        last_s=_age_s(stats.get("durable_until"), now_ns),
    )


def losses(channel: Json) -> list[tuple[str, str, int]]:
    """Everything that came and is not in the archive, as the control page counts it: what became of it, why, how many."""
    stats, ingested = channel.get("stats") or {}, channel.get("ingested") or {}
    found = [
        ("dropped", "by the kernel", stats.get("kernel_drops")),
        ("dropped", "ring full", stats.get("ring_full")),
        ("lost", "by HTTP", ingested.get("lost")),
    ]
    for key, what in (("rejected", "refused"), ("not_archived", "not archived")):
        counts = stats.get(key) or {}
        found += [(what, reason, count) for reason, count in counts.items() if reason != "ring_full"]
    return [(what, reason, int(count)) for what, reason, count in found if count]


def loss_words(channel: Json) -> str:
    """The same in words, most first: `20 refused: short`, `24 refused: 20 short, 4 schema`; empty where nothing was lost."""
    kinds: dict[str, list[tuple[int, str]]] = {}
    for what, reason, count in losses(channel):
        kinds.setdefault(what, []).append((count, reason))
    parts = []
    for what, counts in kinds.items():
        counts.sort(key=lambda one: -one[0])
        total = sum(count for count, _ in counts)
        reasons = [f"{count:,} {reason}" for count, reason in counts] if len(counts) > 1 else [counts[0][1]]
        parts.append((-total, f"{total:,} {what}: {', '.join(reasons)}"))
    return "; ".join(words for _, words in sorted(parts))


def in_order(lines: Sequence[Line]) -> list[Line]:
    """Those with trouble first, then what begins or has stopped, each by name."""
    return sorted(lines, key=lambda line: (not line.troubled, ORDER.get(line.state, len(ORDER)), line.name))


def troubles(status: Json, lines: Sequence[Line]) -> list[str]:
    """What is the matter with the system, in words; empty: nothing is."""
    found = []
    for process in ({"name": "keeper", **status["keeper"]}, *status["services"]):
        if process["state"] in IN_TROUBLE:
            found.append(_told(process["name"], process["state"], process.get("reason") or ""))
    if status["archive"].get("trouble"):
        found.append(f"archive: {status['archive']['trouble']}")
    if trouble := status.get("registry", {}).get("trouble"):
        found.append(f"registry: nothing can be changed: {trouble}")
    count = sum(line.troubled for line in lines)
    if count:
        found.append(f"{counted(count, 'channel')} in trouble")
    return found


def _told(name: str, state: str, reason: str) -> str:
    return f"{name} {state}: {reason}" if reason else f"{name} {state}"


def _age_s(time: str | None, now_ns: int) -> float | None:
    try:
        return max(0.0, (now_ns - parse_time(time)) / NS) if time else None
    except TimeError:
        return None


def count_text(count: float | None) -> str:
    """A number as a table has it: with few digits, or a dash where it is not known."""
    if count is None:
        return "-"
    if isinstance(count, int) or count >= 100 or count == 0:
        return f"{count:,.0f}"
    return f"{count:.1f}"


def age_text(seconds: float | None) -> str:
    """How long ago something was."""
    return "-" if seconds is None else span_text(seconds)


def span_text(seconds: float) -> str:
    """A span of time in its largest unit."""
    for unit, size in SPANS:
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def size_text(size: float) -> str:
    """Bytes for a reader."""
    unit, scale = next((one for one in SIZES if size >= one[1]), ("B", 1.0))
    return f"{size / scale:.1f} {unit}" if scale > 1 else f"{size:.0f} B"
