"""Archives for rollups: records in segments, late and out of order, and what their aggregates are by hand."""

import math
import random
from pathlib import Path
from typing import Any

import numpy as np
import segments as made

from speeddata.archive import Archive
from speeddata.buckets import Buckets
from speeddata.rollup_channel import ChannelRollups
from speeddata.rollup_file import make_rollup
from speeddata.rollup_memory import Memory

S = 10**9
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "rolled",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "real", "type": ["null", "double"], "speeddata": {"unit": "V"}},
        {"name": "whole", "type": ["null", "long"]},
        {"name": "flag", "type": "boolean"},
    ],
}
NAMES = ("real", "whole", "flag")
# A later version: one signal less, one more, one wider.
LATER: dict[str, Any] = {
    "type": "record",
    "name": "rolled",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "real", "type": ["null", "double"]},
        {"name": "whole", "type": ["null", "double"]},
        {"name": "extra", "type": "int"},
    ],
}


def rollups(folder: Path, limit: int = 1 << 28) -> ChannelRollups:
    """The rollups of a channel's folder."""
    return ChannelRollups(Archive(folder), Memory(limit))


def segment(folder: Path, number: int, rows: list[dict[str, Any]], parts: int = 3, **more: Any) -> Path:
    """The segment of a number, its records in some blocks."""
    size = max(-(-len(rows) // parts), 1)
    blocks = [rows[at : at + size] for at in range(0, len(rows), size)]
    options: dict[str, Any] = {
        "schema": SCHEMA,
        "start": made.START + number * S,
        "sync": bytes([number % 256] * 16),
    }
    return made.write_segment(folder, blocks, **options | more)


def steady_rows(count: int, first: int = 0, step: int = S) -> list[dict[str, Any]]:
    """Records in order, one each step."""
    return [
        {"time": made.START + n * step, "real": n / 4, "whole": n, "flag": n % 2 == 0}
        for n in range(first, first + count)
    ]


def brute(rows: list[dict[str, Any]], low: int, high: int, name: str) -> tuple[Any, ...]:
    """The aggregates of the records in [low, high), which are given in the order they arrived."""
    inside = sorted((row for row in rows if low <= row["time"] < high), key=lambda row: row["time"])
    found = [
        (row["time"], row[name]) for row in inside if row.get(name) is not None and row[name] == row[name]
    ]
    if not found:
        return (0,)
    values = [value for _, value in found]
    real = np.array(values, np.float64)
    m2 = float(((real - real.mean()) ** 2).sum())
    total = math.fsum(map(float, values))
    return (len(found), min(values), max(values), values[0], values[-1], total, m2, found[0][0], found[-1][0])


def same(row: tuple[Any, ...], wanted: tuple[Any, ...]) -> bool:
    """Whether a row of totals is what it should be: exactly, but for the last digits of sums."""
    if not wanted[0]:
        return bool(row[0] == 0)
    size = float(max(abs(wanted[1]), abs(wanted[2]))) * wanted[0] + 1e-300
    return (
        all(row[place] == wanted[place] for place in (0, 1, 2, 3, 4, 7, 8))
        and abs(row[5] - wanted[5]) <= 1e-12 * size
        and abs(row[6] - wanted[6]) <= 1e-9 * abs(wanted[6]) + 1e-12 * size**2
    )


class World:
    """A channel that grows at random, and the records it has."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self.folder = folder / "rolled"
        self.chance = chance
        self.rows: list[dict[str, Any]] = []
        self.now = made.START + chance.randrange(10**13)
        self.step = chance.choice([10**5, 10**7, 10**9, 60 * 10**9])
        self.number = 0
        self.rollups = rollups(self.folder, chance.choice([20_000, 1 << 28]))
        self.open: tuple[Path, list[list[dict[str, Any]]]] | None = None

    def records(self) -> list[dict[str, Any]]:
        """Some more records: mostly in order, some late, some at the same time."""
        chance, rows = self.chance, []
        for _ in range(chance.randrange(1, 100)):
            self.now += int(self.step * chance.choice([0, 0.5, 1, 1, 1, 2]))
            late = int(self.step * chance.randrange(2000)) if chance.random() < 0.05 else 0
            rows.append(
                {
                    "time": self.now - late,
                    "real": chance.choice([None, math.nan, *(chance.gauss(5, 2) for _ in range(8))]),
                    "whole": chance.choice([None, chance.randrange(-(2**62), 2**62), chance.randrange(100)]),
                    "flag": chance.random() < 0.5,
                }
            )
        self.rows += rows
        return rows

    def grow(self) -> None:
        """Write to the last segment, or begin another; seal one now and then."""
        if self.open is None or self.chance.random() < 0.5:
            if self.open is not None and self.chance.random() < 0.6:
                make_rollup(self.open[0], lambda: None)
            self.number += 1
            self.open = self.folder, []
        blocks = [*self.open[1], self.records()]
        path = made.write_segment(
            self.folder, blocks, SCHEMA, start=made.START + self.number * S, sync=bytes([self.number] * 16)
        )
        self.open = path, blocks

    def ask(self) -> None:
        """Sum up a range in buckets, and see that it is what it should be."""
        chance, times = self.chance, [row["time"] for row in self.rows]
        ends = sorted(
            chance.choice(times) + chance.choice([0, 0, 1, -1, chance.randrange(-S, S)]) for _ in range(2)
        )
        start, end = ends
        widths = (10**6, 3 * 10**7, 10**8, S, 7 * S, 60 * S, 900 * S, 3600 * S, 86400 * S, 7 * 86400 * S)
        width = chance.choice([width for width in widths if (end - start) / width < 60])
        granule, edges = 0, np.array([start, end + 1])
        if chance.random() < 0.9:
            buckets = Buckets(width, 0, chance.choice(["UTC", "Europe/Zurich", "Asia/Kolkata"]))
            edges = buckets.edges(start, end)
            granule = buckets.granule(edges)
            edges[0], edges[-1] = max(edges[0], start), min(edges[-1], end + 1)
        view = self.rollups.look()
        sums = self.rollups.sum_up(view, view.signals, edges, granule, lambda: None)
        assert sums.damages == 0
        for name in NAMES:
            columns = sums.totals[name].rows
            for place, (low, high) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
                row = tuple(column[place].item() for column in columns)
                assert same(row, brute(self.rows, low, high, name)), (name, low, high)
