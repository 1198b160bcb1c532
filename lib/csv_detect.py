"""What the columns of a CSV file are: which one has the times and how they are written, what kinds the others have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from speeddata.csv_dialect import NULL_WORDS, Dialect, is_number
from speeddata.csv_layout import Column, Kind, Layout, Program
from speeddata.csv_scan import Scan
from speeddata.csv_times import NAMES, compile_format, formats_of
from speeddata.csv_zones import spans_of
from speeddata.errors import FormatError
from speeddata.import_names import signal_names, split_unit
from speeddata.import_options import ImportOptions
from speeddata.times import unit_of

__all__ = ["Detected", "KINDS", "POWERS", "detect_layout", "layout_for"]

KINDS = {"double": Kind.DOUBLE, "float": Kind.FLOAT, "long": Kind.LONG, "int": Kind.INT, "boolean": Kind.FLAG,
         "bool": Kind.FLAG, "string": Kind.TEXT, "text": Kind.TEXT}  # fmt: skip
POWERS = {"s": 9, "ms": 6, "us": 3, "ns": 0}
TIME_NAMES = ("time", "timestamp", "ts", "datetime", "date_time", "date", "zeit", "datum", "datum zeit", "zeitstempel",
              "datumzeit", "temps", "horodatage", "data", "ora", "tempo", "epoch", "utc", "local_time", "timer")  # fmt: skip
GOOD = 0.9  # of the values of a sample
FEW = 0.02


@dataclass
class Detected:
    """A layout, and what is to be said of how it was found."""

    layout: Layout
    time_columns: tuple[str, ...]
    time_format: str  # in words
    zone: str
    other_format: str | None = None  # that the times may have as well, by the sample
    notes: list[str] = field(default_factory=list)


def detect_layout(dialect: Dialect, options: ImportOptions) -> Detected:
    """Find out what the columns are; FormatError asks for what cannot be found out."""
    names = list(dialect.names)
    values = [[row[place] for row in dialect.rows] for place in range(len(names))]
    frame = _frame(dialect, options)
    if options.rate_hz is not None:
        found = Detected(
            replace(frame, rate_hz=options.rate_hz), (), f"line numbers at {options.rate_hz:g} Hz", "UTC"
        )
    elif options.time_column:
        found = _named_times(names, values, frame, options)
    else:
        found = _search_times(names, values, frame, options)
    kinds = _kinds(names, values, found, dialect, options)
    found.layout = replace(found.layout, columns=tuple(_columns(names, kinds, options)))
    if len(found.layout.columns) > 1 and all(
        column.kind in (Kind.SKIP, Kind.TIME, Kind.EPOCH, Kind.CLOCK) or column.is_key
        for column in found.layout.columns
    ):
        raise FormatError("no column is left besides the time")
    return found


def _frame(dialect: Dialect, options: ImportOptions) -> Layout:
    zone = options.zone or "UTC"
    return Layout(
        columns=(),
        delimiter=dialect.delimiter,
        quote=dialect.quote,
        decimal=dialect.decimal,
        encoding=dialect.encoding,
        names=NAMES,
        spans=spans_of(zone),
        start_ns=options.start_ns or 0,
        check_weekdays=options.weekdays == "check",
        ambiguous=options.ambiguous,
        missing=options.missing,
    )


def _place(names: Sequence[str], wanted: str) -> int:
    """The place of a column that a user names, by its heading, its name without a unit, or its number from 1."""
    lower = [name.lower() for name in names]
    for spelled in (lower, [split_unit(name)[0] for name in lower], signal_names(lower, ())):
        if wanted.lower() in spelled:
            return spelled.index(wanted.lower())
    if wanted.isdigit() and 1 <= int(wanted) <= len(names):
        return int(wanted) - 1
    raise FormatError(f"there is no column {wanted!r}, only {', '.join(map(repr, names))}")


def _named_times(
    names: Sequence[str], values: Sequence[Sequence[str]], frame: Layout, options: ImportOptions
) -> Detected:
    places = [_place(names, name) for name in options.time_column]
    if len(places) == 1:
        found = _times_of(names, values, places[0], frame, options, sure=True)
        if found is None:
            some = next((value for value in values[places[0]] if value), "")
            raise FormatError(
                f"cannot tell how the times of column {names[places[0]]!r} are written, such as {some!r}: "
                "--time-format tells it"
            )
        return found
    if len(places) != 2:
        raise FormatError("the time is in one column, or in two: its date, its clock")
    given = options.time_format.split("|") if options.time_format else [None, None]
    if len(given) != 2:
        raise FormatError("the time is in two columns, so its format is two: DATE|CLOCK")
    programs = []
    for place, text in zip(places, given, strict=True):
        fitting = _fitting(values[place], frame, text, dated=place == places[0])
        if not fitting:
            raise FormatError(f"cannot tell how column {names[place]!r} is written: --time-format tells it")
        programs.append(fitting[0])
    kinds = tuple(
        Column(name, Kind.TIME if place == places[0] else Kind.CLOCK if place == places[1] else Kind.NEW)
        for place, name in enumerate(names)
    )
    layout = replace(frame, columns=kinds, programs=tuple(programs))
    shown = " and ".join(shown_format(program) for program in programs)
    return Detected(layout, tuple(names[place] for place in places), shown, options.zone or "UTC")


def _search_times(
    names: Sequence[str], values: Sequence[Sequence[str]], frame: Layout, options: ImportOptions
) -> Detected:
    """The time is in a column that is called so, or else in the first one that has nothing but times."""
    plain = [split_unit(name)[0].lower() for name in names]
    named = [place for place, name in enumerate(plain) if name in TIME_NAMES]
    named += [
        place for place, name in enumerate(plain) if place not in named and ("time" in name or "date" in name)
    ]
    for sure, places in ((True, named), (False, range(len(names)))):
        for place in places:
            found = _times_of(names, values, place, frame, options, sure=sure)
            if found is not None:
                return found
    raise FormatError(
        f"no column holds times, of {', '.join(map(repr, names))}: --time-column names one, --time-format tells how its "
        "times are written; --rate HZ (with --start TIME) counts lines instead"
    )


def _times_of(
    names: Sequence[str],
    values: Sequence[Sequence[str]],
    place: int,
    frame: Layout,
    options: ImportOptions,
    sure: bool,
) -> Detected | None:
    """The layout when a column holds the times; None when it does not. Numbers are times only where one is `sure`."""
    filled = [value for value in values[place] if value.lower() not in NULL_WORDS]
    columns = [Column(name, Kind.NEW) for name in names]
    numbers = sum(is_number(value, frame.decimal) for value in filled)
    if options.time_format is None and filled and numbers >= GOOD * len(filled):
        if not (sure or _plausible(filled, frame.decimal)):
            return None
        unit = options.time_unit or _unit(filled, frame.decimal)
        columns[place] = Column(names[place], Kind.EPOCH)
        layout = replace(frame, columns=tuple(columns), epoch_power=POWERS[unit])
        return Detected(layout, (names[place],), f"{unit} since 1970", "UTC")
    fitting = _fitting(filled, frame, options.time_format, dated=True)
    if not fitting:
        return None
    columns[place] = Column(names[place], Kind.TIME)
    layout = replace(frame, columns=tuple(columns), programs=(fitting[0],))
    found = Detected(layout, (names[place],), shown_format(fitting[0]), options.zone or "UTC")
    if len(fitting) > 1 and options.time_format is None:
        found.other_format = fitting[1].format
    return found


def shown_format(program: Program) -> str:
    return program.format.replace("[clock]", "").replace("[:%S]", ":%S")


def _fitting(values: Sequence[str], frame: Layout, given: str | None, *, dated: bool) -> list[Program]:
    """The programs that read nearly all values, the best first."""
    filled = [value for value in values if value.lower() not in NULL_WORDS]
    if given is not None:
        return [compile_format(given)]
    texts = [text for value in filled[:: max(1, len(filled) // 50)] for text in formats_of(value)]
    ranked: dict[str, int] = {}
    for text in dict.fromkeys(texts):
        program = compile_format(text)
        if program.dated == dated:
            ranked[text] = count_times(filled, frame, program)
    best = max(ranked.values(), default=0)
    if best < GOOD * len(filled) or not best:
        return []
    return [compile_format(text) for text, count in ranked.items() if count == best]


def count_times(values: Sequence[str], frame: Layout, program: Program) -> int:
    """How many texts a program reads."""
    scan = Scan(replace(frame, columns=(Column("", Kind.TIME),), programs=(program,), spans=None))
    return sum(scan.add([value.encode(errors="replace")]) is None for value in values)


def _number(text: str, decimal: str) -> float:
    return abs(float(text.replace(decimal, ".")))


def _plausible(filled: Sequence[str], decimal: str) -> bool:
    """Whether numbers are times since 1970: after 2000, and nearly never falling."""
    numbers = [_number(value, decimal) for value in filled if is_number(value, decimal)]
    unit = _unit(filled, decimal)
    first = numbers[0] / 10 ** (9 - POWERS[unit])
    rising = sum(later >= earlier for earlier, later in zip(numbers, numbers[1:], strict=False))
    return 9e8 < first < 5e9 and len(numbers) > 1 and rising >= GOOD * (len(numbers) - 1)


def _unit(filled: Sequence[str], decimal: str) -> str:
    """The unit of numbers that are times, by the magnitude of the first one over 0."""
    first = next((n for n in (_number(v, decimal) for v in filled if is_number(v, decimal)) if n), 0.0)
    return unit_of(first)


def _kinds(
    names: Sequence[str],
    values: Sequence[Sequence[str]],
    found: Detected,
    dialect: Dialect,
    options: ImportOptions,
) -> dict[int, Kind]:
    """The kind of each column, by the sample; a few values of another kind do not count."""
    times = {
        place: column.kind for place, column in enumerate(found.layout.columns) if column.kind != Kind.NEW
    }
    wanted: Mapping[int, str | None] = {_place(names, name): kind for name, kind in options.columns}
    left = {_place(names, name) for name in options.without}
    kinds: dict[int, Kind] = {}
    for place, name in enumerate(names):
        told = wanted.get(place)
        if place in times:
            kinds[place] = times[place]
        elif options.by is not None and place == _place(names, options.by):
            kinds[place] = Kind.TEXT
        elif place in left or (wanted and place not in wanted):
            kinds[place] = Kind.SKIP
        elif told is not None:
            kinds[place] = KINDS[told]
        else:
            kinds[place] = kind_of(values[place], dialect.decimal, bool(split_unit(name)[1]))
    return kinds


def kind_of(values: Sequence[str], decimal: str, measured: bool) -> Kind:
    """The kind of nearly all values; what is measured has fractions, even where none is seen."""
    filled = [value for value in values if value.lower() not in NULL_WORDS]
    if not filled:
        return Kind.DOUBLE if any(value.lower() == "nan" for value in values) else Kind.NEW
    numbers = [
        value
        for value in filled
        if is_number(value, decimal) or value.lower().lstrip("+-") in ("inf", "infinity")
    ]
    if len(numbers) >= (1 - FEW) * len(filled):
        whole = all(value.lstrip("+-").isdigit() for value in numbers) and not any(
            v.lower() == "nan" for v in values
        )
        return Kind.LONG if whole and not measured else Kind.DOUBLE
    flags = sum(value.lower() in ("true", "false") for value in filled)
    return Kind.FLAG if flags >= (1 - FEW) * len(filled) else Kind.TEXT


def _columns(names: Sequence[str], kinds: Mapping[int, Kind], options: ImportOptions) -> list[Column]:
    split = [split_unit(name) for name in names]
    key = None if options.by is None else _place(names, options.by)
    times = [place for place in kinds if kinds[place] in (Kind.TIME, Kind.CLOCK, Kind.EPOCH)]
    named = [place for place in range(len(names)) if place not in times and place != key]
    signals = dict(zip(named, signal_names([split[place][0] for place in named]), strict=True))
    return [
        Column(name, kinds[place], signals.get(place, ""), split[place][1], is_key=place == key)
        for place, name in enumerate(names)
    ]


def layout_for(
    layout: Layout, order: Sequence[int], branches: Sequence[int], unit: str, null_branches: Mapping[int, int]
) -> Layout:
    """The layout that makes records of these fields."""
    columns = tuple(
        replace(column, null_branch=null_branches.get(place, -1))
        for place, column in enumerate(layout.columns)
    )
    return replace(layout, columns=columns, order=tuple(order), null_branches=tuple(branches), unit=unit)
