"""The quarantine of a channel: refused packets in a bounded Avro file, with reason and sender.

Two files at most, `quarantine.avro` and the older `quarantine.1.avro`, each up to half of the bound: the newest are kept.
"""

import os
import socket
import struct
from pathlib import Path
from typing import Any

import fastavro

from speeddata.errors import ArchiveError
from speeddata.plan import REASONS
from speeddata.segment import whole_length

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

HEAD = 700  # bytes of a file without packets, at most
OVERHEAD = 100  # bytes of a packet's block beside its own, at most
Aside = tuple[int, int, int, int, int, bytes]


class Quarantine:
    """Appends to the quarantine of the channel whose folder is given."""

    def __init__(self, folder: Path, limit: int) -> None:
        # The file written to, and the one that gives way.
        self.path = folder / "quarantine.avro"
        self.older = folder / "quarantine.1.avro"
        self.limit = limit
        # What a crash may have left at the end of the file is cut off.
        self.mended = False

    def file(self, packets: list[Aside]) -> int:
        """Append packets as the mapping gives them; how many found room. OSError when the disk refuses."""
        filed = 0
        if not self.mended:
            self._mend()
            self.mended = True
        for packet in packets:
            need = len(packet[-1]) + OVERHEAD
            if HEAD + need > self.limit // 2:
                continue
            if self.path.exists() and self.path.stat().st_size + need > self.limit // 2:
                self.path.replace(self.older)
            try:
                self._append(packet)
            except OSError:
                raise
            except Exception:
                # The file was cut short by a crash, or damaged in whatever way: it is set aside whole.
                self.path.replace(self.older)
                self._append(packet)
            filed += 1
        return filed

    def _mend(self) -> None:
        try:
            end = whole_length(self.path)
            if end < self.path.stat().st_size:
                os.truncate(self.path, end)
        except FileNotFoundError:
            pass
        except ArchiveError:
            self.path.replace(self.older)

    def _append(self, packet: Aside) -> None:
        mode = "a+b" if self.path.exists() else "w+b"
        with open(self.path, mode, opener=_open) as file:
            fastavro.writer(file, SCHEMA, [_record(packet)])


def _open(path: str, flags: int) -> int:
    """Open a file of the folder itself, never one that a link there points to."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o640)


def _record(packet: Aside) -> dict[str, Any]:
    arrival_ns, address, port, reason, offset, data = packet
    return {
        "time": arrival_ns,
        "reason": REASONS[reason],
        "offset": offset,
        "sender": f"{socket.inet_ntoa(struct.pack('>I', address))}:{port}",
        "packet": data,
    }
