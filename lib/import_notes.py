"""What is to be said of a file in words: how it is written, and what is odd about it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from speeddata.counted import counted
from speeddata.csv_layout import Kind, Layout

if TYPE_CHECKING:
    from speeddata.csv_check import Facts
    from speeddata.csv_detect import Detected
    from speeddata.csv_dialect import Dialect

__all__ = ["csv_about", "csv_notes"]

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}


def csv_about(dialect: "Dialect", detected: "Detected", layout: Layout) -> dict[str, str]:
    """How a file is written."""
    local = layout.spans is not None and not any(c.kind == Kind.EPOCH for c in layout.columns)
    told = {
        "delimiter": DELIMITERS.get(dialect.delimiter, repr(dialect.delimiter)),
        "quote": dialect.quote or "none",
        "decimal": {".": "point", ",": "comma"}[dialect.decimal],
        "encoding": dialect.encoding,
        "names": "in the first line" if dialect.has_names else "none",
        "time": " and ".join(map(repr, detected.time_columns)) or "of the line numbers",
        "time format": detected.time_format,
        "zone": f"{detected.zone} (where a time has none)" if local else "UTC (where a time has none)",
    }
    if dialect.lines_above - dialect.has_names:
        told["lines above"] = str(dialect.lines_above - dialect.has_names)
    return told


def csv_notes(
    facts: "Sequence[Facts]", layout: Layout, cut: bool, folds: Sequence[tuple[int, int]]
) -> list[str]:
    """What is odd about a file, and what is done about it."""
    total = {
        name: sum(getattr(one, name) for one in facts)
        for name in ("blanks", "names_again", "backward", "equal", "rows")
    }
    notes = []
    if total["blanks"]:
        notes.append(f"{counted(total['blanks'], 'empty line')} left out")
    if total["names_again"]:
        notes.append(f"the line of names comes {counted(total['names_again'], 'time')} more, left out")
    total["backward"] -= sum(state for _, state in folds) if layout.step_s >= 0 else 0
    if total["backward"] > 0:
        notes.append(
            f"{_rows(total['backward'])} earlier than the row above; all are read back in the order of time"
        )
    if total["equal"]:
        notes.append(f"{_rows(total['equal'])} at the time of the row above; all are kept")
    if any(one.finer for one in facts):
        notes.append("times finer than a nanosecond are rounded to it")
    if cut:
        notes.append("the last line has no line end: it may be cut")
    if folds:
        hours = (
            sum(state for _, state in folds) if layout.step_s >= 0 else sum(1 - state for _, state in folds)
        )
        notes.append(
            f"{'an hour' if hours == 1 else f'{hours:,} hours'} that clocks were put back for {'is' if hours == 1 else 'are'} there twice, "
            "told apart by the order of lines"
            if hours else "an hour that clocks were put back for is there once, taken for the first of both"
        )  # fmt: skip
    return notes


def _rows(count: int) -> str:
    return f"{counted(count, 'row')} {'is' if count == 1 else 'are'}"
