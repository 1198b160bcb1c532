"""Writes segments as a relay does, by fastavro and struct: what tests read is not made by the code under test."""

import io
import json
import struct
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import zstandard
from twin import varint

from speeddata.blocks import crc32c

SYNC = bytes(range(200, 216))
START = 1_700_000_000_000_000_000
ENTRY = struct.Struct("<QIIqqqqII")
SCALE = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "data",
    "namespace": "speeddata.example",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "counter", "type": "int", "speeddata": {"role": "sequence"}},
        {"name": "voltage", "type": "double", "speeddata": {"unit": "V"}},
        {"name": "message", "type": "string"},
    ],
}


def record(number: int, time: int | None = None, **other: Any) -> dict[str, Any]:
    """A record of SCHEMA."""
    stamp = START + number * 1_000_000 if time is None else time
    return {"time": stamp, "counter": number, "voltage": number / 4, "message": f"m{number}"} | other


def records(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [record(number) for number in range(first, first + count)]


def text(value: bytes) -> bytes:
    return varint(len(value)) + value


def encode_each(schema: dict[str, Any], rows: list[dict[str, Any]]) -> list[bytes]:
    """Each record by itself."""
    out, parsed = [], fastavro.parse_schema(dict(schema))
    for row in rows:
        one = io.BytesIO()
        fastavro.schemaless_writer(one, parsed, row)
        out.append(one.getvalue())
    return out


def encode(schema: dict[str, Any], rows: list[dict[str, Any]]) -> bytes:
    """Records back to back."""
    return b"".join(encode_each(schema, rows))


def head(schema: dict[str, Any], sync: bytes = SYNC, codec: str = "null", **metadata: str) -> bytes:
    """The head of a container."""
    entries = {"avro.schema": json.dumps(schema), "avro.codec": codec}
    entries |= {f"speeddata.{key}": value for key, value in metadata.items()}
    body = b"".join(text(key.encode()) + text(value.encode()) for key, value in entries.items())
    return b"Obj\x01" + varint(len(entries)) + body + b"\0" + sync


def block(count: int, data: bytes, sync: bytes = SYNC, codec: str = "null") -> bytes:
    if codec == "deflate":
        data = zlib.compress(data, wbits=-15)
    elif codec == "zstandard":
        data = zstandard.compress(data)
    return varint(count) + text(data) + sync


def entry(offset: int, packed: bytes, times: list[int], arrival: int, flags: int = 0) -> bytes:
    """An index entry as the format's description has it."""
    disorder = any(b < a for a, b in zip(times, times[1:], strict=False))
    body = ENTRY.pack(
        offset,
        len(packed),
        len(times),
        times[0],
        min(times),
        max(times),
        arrival,
        flags | disorder,
        crc32c(packed),
    )
    return body + struct.pack("<II", crc32c(body), 0)


def index_head(segment_head: bytes) -> bytes:
    """The head of an index, as the format's description has it."""
    crc = crc32c(segment_head[:-16])
    return struct.pack(
        "<4sI16sQ4xII20x", b"SDIX", 1, segment_head[-16:], len(segment_head), crc, ~crc & 0xFFFFFFFF
    )


def without_crc(index: bytes) -> bytes:
    """An index as it was before it told the checksum of the segment's head."""
    return index[:36] + bytes(8) + index[44:]


def write_segment(
    folder: Path,
    blocks: list[list[dict[str, Any]]],
    schema: dict[str, Any] = SCHEMA,
    *,
    start: int = START,
    unit: str = "ns",
    codec: str = "null",
    sync: bytes = SYNC,
    index: bool = True,
    arrivals: list[int] | None = None,
    metadata: dict[str, str] | None = None,
    time: str = "time",
) -> Path:
    """Write a segment of these blocks of records, and its index, to `<folder>`; the channel is the folder's name."""
    folder.mkdir(parents=True, exist_ok=True)
    seconds, micros = divmod(start // 1000, 1_000_000)
    begun = datetime.fromtimestamp(seconds, UTC)
    path = folder / f"{folder.name}_{begun:%Y%m%dT%H%M%S}.{micros:06d}Z.avro"
    told = {"channel": folder.name, "time_unit": unit} if metadata is None else metadata
    out = bytearray(head(schema, sync, codec, **told))
    entries = [index_head(out)]
    for place, rows in enumerate(blocks):
        packed = block(len(rows), encode(schema, rows), sync, codec)
        arrival = arrivals[place] if arrivals else start + place
        times, flags = [], 0
        for row in rows:
            stamp_ns = row[time] * SCALE[unit] if row[time] is not None and row[time] == row[time] else 2**70
            flags |= 0 if -(2**63) <= stamp_ns < 2**63 else 2
            times.append(int(stamp_ns) if -(2**63) <= stamp_ns < 2**63 else arrival)
        entries.append(entry(len(out), packed, times, arrival, flags))
        out += packed
    path.write_bytes(out)
    if index:
        path.with_suffix(".idx").write_bytes(b"".join(entries))
    return path


def decode(schema: dict[str, Any], data: bytes) -> list[dict[str, Any]]:
    """Records that stand back to back."""
    source, rows, parsed = io.BytesIO(data), [], fastavro.parse_schema(dict(schema))
    while source.tell() < len(data):
        rows.append(fastavro.schemaless_reader(source, parsed))
    return rows
