"""A client of the shared relay's socket, and the process itself, for tests: plain and synchronous."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twin import varint

from speeddata.archive import Archive
from speeddata.container import plan_of
from speeddata.plan import TIME_UNITS
from speeddata.relay.ingest_records import Records
from speeddata.schema import Schema

Json = dict[str, Any]

NUMBERED: Json = {
    "type": "record",
    "name": "numbered",
    "fields": [
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
        {"name": "n", "type": "long"},
        {"name": "value", "type": "double"},
    ],
}
FINGERPRINT = Schema.parse(NUMBERED).fingerprint.hex()
START = 1_700_000_000_000_000_000
LIMIT_S = 20.0


def rows(first: int, count: int) -> bytes:
    """Records of NUMBERED."""
    return b"".join(
        varint(START + n * 1_000_000) + varint(n) + struct.pack("<d", n / 2)
        for n in range(first, first + count)
    )


def records(first: int, count: int, block_bytes: int = 1 << 18) -> Records:
    """The same, validated."""
    data = rows(first, count)
    plan = plan_of(json.dumps(NUMBERED))
    return Records(plan, data, 0, len(data), block_bytes, TIME_UNITS["ns"], START)


def part(channel: str, first: int, count: int) -> tuple[str, str, int, bytes]:
    """A part for `StoreClient.append`."""
    return channel, FINGERPRINT, count, rows(first, count)


def store_spec(archive: Path, name: str, **other: Any) -> Json:
    """The spec of a channel without a port."""
    about = {"name": name, "port": None, "schema": NUMBERED, "multicast": None}
    return {**about, "archive": str(archive / name), **other}


def numbers(folder: Path) -> list[int]:
    """The numbers in a channel's archive, by time; it must be whole."""
    with Archive(folder).open() as reader:
        found = [int(n) for table in reader.batches(["n"]) for n in table.columns["n"]]
        assert reader.damages == []
    return found


class StoreProcess:
    """The shared relay of a data folder."""

    def __init__(self, data: Path, *wrapper: str) -> None:
        self.data = data
        self.archive = data / "archive"
        self.socket = data / "run" / "ingest.sock"
        self.wrapper = wrapper
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.socket.unlink(missing_ok=True)
        module = [sys.executable, "-P", "-m", "speeddata.relay.ingest", "--data", str(self.data)]
        self.process = subprocess.Popen([*self.wrapper, *module], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                StoreClient(self.socket).socket.close()
                return
            except OSError:
                assert self.process.poll() is None, "it ended"
                assert time.monotonic() < deadline, "it does not listen"
                time.sleep(0.01)

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None, "it was started"
        self.process.send_signal(number)
        code = self.process.wait(LIMIT_S)
        self.process = None
        return code

    def client(self) -> "StoreClient":
        return StoreClient(self.socket)

    def open(self, *names: str, **other: Any) -> "StoreClient":
        """A client that has made channels known."""
        client = self.client()
        assert client.ask(
            {"op": "open", "specs": [store_spec(self.archive, name, **other) for name in names]}
        )["ok"]
        return client

    def __enter__(self) -> "StoreProcess":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.end()


class StoreClient:
    """One connection."""

    def __init__(self, path: Path, timeout_s: float = 20.0) -> None:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout_s)
        try:
            self.socket.connect(f"/proc/self/fd/{folder}/{path.name}")
        except OSError:
            self.socket.close()
            raise
        finally:
            os.close(folder)

    def __enter__(self) -> "StoreClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, head: Json, body: bytes = b"") -> Json:
        """Ask, and wait for the answer. ConnectionError when the store hangs up."""
        self.send(head, body)
        return self.receive()

    def send(self, head: Json, body: bytes = b"") -> None:
        packed = json.dumps(head).encode()
        self.socket.sendall(struct.pack("<II", len(packed), len(body)) + packed + body)

    def receive(self) -> Json:
        (length,) = struct.unpack("<I", self._take(4))
        answer: Json = json.loads(self._take(length))
        return answer

    def append(self, parts: Sequence[tuple[str, str, int, bytes]], **options: Any) -> Json:
        """Append parts of (channel, fingerprint, records, bytes)."""
        told = [
            {"channel": channel, "schema": schema, "records": records, "bytes": len(data)}
            for channel, schema, records, data in parts
        ]
        head = {"op": "append", "key": None, "durability": None, "live": False, "parts": told, **options}
        return self.ask(head, b"".join(data for *_, data in parts))

    def _take(self, size: int) -> bytes:
        out = b""
        while len(out) < size:
            got = self.socket.recv(size - len(out))
            if not got:
                raise ConnectionError("the store has hung up")
            out += got
        return out
