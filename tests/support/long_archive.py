"""Archives of long recordings, written fast: a year of a plant, twenty seconds of a quick burst in it."""

import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import segments as made

from speeddata.blocks import crc32c
from speeddata.rows import encode
from speeddata.schema import Schema

NS = 10**9
DAY = 86400 * NS
BEGIN = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp()) * NS
END = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * NS
# When the plant stood still, its one peak, and the burst.
GAP = BEGIN + 200 * DAY, BEGIN + 210 * DAY
PEAK = BEGIN + 100 * DAY + 12 * 3600 * NS
BURST = BEGIN + 300 * DAY
BLOCK = 8192  # records


def schema(name: str, **units: str) -> dict[str, Any]:
    """A schema of doubles."""
    signals = [
        {"name": signal, "type": "double", "speeddata": {"unit": unit} if unit else {}}
        for signal, unit in units.items()
    ]
    time = {"name": "time", "type": "long", "logicalType": "timestamp-nanos"}
    return {"type": "record", "name": name, "fields": [time, *signals]}


PLANT = schema("plant", temperature="°C", inlet="°C", pressure="kPa")
QUICK = schema("quick", vibration="g")


def write(folder: Path, about: dict[str, Any], columns: dict[str, Any]) -> Path:
    """Write one segment of columns, and its index."""
    folder.mkdir(parents=True, exist_ok=True)
    times = columns["time"]
    start = int(times[0])
    begun = datetime.fromtimestamp(start // NS, UTC)
    path = folder / f"{folder.name}_{begun:%Y%m%dT%H%M%S}.{start % NS // 1000:06d}Z.avro"
    out = bytearray(made.head(about, channel=folder.name, time_unit="ns"))
    entries = [made.index_head(out)]
    parsed = Schema.parse(about)
    for first in range(0, len(times), BLOCK):
        part = {name: column[first : first + BLOCK] for name, column in columns.items()}
        packed = made.block(len(part["time"]), encode(parsed, part))
        low, high = int(part["time"][0]), int(part["time"][-1])
        body = made.ENTRY.pack(
            len(out), len(packed), len(part["time"]), low, low, high, high, 0, crc32c(packed)
        )
        entries.append(body + struct.pack("<II", crc32c(body), 0))
        out += packed
    path.write_bytes(out)
    path.with_suffix(".idx").write_bytes(b"".join(entries))
    return path


def plant(times: Any) -> dict[str, Any]:
    """Signals of the plant: summers and days, and one peak."""
    days = (times - BEGIN) / DAY
    season, daily = np.sin(2 * np.pi * (days / 365 - 0.3)), np.sin(2 * np.pi * (days - 0.4))
    noise = np.sin(days * 1237.7) * np.sin(days * 91.3)
    temperature = 12 + 11 * season + 5 * daily + noise
    temperature[times == PEAK] = 95.0
    return {
        "time": times,
        "temperature": temperature,
        "inlet": 8 + 9 * season + 2 * daily,
        "pressure": 101.3 + 1.5 * np.sin(days / 3.1) + 0.2 * noise,
    }


def write_year(archive: Path, step_s: int = 30) -> int:
    """A year of `plant` in segments of 30 days, a record each `step_s`; how many records."""
    count = 0
    for start in range(BEGIN, END, 30 * DAY):
        times = np.arange(start, min(start + 30 * DAY, END), step_s * NS)
        times = times[(times < GAP[0]) | (times >= GAP[1])]
        if len(times):
            write(archive / "plant", PLANT, plant(times))
            count += len(times)
    return count


def write_burst(archive: Path, seconds: int = 20, rate: int = 1000) -> int:
    """`quick`: so many records a second from BURST on; how many records."""
    times = BURST + np.arange(seconds * rate) * (NS // rate)
    phase = (times - BURST) / NS
    vibration = np.sin(2 * np.pi * 50 * phase) * np.exp(-((phase - seconds / 2) ** 2) / 8)
    write(archive / "quick", QUICK, {"time": times, "vibration": vibration})
    return len(times)
