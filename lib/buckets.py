"""Time buckets: their widths as people write them, and their edges in time, also by the calendar of a time zone.

A bucket is half open, [start, next start). Widths below a day are aligned to the clock of the zone as it stands in each
stretch of constant offset, so that the hour that a clock repeats is two buckets; days, weeks (from Monday), months and
years begin at the zone's midnight. No files, no clock.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from math import ceil, gcd
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from speeddata.errors import TimeError
from speeddata.table import Array
from speeddata.times import NS, parse_duration

__all__ = ["LADDER", "Buckets", "for_pixels", "parse_every", "parse_zone"]

DAY = 86400 * NS
YEAR = 366 * DAY
MONTHS_OF_YEAR = 12
MAX_MONTHS = 1200
MONDAY = 4 * DAY  # 1970-01-05, the first Monday
OF_UTC = ("UTC", "Etc/UTC")
LOWEST, HIGHEST = -(2**63), 2**63 - 1
MONTHS = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*(mo|y)", re.ASCII | re.IGNORECASE)
CALENDAR = re.compile(r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?", re.ASCII | re.IGNORECASE)
WANTED = "wanted such as 500ms, 30s, 15m, 1h, 1d, 1w, 1mo, 1y, PT15M, P1D or P1M"
# Widths for a number of pixels: each is whole in rollup levels.
LADDER = (
    *(step * 10**power for power in range(9) for step in (1, 2, 5)),
    *(step * NS for step in (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)),
    *(step * 3600 * NS for step in (2, 3, 6, 12)),
    *(step * DAY for step in (1, 2, 7, 14, 28, 91, 182, 364, 1820, 3640)),
)


@dataclass(frozen=True)
class Buckets:
    """Buckets of one width: `width_ns`, or `months` of the calendar."""

    width_ns: int = 0
    months: int = 0
    zone: str = "UTC"

    def estimate(self, start_ns: int, end_ns: int) -> int:
        """About how many buckets [start_ns, end_ns] touches, and never fewer than a third less; costs nothing."""
        width = self.width_ns or self.months * 28 * DAY
        return max(end_ns - start_ns, 0) // width + 2

    def edges(self, start_ns: int, end_ns: int) -> Array:
        """Where the buckets that [start_ns, end_ns] touches begin, and the end of the last: int64 [buckets + 1].

        What would lie outside int64 is cut off there.
        """
        if not self.months and self.zone in OF_UTC:
            return _regular(self.width_ns, _origin(self.width_ns), start_ns, end_ns)
        low, high = max(start_ns, LOWEST + 4 * DAY), min(end_ns, HIGHEST - 4 * DAY)
        changes, offsets = _offsets(self.zone, low - self._reach(), high + self._reach())
        if self.months or self.width_ns % DAY == 0:
            local = self._midnights(low + min(offsets), high + max(offsets))
            edges = np.unique(_to_utc(_inside(local), changes, offsets))
        else:
            edges = np.unique(self._by_clock(changes, offsets, low, high))
        first = int(np.searchsorted(edges, start_ns, "right")) - 1
        last = int(np.searchsorted(edges, end_ns, "right"))
        parts = [edges[max(first, 0) : last + 1]]
        if first < 0:
            parts.insert(0, np.array([LOWEST]))
        if last == len(edges):
            parts.append(np.array([HIGHEST]))
        return np.concatenate(parts)

    def granule(self, edges: Array) -> int:
        """The largest width in ns that all edges are whole in."""
        if len(edges) > 2 and (self.months or self.zone != "UTC"):
            return int(np.gcd.reduce(edges))
        return gcd(*(int(edge) for edge in edges[:2]), int(edges[-1]))

    def _reach(self) -> int:
        """How far from a range the edges of its buckets may be."""
        return (self.width_ns or self.months * 31 * DAY) + 2 * DAY

    def _midnights(self, start: int, end: int) -> Array:
        """Local times at which buckets begin, from one at or before `start` to one behind `end`."""
        if not self.months:
            return _regular(self.width_ns, _origin(self.width_ns), start - DAY, end + DAY)
        first, last = (
            int(np.datetime64(stamp // DAY, "D").astype("M8[M]").astype(int)) for stamp in (start, end)
        )
        months = np.arange(first // self.months - 1, last // self.months + 3) * self.months
        days = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
        made: Array = days[abs(days) <= HIGHEST // DAY] * DAY
        return made

    def _by_clock(self, changes: list[int], offsets: list[int], start_ns: int, end_ns: int) -> Array:
        """Edges by the clock of each stretch of constant offset."""
        parts = []
        bounds = [start_ns - self._reach(), *changes, end_ns + self._reach()]
        for offset, low, high in zip(offsets, bounds[:-1], bounds[1:], strict=True):
            # Of a stretch before or behind the range its last or first edge is enough.
            low = max(low, min(start_ns, high) - 2 * self.width_ns)
            high = min(high, max(end_ns, low) + 2 * self.width_ns)
            part = _inside(_regular(self.width_ns, 0, low + offset, high + offset)) - offset
            parts.append(part[(part >= low) & (part < high)])
        return np.concatenate(parts)


def parse_every(text: str, zone: str = "UTC") -> Buckets:
    """Read a bucket width: an ISO 8601 duration or a short form such as 15m, months and years of the calendar too."""
    text = text.strip()
    calendar, short = CALENDAR.fullmatch(text), MONTHS.fullmatch(text)
    months = width = 0
    if calendar and any(calendar.groups()):
        months = int(calendar[1] or 0) * MONTHS_OF_YEAR + int(calendar[2] or 0)
    elif short:
        if "." in short[1]:
            raise TimeError(f"cannot read the width {text!r}: months and years are whole, {WANTED}")
        months = int(short[1]) * (MONTHS_OF_YEAR if short[2].lower() == "y" else 1)
    else:
        try:
            width = parse_duration(text)
        except TimeError:
            raise TimeError(f"cannot read the width {text!r}, {WANTED}") from None
    if months > MAX_MONTHS or width > 100 * YEAR:
        raise TimeError(f"the width {text!r} is more than 100 years, {WANTED}")
    if not months and width < 1:
        raise TimeError(f"the width {text!r} is less than a nanosecond, {WANTED}")
    return Buckets(width, months, parse_zone(zone))


def parse_zone(name: str) -> str:
    """Check the name of a time zone of the IANA data base."""
    if name.upper() in ("", "Z", "UTC"):
        return "UTC"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise TimeError(
            f"unknown time zone {name!r}, wanted a name of the IANA data base such as Europe/Zurich, or UTC"
        ) from None
    return name


def for_pixels(
    start_ns: int, end_ns: int, pixels: int, zone: str = "UTC", ladder: Sequence[int] = LADDER
) -> Buckets:
    """The narrowest buckets of a ladder of which [start_ns, end_ns] touches at most so many."""
    for width in ladder:
        if (end_ns - start_ns) // width >= pixels:
            continue
        made = Buckets(width, 0, zone)
        if len(made.edges(start_ns, end_ns)) - 1 <= pixels:
            return made
    return Buckets(max(ceil((end_ns - start_ns + 1) / DAY), 1) * 2 * DAY, 0, zone)


def _origin(width: int) -> int:
    """Where buckets of a width are counted from: weeks begin on Mondays."""
    return MONDAY if width % (7 * DAY) == 0 else 0


def _regular(width: int, origin: int, start: int, end: int) -> Array:
    """Multiples of a width from the one at or before `start` to the first behind `end`, cut off at what int64 holds."""
    low, high = (start - origin) // width, (end - origin) // width + 1
    first, last = origin + low * width, origin + high * width
    if first >= LOWEST and last <= HIGHEST:
        return first + np.arange(high - low + 1, dtype=np.int64) * width
    inner = [origin + number * width for number in range(low + (first < LOWEST), high + (last <= HIGHEST))]
    return np.array(
        [*([LOWEST] if first < LOWEST else []), *inner, *([HIGHEST] if last > HIGHEST else [])], np.int64
    )


def _inside(local: Array) -> Array:
    """Without what is so far out that an offset would lead beyond int64."""
    made: Array = local[(local > LOWEST + DAY) & (local < HIGHEST - DAY)]
    return made


def _to_utc(local: Array, changes: list[int], offsets: list[int]) -> Array:
    """Local times as instants: of two the first, of none the one at which the clock was put forward."""
    at, off = np.array(changes, np.int64), np.array(offsets, np.int64)
    switch = at + np.maximum(off[:-1], off[1:])
    place = np.searchsorted(switch, local, "right")
    made = local - off[place]
    # The clock jumped over it: the next change is where the new time begins.
    late = place < len(at)
    made[late] = np.minimum(made[late], at[place[late]])
    return made


def _offsets(zone: str, start_ns: int, end_ns: int) -> tuple[list[int], list[int]]:
    """When a zone changes its offset from UTC within a range, and the offsets before, between and after, in ns."""
    first, last = (
        max(1678, min(2261, 1970 + stamp // (YEAR - DAY * 3 // 4))) for stamp in (start_ns, end_ns)
    )
    changes: list[int] = []
    offsets = [_year(zone, first - 1)[-1][1]]
    for year in range(first - 1, last + 2):
        for instant, offset in _year(zone, year):
            if offset != offsets[-1]:
                if instant <= start_ns:
                    offsets[-1] = offset
                elif instant <= min(end_ns, HIGHEST):
                    changes.append(instant)
                    offsets.append(offset)
    return changes, offsets


@lru_cache(maxsize=4096)
def _year(zone: str, year: int) -> list[tuple[int, int]]:
    """The offset with which a zone goes into a year, and its changes within it: from when, and ns east of UTC."""
    info = ZoneInfo(zone)
    step = 43200

    def offset(second: int) -> int:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
        told = moment.astimezone(info).utcoffset()
        return round((told or timedelta(0)) / timedelta(microseconds=1)) * 1000

    begin, end = (int(datetime(which, 1, 1, tzinfo=UTC).timestamp()) for which in (year, year + 1))
    found = [(begin * NS, offset(begin))]
    for second in range(begin + step, end + 1, step):
        if (after := offset(second)) == found[-1][1]:
            continue
        low, high, before = second - step, second, found[-1][1]
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == before else (low, middle)
        if high < end:
            found.append((high * NS, after))
    return found
