"""The memory of the history service does not grow with the range of an export, whatever its format."""

import struct
from datetime import UTC, datetime
from pathlib import Path

import history
import numpy as np
import pytest
import requests
import segments as made

from speeddata.blocks import crc32c
from speeddata.plan import Plan
from speeddata.rows import encode
from speeddata.schema import Schema

ROWS = 8192  # of a block
GROWTH_MIB = 40  # far less than three times the records of the shorter range have
SCHEMA = {
    "type": "record",
    "name": "wide",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        *({"name": name, "type": "double"} for name in "abcdefgh"),
        {"name": "text", "type": ["null", "string"]},
    ],
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("memory") / "archive"
    for segment in range(4):
        write_segment(folder / "wide", segment * 32 * ROWS, 32)
    return folder


def write_segment(folder, first, blocks):
    """A segment of so many blocks, a record a millisecond."""
    folder.mkdir(parents=True, exist_ok=True)
    plan, start = Plan(Schema.parse(SCHEMA)), made.START + first * 10**6
    out = bytearray(made.head(SCHEMA, channel=folder.name, time_unit="ns"))
    entries = [made.index_head(out)]
    for at in range(first, first + blocks * ROWS, ROWS):
        times = made.START + np.arange(at, at + ROWS, dtype=np.int64) * 10**6
        columns = {name: times / (place + 1) for place, name in enumerate("abcdefgh")}
        columns["text"] = np.array([None, "some words"] * (ROWS // 2), object)
        packed = made.block(ROWS, encode(plan, {"time": times, **columns}))
        low, high = int(times[0]), int(times[-1])
        body = made.ENTRY.pack(len(out), len(packed), ROWS, low, low, high, low, 0, crc32c(packed))
        entries.append(body + struct.pack("<II", crc32c(body), 0))
        out += packed
    seconds, micros = divmod(start // 1000, 1_000_000)
    begun = datetime.fromtimestamp(seconds, UTC)
    path = folder / f"{folder.name}_{begun:%Y%m%dT%H%M%S}.{micros:06d}Z.avro"
    path.write_bytes(out)
    path.with_suffix(".idx").write_bytes(b"".join(entries))


def peak_mib(service):
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def fetch(service, duration, params):
    """Bytes of an export, none of which is kept here."""
    query = {"start": "2023-11-14T22:13:20Z", "duration": duration, "channels": "wide", **params}
    with requests.get(
        f"{service.address}/api/v1/pivot/export", params=query, stream=True, timeout=300
    ) as answer:
        assert answer.status_code == 200
        return sum(map(len, answer.iter_content(1 << 20)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {}, {"layout": "table", "compression": "zstd"}, {"format": "parquet"}, {"format": "arrow"}, {"format": "csv"},
        {"format": "avro"}, {"align": "linear", "base": "2kHz"}, {"decimate": "minmax:1d"},
    ],
    ids=str,
)  # fmt: skip
def test_memory_is_flat_in_the_range(archive, params):
    with history.running(archive, "--limit-minutes", "1000000", "--timeout", "300") as service:
        fetch(service, "PT262S", params)  # a quarter of the records
        before = peak_mib(service)
        fetch(service, "P1D", params)
        assert peak_mib(service) - before < GROWTH_MIB
