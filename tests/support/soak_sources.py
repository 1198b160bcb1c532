"""The sources of a soak: processes that send numbered records to a channel, at a rate that may be changed."""

import multiprocessing
import os
import socket
import time
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from typing import Any

from stream import NUMBERED, RUN, RUNS, Stream

from speeddata.plan import Plan
from speeddata.rows import encode_record
from speeddata.schema import Schema

CORE = 0  # theirs; the system has the others
FLAT_OUT, IDLE, END = 0.0, -1.0, -2.0  # rates with a meaning of their own
LAST = 10  # packets at the end, after a pause, that make a gap before them visible
REST_S = 0.02
TURN_S = 0.05  # between two looks at the rate
SLOW: dict[str, Any] = {
    "type": "record",
    "name": "speeddata.test.slow",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "n", "type": "long", "speeddata": {"role": "sequence"}},
        {"name": "text", "type": "string"},
        {"name": "state", "type": {"type": "enum", "name": "speeddata.test.State", "symbols": ["on", "off"]}},
        {"name": "note", "type": ["null", "string"]},
    ],
}
CONTEXT = multiprocessing.get_context("fork")


@dataclass
class Source:
    """A channel and the process that sends to it."""

    name: str
    port: int
    schema: dict[str, Any]
    config: dict[str, Any]
    rate: Any = field(default_factory=lambda: CONTEXT.Value("d", IDLE))
    sent: Any = field(default_factory=lambda: CONTEXT.Value("q", 0))
    wrong: int = 0  # packets that are no records, sent by others
    process: BaseProcess | None = None

    def start(self) -> None:
        body = send_slowly if self.schema is SLOW else send_stream
        self.process = CONTEXT.Process(target=body, args=(self.port, self.rate, self.sent), daemon=True)
        self.process.start()

    def end(self) -> None:
        """Have it send its last packets, and wait for its end."""
        assert self.process is not None
        self.rate.value = END
        self.process.join(60)
        assert self.process.exitcode == 0, f"the source of {self.name} has failed"


def channels(ports: list[int], keep_bytes: int) -> list[Source]:
    """Two fast channels, one with UDP_GRO, and one that is slow and has strings."""
    retention = {"max_bytes": keep_bytes}
    return [
        Source("joined", ports[0], NUMBERED, {"gro": True, "retention": retention}),
        Source("plain", ports[1], NUMBERED, {"retention": retention}),
        Source("slow", ports[2], SLOW, {}),
    ]


def send_stream(port: int, rate: Any, sent: Any) -> None:
    """Send packets of 200 bytes; `sent` follows."""
    os.sched_setaffinity(0, {CORE})
    with Stream(port) as stream:
        while (now := rate.value) != END:
            if now == IDLE:
                time.sleep(REST_S)
                continue
            stream.send(max(RUN, min(RUN * RUNS, int(now * TURN_S) or RUN * RUNS)), now)
            sent.value = stream.sent
        stream.send(LAST, 1000)
        sent.value = stream.sent


def send_slowly(port: int, rate: Any, sent: Any) -> None:
    """Send records with strings, one by one."""
    plan = Plan(Schema.parse(SLOW))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        while (now := rate.value) != END:
            if now != IDLE:
                n = sent.value
                text = "grün " * (n % 7)
                record = {"time": time.time_ns(), "n": n, "text": text, "state": "on", "note": text or None}
                sock.send(encode_record(plan, record))
                sent.value = n + 1
            time.sleep(1 / now if now > 0 else REST_S)
