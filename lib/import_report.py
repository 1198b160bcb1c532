"""What an import says: as lines for a person, as JSON for a program, and the file of refused lines."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from speeddata.counted import counted
from speeddata.errors import FormatError
from speeddata.import_plan import Found
from speeddata.import_run import Sent
from speeddata.times import format_time

__all__ = ["bad_lines", "found_json", "found_lines", "sent_json", "write_rejects"]

SHOWN = 5  # refused lines, columns of examples
MAX_CHANNELS = 10
CELL = 40


def found_lines(path: Path, found: Found, channels: dict[str, int], known: Iterable[str]) -> Iterator[str]:
    """What was found out about a file, and what would be done with it."""
    yield f"{path}: {counted(path.stat().st_size, 'byte')}"
    for name, value in found.about.items():
        yield f"  {name:<13}{value}"
    if found.rows:
        yield f"  {'times':<13}{format_time(found.first_ns)} to {format_time(found.last_ns)}, exact in {found.time_unit}"
    yield f"  {'rows':<13}{found.rows:,}" + (
        f", and {found.bad_count:,} that cannot be taken" if found.bad_count else ""
    )
    there = set(known)
    for name, rows in list(channels.items())[:MAX_CHANNELS]:
        yield f"  {'channel':<13}{name} ({'is there' if name in there else 'to be made'}): {counted(rows, 'row')}"
    if len(channels) > MAX_CHANNELS:
        yield f"  {'':<13}and {counted(len(channels) - MAX_CHANNELS, 'more channel')}"
    for field in found.fields:
        kind = f"{field.type}{' array' if field.array else ''}{', may be null' if field.nullable else ''}"
        heading = f", the file's {field.heading!r}" if field.heading not in ("", field.name) else ""
        yield f"  {'signal':<13}{field.name}: {kind}{f' [{field.unit}]' if field.unit else ''}{heading}"
    for row in found.examples[:SHOWN]:
        yield f"  {'example':<13}{' | '.join(_cell(cell) for cell in row)}"
    for note in found.notes:
        yield f"  {'note':<13}{note}"
    yield from bad_lines(found)


def bad_lines(found: Found) -> Iterator[str]:
    """The first lines that cannot be taken."""
    for bad in found.bad[:SHOWN]:
        yield f"  {f'line {bad.line:,}':<13}{bad.reason}"
    if found.bad_count > SHOWN:
        yield f"  {'':<13}and {found.bad_count - SHOWN:,} more"


def _cell(text: str) -> str:
    return text if len(text) <= CELL else f"{text[:CELL]}..."


def found_json(path: Path, found: Found, channels: dict[str, int], known: Iterable[str]) -> dict[str, Any]:
    there = set(known)
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "detected": found.about,
        "rows": found.rows,
        "first": format_time(found.first_ns) if found.rows else None,
        "last": format_time(found.last_ns) if found.rows else None,
        "time_unit": found.time_unit,
        "channels": [{"name": name, "rows": rows, "exists": name in there} for name, rows in channels.items()],
        "signals": [
            {"name": one.name, "type": one.type, "array": one.array, "nullable": one.nullable, "unit": one.unit or None,
             "heading": one.heading}
            for one in found.fields
        ],
        "examples": found.examples,
        "notes": found.notes,
        "refused": found.bad_count,
        "refused_lines": [{"line": bad.line, "reason": bad.reason} for bad in found.bad[:1000]],
    }  # fmt: skip


def sent_json(sent: Sent, before: int) -> dict[str, Any]:
    return {
        "imported": sent.rows,
        "imported_before": before,
        "repeated": sent.repeated,
        "by_channel": sent.channels,
    }


def write_rejects(path: Path, refused: Sequence[tuple[Path, Found]]) -> int:
    """Write the refused lines of all files as CSV (file, line, reason, text); give how many."""
    count = 0
    try:
        with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["file", "line", "reason", "text"])
            for source, found in refused:
                for bad in found.bad:
                    text = bad.text.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
                    writer.writerow([source, bad.line, bad.reason, text])
                    count += 1
    except OSError as error:
        raise FormatError(f"{path}: {error.strerror or error}") from None
    return count
