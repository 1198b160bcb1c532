"""Write a CSV file of a power grid's frequency: as an operator publishes its set point, or as a meter records it.

    python examples/grid_frequency.py frequency.csv --rows 31536000 --step 1
    python examples/grid_frequency.py Sollfrequenz.csv --form german --values setpoint --rows 261240 --step 30 \\
        --start 2021-09-01T00:00:00Z --zone Europe/Zurich

The form `german` has lines such as `Sa. 01.05.21 00:00:30;49,99`, the form `iso` such as `2021-05-01T00:00:30Z,49.990`.
What is odd in real files can be put in too: `--help` tells. The same options and seed give the same bytes.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np

from speeddata.errors import TimeError
from speeddata.times import parse_time

Array: TypeAlias = np.ndarray[Any, Any]

HEADS = {"german": b"Datum Zeit;A:f_soll_aktiv [Hz]\n", "iso": b"timestamp,value\n"}
WEEKDAYS = np.frombuffer(b"Do. Fr. Sa. So. Mo. Di. Mi. ", np.uint8).reshape(
    7, 4
)  # the first of 1970 was a Thursday
BLOCK = 100_000  # rows that are made at once
SETPOINTS = (b"49,99", b"50", b"50,01")
BAD_LINES = (
    b"Sa. 01.05.21 00:00:30",
    b";;;;",
    b"gestern;49,99",
    b"Sa. 32.05.21 00:00:30;50",
    b"Sa. 01.05.21 00:00:30;viel",
)


def measured(rows: int, seed: int, block: int) -> Array:
    """Millihertz that wander about 50,000, of a block of rows."""
    random = np.random.default_rng([seed, block])
    noise = random.normal(0, 1, rows + 300)
    summed = np.cumsum(noise)
    slow = (summed[300:] - summed[:-300]) * 1.6
    values: Array = np.clip(50_000 + np.rint(slow + random.normal(0, 2, rows)), 49_888, 50_106).astype(
        np.int64
    )
    return values


def digits(number: Array, width: int) -> Array:
    """Numbers as columns of ASCII digits."""
    out = np.empty((len(number), width), np.uint8)
    for place in range(width - 1, -1, -1):
        number, digit = np.divmod(number, 10)
        out[:, place] = digit + 48
    return out


def local_seconds(seconds: Array, zone: str | None) -> Array:
    """Seconds since 1970 as clocks of a zone show them; offsets are looked up by the quarter of an hour."""
    if zone is None:
        return seconds
    quarters, places = np.unique(seconds // 900, return_inverse=True)
    there = ZoneInfo(zone)
    offsets = [datetime.fromtimestamp(int(quarter) * 900, there).utcoffset() for quarter in quarters]
    moved = np.array([int(offset.total_seconds()) if offset else 0 for offset in offsets], np.int64)
    local: Array = seconds + moved[places]
    return local


def times(seconds: Array, form: str) -> list[Array]:
    """The texts of times, as columns of bytes."""
    days = seconds // 86400
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    year = months.astype("datetime64[Y]").astype(np.int64) + 1970
    month = months.astype(np.int64) % 12 + 1
    day = (dates - months).astype(np.int64) + 1
    clock = [digits(seconds % 86400 // 3600, 2), digits(seconds % 3600 // 60, 2), digits(seconds % 60, 2)]
    if form == "iso":
        return mixed(
            [
                digits(year, 4),
                "-",
                digits(month, 2),
                "-",
                digits(day, 2),
                "T",
                clock[0],
                ":",
                clock[1],
                ":",
                clock[2],
                "Z",
            ]
        )
    date = [WEEKDAYS[days % 7], digits(day, 2), ".", digits(month, 2), ".", digits(year % 100, 2)]
    return mixed([*date, " ", clock[0], ":", clock[1], ":", clock[2]])


def mixed(parts: list[Array | str]) -> list[Array]:
    """Columns, and texts that each row has, as columns of one length."""
    rows = next(len(part) for part in parts if not isinstance(part, str))
    return [
        np.broadcast_to(np.frombuffer(part.encode(), np.uint8), (rows, len(part)))
        if isinstance(part, str)
        else part
        for part in parts
    ]


def block_of(arguments: argparse.Namespace, number: int) -> bytes:
    """The lines of a block, without anything odd."""
    first = number * BLOCK
    rows = min(BLOCK, arguments.rows - first)
    seconds = arguments.start + (first + np.arange(rows, dtype=np.int64)) * arguments.step
    columns = times(local_seconds(seconds, arguments.zone), arguments.form)
    separator, mark = (";", ",") if arguments.form == "german" else (",", ".")
    values = measured(rows, arguments.seed, number)
    if arguments.values == "measured":
        columns += mixed([digits(values // 1000, 2), mark, digits(values % 1000, 3)])
        columns.insert(-3, np.broadcast_to(np.uint8(ord(separator)), (rows, 1)))
        columns.append(np.broadcast_to(np.uint8(10), (rows, 1)))
        return np.concatenate(columns, axis=1).tobytes()
    texts = np.concatenate(columns, axis=1)
    levels = np.clip((values - 49_970) // 20, 0, 2)
    setpoints = [text.replace(b",", mark.encode()) for text in SETPOINTS]
    cut = separator.encode()
    return b"".join(
        row.tobytes() + cut + setpoints[level] + b"\n"
        for row, level in zip(texts, levels.tolist(), strict=True)
    )


def odd(arguments: argparse.Namespace, data: bytes, number: int) -> bytes:
    """The lines with what was asked for put in."""
    random = np.random.default_rng([arguments.seed, number, 1])
    lines = data.split(b"\n")[:-1]

    def places(each: float) -> list[int]:
        count = random.poisson(each * len(lines)) if each else 0
        return sorted(random.integers(1, len(lines), count).tolist(), reverse=True)

    for place in places(arguments.duplicates):
        lines.insert(place, lines[place - 1])
    for place in places(arguments.empty):
        lines.insert(place, b"")
    for place in places(arguments.bad):
        lines.insert(place, BAD_LINES[place % len(BAD_LINES)])
    if arguments.header_twice and number == 0:
        lines.insert(len(lines) // 2, HEADS[arguments.form].strip())
    if arguments.quotes:
        mark = b";" if arguments.form == "german" else b","
        lines = [b'"' + line.replace(mark, b'"' + mark + b'"') + b'"' if line else line for line in lines]
    return b"".join(line + b"\n" for line in lines)


def pieces(arguments: argparse.Namespace) -> Iterator[bytes]:
    """The file, piece by piece."""
    end = b"\r\n" if arguments.crlf else b"\n"
    strange = (
        arguments.duplicates or arguments.empty or arguments.bad or arguments.header_twice or arguments.quotes
    )
    head = HEADS[arguments.form]
    if arguments.quotes:
        head = b'"' + head.strip().replace(b";", b'";"').replace(b",", b'","') + b'"\n'
    yield (b"\xef\xbb\xbf" if arguments.bom else b"") + head.replace(b"\n", end)
    blocks = -(-arguments.rows // BLOCK)
    for number in range(blocks):
        data = block_of(arguments, number)
        if strange:
            data = odd(arguments, data, number)
        if arguments.crlf:
            data = data.replace(b"\n", b"\r\n")
        if arguments.cut and number == blocks - 1:
            data = data[: -arguments.cut]
        yield data


def read_start(text: str) -> int:
    """A time as whole seconds since 1970 UTC."""
    try:
        seconds, rest = divmod(parse_time(text), 10**9)
    except TimeError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    if rest:
        raise argparse.ArgumentTypeError(f"{text!r}, wanted whole seconds")
    return seconds


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("file", type=Path, help="where to write; - for standard output")
    made.add_argument("--form", choices=["iso", "german"], default="iso")
    made.add_argument(
        "--values",
        choices=["measured", "setpoint"],
        default="measured",
        help="three decimals; or 50, 49,99, 50,01",
    )
    made.add_argument("--rows", type=int, default=86_400)
    made.add_argument("--step", type=int, default=1, metavar="S", help="seconds between rows")
    made.add_argument(
        "--start", type=read_start, default="2021-05-01T00:00:00Z", metavar="TIME",
        help="of the first row, such as 2021-05-01T02:00:00+02:00; UTC where it tells no zone  [default: 2021-05-01T00:00:00Z]",
    )  # fmt: skip
    made.add_argument(
        "--zone", metavar="ZONE", help="write local time, summer and winter, such as of Europe/Zurich"
    )
    made.add_argument("--seed", type=int, default=1)
    made.add_argument("--bom", action="store_true", help="begin with a byte order mark")
    made.add_argument("--crlf", action="store_true", help="end lines as Windows does")
    made.add_argument("--quotes", action="store_true", help="quote every field")
    made.add_argument("--duplicates", type=float, default=0, metavar="SHARE", help="of rows that come twice")
    made.add_argument("--empty", type=float, default=0, metavar="SHARE", help="of empty lines")
    made.add_argument("--bad", type=float, default=0, metavar="SHARE", help="of lines that are no rows")
    made.add_argument("--header-twice", action="store_true", help="repeat the line of names")
    made.add_argument("--cut", type=int, default=0, metavar="BYTES", help="that the last line lacks")
    return made


def main() -> None:
    arguments = parser().parse_args()
    if arguments.form == "iso" and arguments.zone:
        sys.exit("the form iso is in UTC: --zone goes with --form german")
    out = sys.stdout.buffer if str(arguments.file) == "-" else arguments.file.open("wb")
    with out:
        for piece in pieces(arguments):
            out.write(piece)


if __name__ == "__main__":
    main()
