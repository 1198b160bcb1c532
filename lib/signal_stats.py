"""What there is to say about a signal in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from speeddata.set_resample import is_null
from speeddata.set_times import gap_rows
from speeddata.times import format_time

if TYPE_CHECKING:
    from speeddata.signal import Signal

__all__ = ["Stats", "StatsTable", "stats_of"]

SHOWN = ("count", "nulls", "min", "max", "mean", "std", "median", "rate", "gaps")


@dataclass(frozen=True)
class Stats:
    """Figures of one signal. NaN, null and masked values are counted as nulls and left out of all else.

    Where there is no value, min to median are None; of text and other objects they always are. Of booleans, mean is the
    share of true ones. An infinite value counts as a value.
    """

    name: str
    unit: str | None
    # Values that are there, and those that are not.
    count: int
    nulls: int
    # In the unit of the signal. `std` is that of a sample (divided by count - 1), None of fewer than two values.
    min: Any
    max: Any
    mean: float | None
    std: float | None
    median: float | None
    # Records a second, between the first and the last one; None where they tell none.
    rate: float | None
    # Places where records are missing: by the channel's own numbers where it has them, else steps in time of more than
    # 5 times the median one.
    gaps: int
    # Times of the first and the last record in ns, None where there is none.
    start_ns: int | None
    end_ns: int | None

    def __repr__(self) -> str:
        unit = f" [{self.unit}]" if self.unit else ""
        figures = ", ".join(f"{name} {_said(getattr(self, name))}" for name in SHOWN)
        span = ""
        if self.start_ns is not None and self.end_ns is not None:
            span = f", {format_time(self.start_ns)} to {format_time(self.end_ns)}"
        return f"{self.name}{unit}: {figures}{span}"


class StatsTable(dict[str, Stats]):
    """The figures of several signals by name, shown as a table."""

    def rows(self) -> list[list[str]]:
        """The head of the table, and a row for each signal."""
        head = ["signal", "unit", *SHOWN]
        lines = [
            [name, one.unit or "", *(_said(getattr(one, key)) for key in SHOWN)] for name, one in self.items()
        ]
        return [head, *lines]

    def __repr__(self) -> str:
        rows = self.rows()
        widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def stats_of(signal: "Signal") -> Stats:
    """See `Signal.stats`."""
    values = np.ravel(signal._plain())
    valid = ~is_null(values)
    data = np.ma.getdata(values)[valid]
    figures: Mapping[str, Any] = dict.fromkeys(("min", "max", "mean", "std", "median"))
    if len(data) and data.dtype.kind in "iufb":
        figures = _figures(data)
    time_ns = signal.time_ns if signal.channel is not None else np.empty(0, np.int64)
    start, end = (int(time_ns.min()), int(time_ns.max())) if len(time_ns) else (None, None)
    rate = (
        (len(time_ns) - 1) * 1e9 / (end - start)
        if start is not None and end is not None and end > start
        else None
    )
    return Stats(
        signal.name, signal.unit, count=len(data), nulls=int(np.size(valid) - np.count_nonzero(valid)),
        rate=rate, gaps=_gaps(signal, time_ns), start_ns=start, end_ns=end, **figures,
    )  # fmt: skip


def _figures(data: Any) -> dict[str, Any]:
    wide = data.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        return {
            "min": data.min().item(),
            "max": data.max().item(),
            "mean": float(wide.mean()),
            "std": float(wide.std(ddof=1)) if len(wide) > 1 else None,
            "median": float(np.median(wide)),
        }


def _gaps(signal: "Signal", time_ns: Any) -> int:
    channel = signal.channel
    if channel is not None and channel.gaps and len(time_ns):
        low, high = int(time_ns.min()), int(time_ns.max())
        return sum(low <= after < high for after, _ in channel.gaps)
    return len(gap_rows(np.sort(time_ns)))


def _said(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
