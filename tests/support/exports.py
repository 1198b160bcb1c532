"""An archive with a column of every kind, requests of exports, and what comes of them as files."""

import math
import threading
from pathlib import Path
from typing import Any

import segments as made

from speeddata.archive import Archive
from speeddata.pivot.export import PREFIX, Export, Work, make_export
from speeddata.pivot.export_options import read_options
from speeddata.pivot.request import ExportRequest

MS = 1_000_000
TYPES: dict[str, Any] = {
    "type": "record",
    "name": "all",
    "fields": [
        {"name": "time", "type": "double"},
        {"name": "number", "type": "long", "speeddata": {"role": "sequence"}},
        {"name": "small", "type": "float", "speeddata": {"unit": "°C"}},
        {"name": "flag", "type": "boolean"},
        {"name": "maybe_int", "type": ["null", "int"]},
        {"name": "maybe_real", "type": ["double", "null"]},
        {"name": "maybe_flag", "type": ["null", "boolean"]},
        {"name": "maybe_text", "type": ["null", "string"]},
        {"name": "raw", "type": "bytes"},
        {"name": "mac", "type": {"type": "fixed", "name": "mac", "size": 3}},
        {"name": "mode", "type": {"type": "enum", "name": "mode", "symbols": ["ON", "OFF"]}},
        {"name": "wave", "type": {"type": "array", "items": "int"}},
        {"name": "ragged", "type": {"type": "array", "items": "double"}},
        {"name": "words", "type": {"type": "array", "items": "string"}},
        {"name": "tags", "type": {"type": "map", "values": "long"}},
        {"name": "any", "type": ["null", "long", "string"]},
        {"name": "gps", "type": {"type": "record", "name": "gps", "fields": [
            {"name": "lat", "type": "double", "speeddata": {"unit": "deg"}}, {"name": "fix", "type": "int"}]}},
    ],
}  # fmt: skip


def typed_record(number: int, choose: Any) -> dict[str, Any]:
    """A record of TYPES."""
    return {
        "time": made.START / 1e9 + number,
        "number": number,
        "small": float(choose.randint(-4, 4)) / 4,
        "flag": choose.random() < 0.5,
        "maybe_int": choose.choice([None, 5, -7]),
        "maybe_real": choose.choice([None, 0.5, math.inf]),
        "maybe_flag": choose.choice([None, True, False]),
        "maybe_text": choose.choice([None, "", "ü"]),
        "raw": choose.choice([b"", b"\0\xff"]),
        "mac": bytes([number % 256, 0, 1]),
        "mode": choose.choice(["ON", "OFF"]),
        "wave": [number, -number],
        "ragged": [0.5] * choose.randint(0, 3),
        "words": choose.choice([[], ["a", "b"]]),
        "tags": choose.choice([{}, {"a": 1}]),
        "any": choose.choice([None, 5, "five"]),
        "gps": {"lat": number / 8, "fix": 3},
    }


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """A record by dotted names, as an export has it."""
    out = {name: value for name, value in row.items() if name not in ("time", "gps")}
    out |= {f"gps.{name}": value for name, value in row["gps"].items()}
    return {**out, "maybe_real": math.nan if row["maybe_real"] is None else row["maybe_real"]}


def request(
    *channels: str, start: int = 0, end: int = 2**63 - 1, signals: Any = (), **params: str
) -> ExportRequest:
    """What is asked for; `params` as a client gives them."""
    return ExportRequest(start, end, channels, tuple(signals), read_options(params, channels, None), params)


def export(
    folder: Path, asked: ExportRequest, stop: threading.Event | None = None, **how: Any
) -> tuple[Path, Export]:
    """Make an export of the archive in a folder; the file lies beside it."""
    archives = {name: Archive(folder / name) for name in asked.channels}
    done = make_export(asked, archives, folder, Work(stop=stop or threading.Event(), **how))
    path = folder.parent / f"export{done.suffix}"
    with done.file:
        path.write_bytes(done.file.read())
    assert path.stat().st_size == done.size
    assert not list(folder.glob(f"{PREFIX}*"))
    return path, done
