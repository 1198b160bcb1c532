"""A relay's three threads in the test's own process, with real sockets and a real folder, and no signals or keeper."""

import contextlib
import io
import itertools
import json
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fastavro

from speeddata.plan import TIME_UNITS
from speeddata.relay.channel import ChannelRelay
from speeddata.relay.mapping import Mapping
from speeddata.relay.sockets import IP_MULTICAST_ALL, ChannelSockets, set_receive_buffer
from speeddata.relay.spec import ChannelSpec

LIMIT_S = 20.0

NUMBERED = {
    "type": "record",
    "name": "speeddata.test.numbered",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "n", "type": "long", "speeddata": {"role": "sequence"}},
        {"name": "value", "type": "double"},
    ],
}


def wait_until(condition: Callable[[], Any], what: str = "condition", limit_s: float = LIMIT_S) -> Any:
    """Wait for a condition; gives its value."""
    deadline = time.monotonic() + limit_s
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} not met within {limit_s} s"
        time.sleep(0.005)
    return value


def encode(schema: dict[str, Any], **record: Any) -> bytes:
    """One record, by fastavro."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return out.getvalue()


def numbered(n: int, value: float = 0.0, time_ns: int | None = None) -> bytes:
    return encode(NUMBERED, time=time.time_ns() if time_ns is None else time_ns, n=n, value=value)


def make_spec(folder: Path, schema: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A channel spec with a port of the kernel's choice and groups of its own."""
    a, b = random.randrange(1, 250), random.randrange(1, 250)
    port = random.randrange(47000, 60000)
    return {
        "name": "test",
        "port": 0,
        "schema": schema or NUMBERED,
        "archive": str(folder / "archive" / "test"),
        "multicast": {
            "full_rate": {"address": f"239.255.{a}.{b}", "port": port},
            "decimated": {"address": f"239.255.{a}.{b + 1}", "port": port + 1},
        },
        "block_age_s": 0.05,
        "flush_interval_s": 0.05,
        **changes,
    }


def subscribe(address: str, port: int, interface: str = "127.0.0.1") -> socket.socket:
    """A subscriber of one group on one interface."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    set_receive_buffer(sock, 32 << 20)
    sock.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
    sock.bind((address, port))
    member = socket.inet_aton(address) + socket.inet_aton(interface)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
    sock.settimeout(LIMIT_S)
    return sock


def drain(sock: socket.socket) -> list[bytes]:
    """What waits in a socket."""
    found = []
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            found.append(sock.recv(65536))
    sock.settimeout(LIMIT_S)
    return found


def read_records(folder: Path, channel: str = "test") -> list[dict[str, Any]]:
    """All archived records of a channel, by fastavro, in the order of the archive."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob(f"{channel}_*.avro")):
        with path.open("rb") as file:
            found += fastavro.reader(file)  # type: ignore[arg-type]
    return found


class Line:
    """The threads of one channel. `start`, `send`, look at `stats`, `stop`."""

    def __init__(self, spec: dict[str, Any], mapping: Mapping | None = None,
                 sockets: ChannelSockets | None = None) -> None:  # fmt: skip
        self.spec = ChannelSpec.from_json(json.loads(json.dumps(spec)))
        self.sockets = sockets or ChannelSockets.open(self.spec)
        self.mapping = mapping or Mapping.create("test", self.spec.block_bytes, self.spec.ring_bytes)
        self.relay = ChannelRelay(self.spec, self.mapping, self.sockets)
        self.folder = Path(self.spec.archive)
        self.source = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.source.connect(self.sockets.input.getsockname())
        self.threads: dict[str, threading.Thread] = {}

    def start(self, *names: str, unit: str = "") -> "Line":
        """Start threads: all, or those named."""
        relay = self.relay
        receiver, decimator, writer = relay._receiver(), relay._decimator(), relay._writer()
        writer.resume()
        receiver.resume(TIME_UNITS.get(unit, 0))
        bodies = {"receiver": receiver.run, "decimator": decimator.run, "writer": writer.run}
        for name in names or bodies:
            self.threads[name] = threading.Thread(target=bodies[name], name=name)
            self.threads[name].start()
        return self

    def send(self, *packets: bytes) -> None:
        for packet in packets:
            self.source.send(packet)

    @property
    def stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = self.mapping.stats()
        return stats

    def wait(self, **expected: Any) -> dict[str, Any]:
        """Wait until counters have values; a dotted counter is written with two underscores."""

        def met() -> bool:
            stats = self.stats
            return all(_counter(stats, key) == value for key, value in expected.items())

        try:
            wait_until(met, str(expected))
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.stats}") from None
        return self.stats

    def stop(self) -> dict[str, Any]:
        """Stop the threads in the order of the data, file what was refused, let go of the folder."""
        for name in ("receiver", "decimator", "writer"):
            if name in self.threads:
                self.relay.bells[name].stop()
                self.threads[name].join(LIMIT_S)
                assert not self.threads[name].is_alive(), f"{name} did not stop"
        self.threads.clear()
        while self.relay._file_refused():
            pass
        return self.stats

    def close(self) -> None:
        self.stop()
        self.source.close()
        self.sockets.close()
        os.close(self.relay.folder_fd)
        os.close(self.relay.lock)
        os.close(self.mapping.fd)


def _counter(stats: dict[str, Any], key: str) -> Any:
    for part in key.split("__"):
        stats = stats[part]
    return stats


@contextlib.contextmanager
def running(spec: dict[str, Any]) -> Iterator[Line]:
    """A line that runs, and is closed at the end."""
    line = Line(spec).start()
    try:
        yield line
    finally:
        line.close()


def chunks(data: list[bytes], size: int) -> Iterator[bytes]:
    """Records joined to packets of `size` records."""
    rest = iter(data)
    while part := b"".join(itertools.islice(rest, size)):
        yield part
