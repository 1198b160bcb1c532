"""Local time of a zone as spans of one offset, the hours that come twice and those that are left out; which lines are of which."""

import datetime
from collections.abc import Iterable, Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo

from speeddata.csv_layout import Spans
from speeddata.errors import TimeError

__all__ = ["EVENT_BACK", "EVENT_ENTER", "EVENT_FIRST", "Seen", "find_folds", "spans_of"]

PLAIN, TWICE, MISSING = range(3)
EVENT_FIRST, EVENT_ENTER, EVENT_BACK = range(3)
WEEK = 7 * 86400
FIRST_YEAR, LAST_YEAR = 1900, 2110
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

# What a range of lines saw: its events (offset, local second, span, kind), and local second and span of its last line.
Seen = tuple[Sequence[tuple[int, int, int, int]], tuple[int, int] | None]


@lru_cache(maxsize=16)
def spans_of(name: str) -> Spans | None:
    """Local time of a zone such as Europe/Zurich, or of a fixed offset such as +01:00; None for UTC."""
    if name.upper() in ("UTC", "Z", "GMT"):
        return None
    if name[:1] in "+-":
        try:
            offset = datetime.datetime.strptime(name, "%z").utcoffset()
        except ValueError:
            offset = None
        if offset is None:
            raise TimeError(f"the zone {name!r} is unknown, wanted one such as Europe/Zurich, UTC or +01:00")
        seconds = int(offset.total_seconds())
        return Spans((-(2**62),), (PLAIN,), (seconds,), (seconds,))
    try:
        zone = ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise TimeError(
            f"the zone {name!r} is unknown, wanted one such as Europe/Zurich, UTC or +01:00"
        ) from error
    return _spans(zone)


def _spans(zone: ZoneInfo) -> Spans:
    starts, kinds, first, second = [-(2**62)], [PLAIN], [0], [0]
    last = _second(FIRST_YEAR)
    before = _offset(zone, last)
    first[0] = second[0] = before
    for moment in range(last + WEEK, _second(LAST_YEAR), WEEK):
        after = _offset(zone, moment)
        if after == before:
            last = moment
            continue
        change = _change(zone, last, moment, before)
        after = _offset(zone, change)
        low, high = sorted((change + before, change + after))
        starts += [low, high]
        kinds += [MISSING if after > before else TWICE, PLAIN]
        first += [before, after]
        second += [before if after > before else after, after]
        before, last = after, moment
    return Spans(tuple(starts), tuple(kinds), tuple(first), tuple(second))


def _second(year: int) -> int:
    return int((datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) - EPOCH).total_seconds())


def _offset(zone: ZoneInfo, second: int) -> int:
    offset = (EPOCH + datetime.timedelta(seconds=second)).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def _change(zone: ZoneInfo, low: int, high: int, before: int) -> int:
    """The second from which another offset counts."""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
    return high


def find_folds(seen: Iterable[Seen], step_s: float) -> list[tuple[int, int]]:
    """From which offset on lines of an hour that comes twice are of its first (0) or second (1) time."""
    newest_first = step_s < 0
    folds: list[tuple[int, int]] = []
    state, before = 0, None
    for events, last in seen:
        for offset, local, span, kind in events:
            if kind == EVENT_FIRST and before is not None and before[1] == span:
                moved = local - before[0]
                back = moved > step_s + 1800 if newest_first else moved < step_s - 1800
                if not back:
                    continue
                kind = EVENT_BACK
            state = 1 - state if kind == EVENT_BACK else int(newest_first)
            folds.append((offset, state))
        before = last or before
    return folds
