"""ISO 8601 times and durations, and durations such as 5m, as int64 nanoseconds (since 1970 UTC).

Used wherever a person writes a time: queries, exports, the command line. All arithmetic is on integers, so
nanoseconds survive. A time without a zone is UTC.
"""

import datetime
import re
from fractions import Fraction

from speeddata.errors import TimeError

__all__ = ["SCALES", "format_time", "parse_duration", "parse_time", "unit_of"]

NS = 1_000_000_000
SCALES = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}  # nanoseconds of a unit
LIMITS = (("s", 1e11), ("ms", 1e14), ("us", 1e17))  # below which a number that is a time is of the unit
# The int64 range of nanoseconds: 1677-09-21 to 2262-04-11.
LOWEST, HIGHEST = -(2**63), 2**63 - 1
EPOCH = datetime.datetime(1970, 1, 1)

WANTED_TIME = "wanted an ISO 8601 time such as 2025-01-23T14:00:00Z"
WANTED_DURATION = "wanted such as 30s, 15m, 1h, 1d, or an ISO 8601 duration such as PT30S, PT1H30M or P1DT12H"

TIME = re.compile(
    r"(?P<year>\d{4})(?P<dash>-?)(?P<month>\d\d)(?P=dash)(?P<day>\d\d)"
    r"(?:[Tt ](?P<hour>\d\d)(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?)?)?"
    r"(?P<zone>[Zz]|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII,
)
PARTS = ("year", "month", "day", "hour", "minute", "second")
NUMBER = r"(\d{1,18}(?:[.,]\d{1,30})?)"
DURATION = re.compile(
    rf"P(?:{NUMBER}W)?(?:{NUMBER}D)?(?P<clock>T(?:{NUMBER}H)?(?:{NUMBER}M)?(?:{NUMBER}S)?)?", re.ASCII
)
SECONDS = (7 * 86400, 86400, 3600, 60, 1)  # of the units of DURATION, in its order
WIDTHS = {"ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": NS, "m": 60 * NS, "min": 60 * NS, "h": 3600 * NS,
          "d": 86400 * NS, "w": 7 * 86400 * NS}  # fmt: skip
SHORT = re.compile(rf"{NUMBER} ?({'|'.join(WIDTHS)})", re.ASCII | re.IGNORECASE)


def parse_time(text: str) -> int:
    """Read an ISO 8601 time as nanoseconds since 1970 UTC."""
    match = TIME.fullmatch(text.strip())
    if match is None:
        raise TimeError(f"cannot read the time {text!r}, {WANTED_TIME}{_hint(text)}")
    try:
        year, month, day, hour, minute, second = (int(match[part] or 0) for part in PARTS)
        moment = datetime.datetime(year, month, day, hour, minute, second)
    except ValueError as error:
        raise TimeError(f"impossible time {text!r} ({error}), {WANTED_TIME}") from None
    span = moment - EPOCH
    seconds = span.days * 86400 + span.seconds - _offset(match["zone"], text)
    stamp = seconds * NS + int((match["fraction"] or "0").ljust(9, "0")[:9])
    return _in_range(stamp, text)


def unit_of(number: float) -> str:
    """The unit that the size of a number tells, which is a time since 1970."""
    return next((unit for unit, limit in LIMITS if number < limit), "ns")


def parse_duration(text: str) -> int:
    """Read an ISO 8601 duration of weeks, days, hours, minutes and seconds, or one of one unit such as 5m, as nanoseconds."""
    short = SHORT.fullmatch(text.strip())
    if short is not None:
        return _in_range(int(Fraction(short[1].replace(",", ".")) * WIDTHS[short[2].lower()]), text)
    match = DURATION.fullmatch(text.strip().upper())
    if match is None:
        raise TimeError(f"cannot read the duration {text!r}, {WANTED_DURATION}{_calendar_hint(text)}")
    numbers = [match[index] for index in (1, 2, 4, 5, 6)]
    given = [number for number in numbers if number]
    if not given or match["clock"] == "T":
        raise TimeError(f"the duration {text!r} has no number, {WANTED_DURATION}")
    if any("." in number or "," in number for number in given[:-1]):
        raise TimeError(
            f"only the last number of the duration {text!r} may have a fraction, {WANTED_DURATION}"
        )
    exact = sum(
        Fraction(number.replace(",", ".")) * seconds
        for number, seconds in zip(numbers, SECONDS, strict=True)
        if number
    )
    return _in_range(int(exact * NS), text)


def format_time(stamp_ns: int) -> str:
    """Write nanoseconds since 1970 UTC as ISO 8601, with 0, 3, 6 or 9 digits of a second."""
    if not LOWEST <= stamp_ns <= HIGHEST:
        raise TimeError(f"the time {stamp_ns} ns is outside the years 1677 to 2262")
    seconds, rest = divmod(stamp_ns, NS)
    whole = (EPOCH + datetime.timedelta(seconds=seconds)).isoformat()
    digits = f"{rest:09d}"
    while digits and digits.endswith("000"):
        digits = digits[:-3]
    return f"{whole}.{digits}Z" if digits else f"{whole}Z"


def _offset(zone: str | None, text: str) -> int:
    """Seconds east of UTC that a zone such as +01:00 stands for."""
    if not zone or zone in "Zz":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if hours > 23 or minutes > 59:
        raise TimeError(f"impossible zone {zone!r} in the time {text!r}, wanted Z or -23:59 to +23:59")
    return (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)


def _in_range(value: int, text: str) -> int:
    if not LOWEST <= value <= HIGHEST:
        raise TimeError(f"{text!r} is outside what int64 nanoseconds hold, wanted the years 1677 to 2262")
    return value


def _hint(text: str) -> str:
    if re.search(r"\d [\d:]+$", text) and ("T" in text or text.count(" ") > 1):
        return " (in a URL the + of a zone is written %2B)"
    return ""


def _calendar_hint(text: str) -> str:
    if re.match(r"P[\d.,]+[YM]", text.strip().upper()):
        return " (years and months have no fixed length)"
    return ""
