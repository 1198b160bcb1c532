"""CSV files as columns. No pandas is needed."""

import csv
from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import numpy as np

from speeddata.errors import FormatError, TimeError
from speeddata.stamps import NO_TIME, times_of, to_ns, unit_told
from speeddata.table import Array
from speeddata.times import SCALES

__all__ = ["clean_name", "read_columns"]

DELIMITERS = (";", "\t", "|", ",")
DIGITS = 60  # more than a time may have


def clean_name(name: object) -> str:
    """A signal's name as an attribute can have it: stripped, with _ for each space."""
    return "_".join(str(name).strip().split(" "))


def read_columns(
    path: str | Path, index: int | str | None = 0, delimiter: str = ","
) -> tuple[Array, dict[str, Array]]:
    """Read a CSV file with a line of names: the times (row numbers when `index` is None) and the other columns."""
    names, lines = _read_lines(Path(path), delimiter)
    columns = {name: _convert([line[place].strip() for line in lines]) for place, name in enumerate(names)}
    if index is None:
        return times_of(np.arange(len(lines))), columns
    try:
        name = names[index] if isinstance(index, int) else clean_name(index)
        times = columns.pop(name)
    except (IndexError, KeyError):
        raise FormatError(f"{path} has no column {index!r}, only {', '.join(names)}") from None
    try:
        if times.dtype.kind != "f":
            return times_of(times), columns
        place = names.index(name)
        return _exact_times([line[place].strip() for line in lines], times), columns
    except TimeError as error:
        hint = _hint([names], delimiter) if len(names) == 1 else ""
        raise FormatError(f"{path} column {name!r}: {error}{hint}") from error


def _exact_times(texts: Sequence[str], numbers: Array) -> Array:
    """Times of decimal texts as ns, with all their digits, which the numbers do not have."""
    stamps, scale, exact = to_ns(numbers), SCALES[unit_told(numbers)], Context(prec=DIGITS)
    for row in np.flatnonzero(stamps != NO_TIME).tolist():
        stamps[row] = int(exact.multiply(Decimal(texts[row]), Decimal(scale)).to_integral_value())
    return stamps


def _read_lines(path: Path, delimiter: str) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, and the lines below them."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [line for line in csv.reader(file, delimiter=delimiter) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"{path} is not CSV in UTF-8: {error}") from error
    if not lines:
        raise FormatError(f"{path} is empty, wanted a line with the names of the columns")
    head = lines.pop(0)
    names = _unique([clean_name(name) for name in head])
    for number, line in enumerate(lines, 2):
        if len(line) != len(names):
            raise FormatError(
                f"{path} line {number} has {len(line)} values, wanted {len(names)}{_hint([head, line], delimiter)}"
            )
    return names, lines


def _hint(lines: Sequence[Sequence[str]], delimiter: str) -> str:
    """What helps where all of these lines have more values with another character between them."""
    texts = [delimiter.join(line) for line in lines]
    for other in DELIMITERS:
        if all(other in text for text in texts) and other != delimiter:
            return (
                f"; what is between the values looks like {other!r}, not {delimiter!r}: give delimiter={other!r}, or use "
                "`speeddata import`, which finds delimiters, decimal commas and the forms of times"
            )
    return ""


def _convert(values: Sequence[str]) -> Array:
    """The type that holds all values: int, float (empty is NaN), bool, or text."""
    attempts: tuple[tuple[Callable[[str], Any], type], ...] = (
        (_whole, np.int64),
        (_real, np.float64),
        (_flag, np.bool_),
    )
    for convert, dtype in attempts:
        try:
            return np.array([convert(value) for value in values], dtype)
        except (ValueError, OverflowError, KeyError):
            continue
    return np.array(values, object)


def _whole(value: str) -> int:
    if "_" in value:
        raise ValueError
    return int(value)


def _real(value: str) -> float:
    if "_" in value:
        raise ValueError
    return float(value) if value else np.nan


def _flag(value: str) -> bool:
    return {"true": True, "false": False}[value.lower()]


def _unique(names: Sequence[str]) -> list[str]:
    out: list[str] = []
    for name in names:
        number, free = 1, name
        while free in out:
            free = f"{name}_{number}"
            number += 1
        out.append(free)
    return out
