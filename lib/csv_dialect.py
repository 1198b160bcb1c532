"""What a CSV file is like, found out by samples of it: encoding, delimiter, quotes, decimal mark, names, kinds, times."""

import codecs
import csv
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from speeddata.errors import FormatError

__all__ = [
    "Dialect",
    "NULL_WORDS",
    "Sample",
    "detect_dialect",
    "has_open_quote",
    "is_number",
    "read_sample",
    "split_line",
]

HEAD = 1 << 18  # bytes of the file's beginning that are looked at,
WINDOW, WINDOWS = 1 << 15, 15  # and of so many places after it
MAX_LINES = 2000
MAX_COLUMNS = 10_000
DELIMITERS = (";", "\t", ",", "|")
NULL_WORDS = frozenset(["", "na", "n/a", "null", "none", "nil", "nan"])
MAGIC = {
    b"PK\x03\x04": "zip",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstandard",
}
NUMBER = {mark: re.compile(rf"[+-]?(\d+({mark}\d*)?|{mark}\d+)([eE][+-]?\d+)?") for mark in (r"\.", ",")}


@dataclass
class Sample:
    """Lines of a file, from its beginning and from places all over it."""

    size: int
    encoding: str
    begin: int  # bytes before the first line: a byte order mark
    head: list[str]  # the first lines, with their ends
    others: list[str]


@dataclass(frozen=True)
class Dialect:
    """How a file is written, but for its times."""

    encoding: str
    delimiter: str
    quote: str
    decimal: str
    names: tuple[str, ...]
    data_start: int  # offset of the first line of values
    lines_above: int  # lines before it
    has_names: bool
    rows: list[list[str]] = field(repr=False)  # of the sample


def read_sample(path: Path, encoding: str | None) -> Sample:
    """Read samples; FormatError for what is no text."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(HEAD)
        for magic, what in MAGIC.items():
            if data.startswith(magic):
                raise FormatError(f"{path} is packed by {what}: unpack it first")
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise FormatError(f"{path} is UTF-16: make it UTF-8 first (iconv -f UTF-16 -t UTF-8)")
        begin = 3 if data.startswith(codecs.BOM_UTF8) else 0
        parts = [data[begin:]]
        for number in range(WINDOWS):
            offset = HEAD + (size - HEAD - WINDOW) * number // (WINDOWS - 1)
            if size > HEAD + WINDOW * WINDOWS:
                file.seek(offset)
                parts.append(file.read(WINDOW))
    encoding = encoding or _encoding(parts)
    texts = [part.decode(encoding, "surrogateescape") for part in parts]
    head = re.split(r"(?<=\n)", texts[0])[: MAX_LINES + 1]
    if len(parts[0]) + begin < size:
        head = head[:-1] or head  # the last one may be cut
    others = [line for text in texts[1:] for line in text.split("\n")[1:-1]]
    return Sample(size, encoding, begin, [line for line in head if line], others)


def _encoding(parts: Sequence[bytes]) -> str:
    for part in parts:
        inside = part
        for cut in range(4):  # a window may begin and end inside of a character
            try:
                inside[cut:].decode("utf-8")
                break
            except UnicodeDecodeError as error:
                if error.start + cut >= len(part) - 4:
                    break
        else:
            return "cp1252"
    return "utf-8"


def split_line(text: str, delimiter: str, quote: str) -> list[str]:
    """The fields of a line; FormatError when there are more lines, or a NUL, in it."""
    if not (quote and quote in text) and "\r" not in text and "\n" not in text:
        return text.split(delimiter) if text else []  # four times as fast, and most lines are so
    rows = _read([text], text, delimiter, quote)
    return rows[0] if rows else []


def has_open_quote(text: str, delimiter: str, quote: str) -> bool:
    """Whether a line ends inside of a quoted field; FormatError as of `split_line`."""
    # Then what follows belongs to the field.
    return bool(quote) and quote in text and len(_read([f"{text}\n", "next"], text, delimiter, quote)) < 2


def _read(lines: list[str], first: str, delimiter: str, quote: str) -> list[list[str]]:
    options = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    spaced = delimiter != " " and f"{delimiter} {quote}" in first if quote else False
    try:
        return list(csv.reader(lines, delimiter=delimiter, skipinitialspace=spaced, strict=False, **options))
    except csv.Error as error:
        raise FormatError(str(error)) from None


def is_number(text: str, decimal: str) -> bool:
    return NUMBER[r"\." if decimal == "." else ","].fullmatch(text) is not None


def detect_dialect(
    path: Path,
    sample: Sample,
    delimiter: str | None = None,
    quote: str | None = None,
    decimal: str | None = None,
    header: bool | None = None,
    skip: int = 0,
) -> Dialect:
    """Find out how a file is written; what is given is taken so."""
    lines = sample.head
    above = skip
    while above < len(lines) and (not lines[above].strip() or lines[above].startswith(("#", "@"))):
        above += 1
    body = [line.rstrip("\r\n") for line in lines[above:]]
    filled = [line for line in body if line.strip() and "\0" not in line]
    if not filled:
        raise FormatError(f"{path} has no lines of values")
    quote = '"' if quote is None else quote
    delimiter = delimiter or _delimiter(filled, quote)
    widest = max(line.count(delimiter) + 1 for line in filled[:MAX_LINES])
    if widest > MAX_COLUMNS:
        raise FormatError(f"{path} has a line of {widest:,} columns, at most {MAX_COLUMNS:,} are taken")
    rows = [split_line(line, delimiter, quote) for line in filled[:MAX_LINES]]
    others = [line.rstrip("\r") for line in sample.others if line.strip() and "\0" not in line]
    rows += [split_line(line, delimiter, quote) for line in others]
    width = Counter(len(row) for row in rows[1:] or rows).most_common(1)[0][0]
    values = [[cell.strip() for cell in row] for row in rows[1:] if len(row) == width]
    decimal = decimal or _decimal(values)
    first = [cell.strip() for cell in rows[0]]
    has_names = _has_names(first, values, decimal) if header is None else header
    if has_names and len(first) != width:
        first = (first + [f"column{n + 1}" for n in range(len(first), width)])[:width]
    names = first if has_names else [f"column{n + 1}" for n in range(width)]
    above += has_names
    start = sample.begin + sum(len(line.encode(sample.encoding, "surrogateescape")) for line in lines[:above])
    if not has_names:
        values.insert(0, first)
    return Dialect(sample.encoding, delimiter, quote, decimal, tuple(names), start, above, has_names, values)


def _delimiter(lines: Sequence[str], quote: str) -> str:
    """The one by which lines have most evenly more than one field."""
    best, found = 0.0, ","
    for delimiter in DELIMITERS:
        counts = [len(split_line(line, delimiter, quote)) for line in lines[:200]]
        width, even = Counter(counts).most_common(1)[0]
        share = even / len(counts) + (0.5 if counts[0] == width else 0)
        if width > 1 and share > best + 0.01:
            best, found = share, delimiter
    return found


def _decimal(rows: Sequence[Sequence[str]]) -> str:
    commas = points = 0
    for row in rows:
        for cell in row:
            if "," in cell or "." in cell:
                commas += "." not in cell and is_number(cell, ",")
                points += "," not in cell and is_number(cell, ".")
    return "," if commas > points else "."


def _has_names(first: Sequence[str], rows: Sequence[Sequence[str]], decimal: str) -> bool:
    """Whether the first line names the columns: it has words where others have none, or words that never come again."""
    if any(is_number(cell, decimal) for cell in first) and not any(_is_word(cell) for cell in first):
        return False
    for place, cell in enumerate(first):
        below = [
            row[place] for row in rows[:200] if place < len(row) and row[place].lower() not in NULL_WORDS
        ]
        if below and _is_word(cell) and not any(_is_word(value) for value in below):
            return True
    if not rows:
        return any(_is_word(cell) for cell in first) and not any(is_number(cell, decimal) for cell in first)
    repeated = any(
        cell and cell in {row[place] for row in rows if place < len(row)} for place, cell in enumerate(first)
    )
    return (
        not repeated
        and any(_is_word(cell) for cell in first)
        and not any(is_number(cell, decimal) for cell in first)
    )


def _is_word(text: str) -> bool:
    """Whether a cell looks like a name, not like a number, a time or a flag."""
    return (
        bool(re.search(r"[^\W\d]", text))
        and text.lower() not in NULL_WORDS | {"true", "false"}
        and not re.match(r"([^\W\d]{2,9}[.,]? )?\d", text)
    )
