"""How times are written in a CSV file: formats to programs for `speeddata.csv_scan`, and which formats texts may have.

A format is written as for strptime: %Y %y %m %d %H %I %M %S %f %z %b %a %p, and other characters as they stand. `.%f` (also
`,%f`) and `%z` may be absent in a text; `%a` is a weekday's and `%b` a month's name in English, German, French or Italian.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from speeddata.csv_layout import Program
from speeddata.errors import TimeError

__all__ = ["MONTHS", "NAMES", "WEEKDAYS", "compile_format", "formats_of"]

CHAR, YEAR, SHORT_YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, MAY_SECOND, MAY_FRACTION, MAY_ZONE, WEEKDAY, MONTH_NAME, HALF, MAY_END, FRACTION = range(16)  # fmt: skip
STEPS = {
    "Y": YEAR, "y": SHORT_YEAR, "m": MONTH, "d": DAY, "H": HOUR, "I": HOUR, "M": MINUTE, "S": SECOND, "f": FRACTION,
    "z": MAY_ZONE, "Z": MAY_ZONE, "a": WEEKDAY, "A": WEEKDAY, "b": MONTH_NAME, "B": MONTH_NAME, "p": HALF,
}  # fmt: skip
LONG = {"T": "%H:%M:%S", "F": "%Y-%m-%d", "R": "%H:%M", "D": "%m/%d/%y"}
DATES = {YEAR, SHORT_YEAR, MONTH, DAY, MONTH_NAME}
WANTED = "wanted one such as '%Y-%m-%dT%H:%M:%S.%f%z' or '%a %d.%m.%y %H:%M:%S'"

MONTHS = {
    1: "jan january januar janvier janv gennaio gen", 2: "feb february februar février févr fevr febbraio",
    3: "mar march mär märz mrz mars marzo", 4: "apr april avr avril aprile", 5: "may mai maggio mag",
    6: "jun june juni juin giugno giu", 7: "jul july juli juillet juil luglio lug", 8: "aug august août aout agosto ago",
    9: "sep sept september septembre settembre set", 10: "oct october okt oktober octobre ottobre ott",
    11: "nov november novembre", 12: "dec december dez dezember déc décembre dicembre dic",
}  # fmt: skip
WEEKDAYS = {
    1: "mo mon monday montag lun lundi lunedì", 2: "di tue tues tuesday dienstag mar mardi martedì",
    3: "mi wed wednesday mittwoch mer mercredi mercoledì", 4: "do thu thur thurs thursday donnerstag jeu jeudi gio giovedì",
    5: "fr fri friday freitag ven vendredi venerdì", 6: "sa sat saturday samstag sonnabend sam samedi sab sabato",
    7: "so sun sunday sonntag dim dimanche dom domenica",
}  # fmt: skip


# Months as 1 to 12, weekdays as 101 to 107: "mar" is March and martedì.
NAMES = tuple((name, number) for number, text in MONTHS.items() for name in text.split()) + tuple(
    (name, number + 100) for number, text in WEEKDAYS.items() for name in text.split()
)


@lru_cache(maxsize=64)
def compile_format(text: str) -> Program:
    """Make the steps that read times of a format; TimeError tells what is wrong with it."""
    steps: list[tuple[int, int]] = []
    for step in _steps(text):
        if step[0] == FRACTION and steps and steps[-1] in ((CHAR, 46), (CHAR, 44)):
            steps[-1] = (MAY_FRACTION, 0)
        else:
            steps.append(step)
    kinds = [kind for kind, _ in steps]
    for kind in {kind for kind in kinds if kind not in (CHAR, WEEKDAY)}:
        if kinds.count(kind) > 1:
            raise TimeError(f"the time format {text!r} has something twice, {WANTED}")
    dated = any(kind in DATES for kind in kinds)
    whole = {YEAR, SHORT_YEAR} & set(kinds) and {MONTH, MONTH_NAME} & set(kinds) and DAY in kinds
    if dated and not whole:
        raise TimeError(f"the time format {text!r} has no whole date, {WANTED}")
    if not dated and HOUR not in kinds:
        raise TimeError(f"the time format {text!r} has neither date nor clock, {WANTED}")
    seconds = next((n for n, kind in enumerate(kinds) if kind in (SECOND, MAY_SECOND)), None)
    remembers = (
        seconds is not None
        and not any(kind in DATES for kind in kinds[seconds:])
        and not {MINUTE, HOUR} & set(kinds[seconds:])
    )
    tail = remembers and seconds is not None and kinds[seconds + 1 :] == [MAY_FRACTION, MAY_ZONE]
    return Program(text, tuple(steps), dated, remembers, tail)


def _steps(text: str) -> Iterator[tuple[int, int]]:
    """The steps of a format, one for each of its parts."""
    for short, long in LONG.items():
        text = text.replace(f"%{short}", long)
    for part in re.findall(r"\[[^]]*\]|%.|.", text, re.DOTALL):
        if part == "[:%S]":
            yield MAY_SECOND, 0
        elif part == "[clock]":
            yield MAY_END, 0
        elif part[0] == "%" and part != "%%":
            if part[1:] not in STEPS:
                raise TimeError(f"unknown {part!r} in the time format {text!r}, {WANTED}")
            yield STEPS[part[1:]], 0
        else:
            for byte in part.replace("%%", "%").encode():
                yield CHAR, byte


# What a text may be: a date in one of three orders, a clock, and a zone.
NUMBERS = re.compile(r"(\d+)([-./ ])(\d+)\2(\d+)")
NAMED = re.compile(r"(\d+)([-. /]{1,2})([^\W\d]+\.?)([-. /]{1,2})(\d+)|([^\W\d]+\.?)([ -])(\d+)(,? |-)(\d+)")
COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?=$|[T ]|\d{4})")
CLOCK = re.compile(
    r"(?P<gap>[T t_]| - |, )? *(?P<hour>\d{1,2})(?P<colon>[:.h]?)(?P<minute>\d\d)(?P<second>(?P=colon)\d\d(?P<fraction>[.,]\d+)?)?"
    r"(?P<half> ?[APap][Mm])?"
)
WORD = re.compile(r"[^\W\d_]+[.,]?,? +")


def formats_of(text: str) -> list[str]:
    """The formats that one text may have, the likeliest first; empty when it is no time as anybody writes it."""
    found = []
    weekday = WORD.match(text)
    rest = text[weekday.end() :] if weekday and _is_name(weekday[0], WEEKDAYS) else text
    head = _gap_after_name(weekday[0]) if rest is not text and weekday else ""
    for date, length in _dates(rest):
        clock = _clock(rest[length:])
        if clock is not None:
            found.append(head + date + clock)
    if not found and not head and CLOCK.match(text) and (clock := _clock(text)) is not None:
        found.append(clock.removeprefix("[clock]"))
    return found


def _gap_after_name(word: str) -> str:
    name = word.rstrip()
    return "%a" + (" " if len(name) < len(word) else "")


def _dates(text: str) -> Iterable[tuple[str, int]]:
    """Formats of the date that a text begins with, and how long it is."""
    if match := NUMBERS.match(text):
        first, mark, _, last = match.groups()
        if len(first) == 4:
            return [(f"%Y{mark}%m{mark}%d", match.end())]
        year = "%Y" if len(last) == 4 else "%y"
        orders = [f"%d{mark}%m{mark}{year}"]
        if mark != ".":
            orders.append(f"%m{mark}%d{mark}{year}")
        if year == "%y" and mark != ".":
            orders.append(f"%y{mark}%m{mark}%d")
        return [(order, match.end()) for order in orders] if len(last) in (2, 4) else []
    if match := NAMED.match(text):
        return _named(match)
    if match := COMPACT.match(text):
        return [("%Y%m%d", match.end())]
    return []


def _named(match: re.Match[str]) -> Iterable[tuple[str, int]]:
    """Formats of a date with a month's name."""
    _, before, name, after, year, month, mark, _, gap, its_year = match.groups()
    if not _is_name(name or month, MONTHS):
        return []
    if name:
        return [(f"%d{before}%b{after}{'%Y' if len(year) == 4 else '%y'}", match.end())]
    return [(f"%b{mark}%d{gap}{'%Y' if len(its_year) == 4 else '%y'}", match.end())]


def _clock(text: str) -> str | None:
    """The format of a clock with its zone, which may be nothing at all; None when it is something else."""
    if not text.strip():
        return "[clock] %H:%M:%S.%f%z" if not text else None
    match = CLOCK.match(text)
    if match is None:
        return None
    gap, colon = match["gap"] or "", match["colon"]
    zone = text[match.end() :].strip()
    if zone and not re.fullmatch(r"[Zz]|UTC|GMT|[+-]\d\d(:?\d\d)?", zone):
        return None
    hour = "%I" if match["half"] else "%H"
    second = "[:%S]" if colon == ":" else f"{colon}%S" if match["second"] else ""
    half = (" %p" if match["half"].startswith(" ") else "%p") if match["half"] else ""
    fraction = ".%f" if second else ""
    return f"{'[clock]' if gap in (' ', 'T') else ''}{gap}{hour}{colon}%M{second}{fraction}{half}{'' if half else '%z'}"


def _is_name(word: str, names: Mapping[int, str]) -> bool:
    plain = word.strip().rstrip(".,").lower()
    return any(plain in text.split() for text in names.values())
