"""The quarantine of a channel: refused packets in a bounded Avro file, with reason and sender.

Two files at most, `quarantine.avro` and the older `quarantine.1.avro`, each up to half of the bound: the newest are kept.
"""

import socket
import struct
from pathlib import Path
from typing import Any

import fastavro

from speeddata.plan import REASONS

__all__ = ["Quarantine"]

SCHEMA = fastavro.parse_schema(
    {
        "type": "record",
        "name": "speeddata.quarantine",
        "fields": [
            {"name": "time", "type": "long", "logicalType": "timestamp-nanos", "doc": "when it was received"},
            {"name": "reason", "type": "string"},
            {"name": "offset", "type": "int", "doc": "of the record at fault in the packet"},
            {"name": "sender", "type": "string", "doc": "address:port"},
            {"name": "packet", "type": "bytes"},
        ],
    }
)

Aside = tuple[int, int, int, int, int, bytes]


class Quarantine:
    """Appends to the quarantine of the channel whose folder is given."""

    def __init__(self, folder: Path, limit: int) -> None:
        # The file written to, and the one that gives way.
        self.path = folder / "quarantine.avro"
        self.older = folder / "quarantine.1.avro"
        self.limit = limit

    def file(self, packets: list[Aside]) -> None:
        """Append packets as the mapping gives them. OSError when the disk refuses."""
        records = [_record(packet) for packet in packets]
        if self.path.exists() and self.path.stat().st_size >= self.limit // 2:
            self.path.replace(self.older)
        try:
            self._append(records)
        except (ValueError, EOFError, KeyError):
            # The file was cut short by a crash: set it aside whole and begin anew.
            self.path.replace(self.older)
            self._append(records)

    def _append(self, records: list[dict[str, Any]]) -> None:
        mode = "a+b" if self.path.exists() else "w+b"
        with self.path.open(mode) as file:
            fastavro.writer(file, SCHEMA, records)


def _record(packet: Aside) -> dict[str, Any]:
    arrival_ns, address, port, reason, offset, data = packet
    return {
        "time": arrival_ns,
        "reason": REASONS[reason],
        "offset": offset,
        "sender": f"{socket.inet_ntoa(struct.pack('>I', address))}:{port}",
        "packet": data,
    }
