"""What `speeddata bench relay` measures: the relay, and two baselines, each in a process of its own.

relay       all of it: validate, archive, both streams
recvmmsg    receive and count, nothing else: what the machine can do
python      asyncio, uvloop and fastavro: decode, archive by the thousand, both streams: what one would write in Python
"""

import asyncio
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro
import uvloop

from speeddata.relay.load import count_packets
from speeddata.relay.sockets import kernel_drops, open_input, open_output
from speeddata.relay.spec import ChannelSpec

__all__ = ["NAMES", "Contender", "running"]

NAMES = ("recvmmsg", "relay", "python")
START_S, END_S = 20.0, 60.0
ENDING = {signal.SIGTERM, signal.SIGHUP, signal.SIGINT}
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
FACTOR = 10  # of the decimated stream


@dataclass
class Contender:
    """A contender that runs, and what it says at its end."""

    process: "subprocess.Popen[str]"
    port: int
    packets: int = 0  # that it dealt with
    drops: int = 0  # of the kernel, for want of buffer

    def cpu_s(self) -> float:
        """Processor time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) * TICK_S

    def drain(self) -> None:
        """Wait until its socket is empty."""
        deadline = time.monotonic() + END_S
        while _queued(self.port) and time.monotonic() < deadline:
            time.sleep(0.01)

    def finish(self) -> None:
        """End it, everything written."""
        self.process.send_signal(signal.SIGTERM)
        said = json.loads(self.process.communicate(timeout=END_S)[0].splitlines()[-1])
        # Of the relay what is archived counts, a record a packet: what the ring or the disk refused is lost.
        self.packets, self.drops = said.get("archived", said["packets"]), said["kernel_drops"]


@contextmanager
def running(name: str, spec: ChannelSpec, folder: Path, cpus: set[int]) -> Iterator[Contender]:
    """A contender that has begun to receive, on some cores."""
    path = folder / "spec.json"
    port, _ = spec.wire
    path.write_text(json.dumps(spec.to_json()))
    module = ["speeddata.relay", "--spec"] if name == "relay" else ["speeddata.relay.contenders", name]
    # Signals by which we end wait until somebody minds the process.
    former = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    process: subprocess.Popen[str] | None = None
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", *module, str(path)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, former),
        )  # fmt: skip
        os.sched_setaffinity(process.pid, cpus)
        signal.pthread_sigmask(signal.SIG_SETMASK, former)
        deadline = time.monotonic() + START_S
        while _queued(port) is None:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} does not receive on port {port}")
            time.sleep(0.02)
        yield Contender(process, port)
    finally:
        if process is not None:
            process.kill()
            process.communicate()
        signal.pthread_sigmask(signal.SIG_SETMASK, former)


def _queued(port: int) -> int | None:
    """Bytes that wait in the socket bound to a UDP port; None when there is none."""
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        columns = line.split()
        if int(columns[1].rpartition(":")[2], 16) == port:
            return int(columns[4].rpartition(":")[2], 16)
    return None


def _report(packets: int, source: socket.socket) -> None:
    print(json.dumps({"packets": packets, "kernel_drops": kernel_drops(source)}), flush=True)


def _count(spec: ChannelSpec) -> None:
    """The baseline `recvmmsg`."""
    wake, waker = os.pipe2(os.O_NONBLOCK)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGTERM, lambda *_: None)
    source = open_input(spec.listen, spec.wire[0], spec.receive_buffer_bytes)
    _report(count_packets(source.fileno(), wake, bytearray(64 << 16)), source)


def _receive_by_python(spec: ChannelSpec) -> None:
    """The baseline `python`."""
    source = open_input(spec.listen, spec.wire[0], spec.receive_buffer_bytes)
    source.setblocking(False)
    _report(uvloop.run(_receive(spec, source)), source)


class _Python(asyncio.DatagramProtocol):
    """Takes the packets of the baseline `python`."""

    def __init__(self, spec: ChannelSpec) -> None:
        self.schema = fastavro.parse_schema(spec.schema)
        _, multicast = spec.wire
        self.full = open_output(multicast, multicast.full_rate)
        self.decimated = open_output(multicast, multicast.decimated)
        folder = Path(spec.archive)
        folder.mkdir(parents=True, exist_ok=True)
        self.file = (folder / "python.avro").open("w+b")
        self.records: list[Any] = []
        self.packets = 0

    def datagram_received(self, data: bytes, _address: Any) -> None:
        reader = io.BytesIO(data)
        while reader.tell() < len(data):
            self.records.append(fastavro.schemaless_reader(reader, self.schema, None))
        self.packets += 1
        self.full.send(data)
        if self.packets % FACTOR == 0:
            self.decimated.send(data)
        if len(self.records) >= 1000:
            self.flush()

    def flush(self) -> None:
        fastavro.writer(self.file, self.schema, self.records)
        self.records.clear()


async def _receive(spec: ChannelSpec, source: socket.socket) -> int:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    transport, protocol = await loop.create_datagram_endpoint(lambda: _Python(spec), sock=source.dup())
    await ended.wait()
    transport.close()
    protocol.flush()
    return protocol.packets


def main(name: str, path: str) -> None:
    """Be a baseline until SIGTERM."""
    spec = ChannelSpec.from_json(json.loads(Path(path).read_text()))
    {"recvmmsg": _count, "python": _receive_by_python}[name](spec)


if __name__ == "__main__":
    main(*sys.argv[1:])
