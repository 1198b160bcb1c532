"""A fast sender of numbered packets of one record and 200 bytes each, in runs that the kernel cuts into packets."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from twin import varint

from speeddata.plan import Plan
from speeddata.relay.sockets import UDP_SEGMENT
from speeddata.rows import encode
from speeddata.schema import Schema

SIZE = 200
RUN = 64  # packets in one call
RUNS = 256  # that are numbered at once
FIRST = 1 << 27  # from here on numbers take five bytes
DIGITS = 5
WRONG_EVERY = 1000  # one in so many packets is no record, where that is wanted
NUMBERED: dict[str, Any] = {
    "type": "record",
    "name": "speeddata.test.stream",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "n", "type": "long", "speeddata": {"role": "sequence"}},
        {"name": "mark", "type": "string"},
        *({"name": f"v{k}", "type": "double"} for k in range(23)),
    ],
}

Numbers = np.ndarray[Any, Any]


class Stream:
    """Sends numbered packets from one socket; `sent` tells how many, `wrong` how many of them are no records."""

    def __init__(self, port: int, *, wrong: bool = False) -> None:
        self.sent = self.wrong = 0
        self.mixed = wrong
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, SIZE)
        self.packets = np.tile(np.frombuffer(one_packet(), np.uint8), (RUN * RUNS, 1))
        self.view = memoryview(self.packets.reshape(-1))
        self.start = time.perf_counter()

    def __enter__(self) -> "Stream":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    @property
    def last(self) -> int:
        """The number of the last packet."""
        return FIRST + self.sent - 1

    def send(self, count: int, rate: float = 0.0) -> None:
        """Send so many packets, evenly; rate 0: as fast as it goes."""
        begin, before, end = time.perf_counter(), self.sent, self.sent + count
        while self.sent < end:
            first, some = self.sent, min(RUN * RUNS, end - self.sent)
            self._number(some)
            for at in range(0, some, RUN):
                if rate:
                    wait_for(begin + (first + at - before) / rate)
                self.socket.send(self.view[at * SIZE : min(at + RUN, some) * SIZE])
                self.sent = first + min(at + RUN, some)

    def _number(self, count: int) -> None:
        """Write the time and the next numbers into the packets, and make some of them wrong."""
        self.packets[:count, :NUMBER_AT] = np.frombuffer(varint(time.time_ns()), np.uint8)
        numbers = np.arange(FIRST + self.sent, FIRST + self.sent + count, dtype=np.uint64) << np.uint64(1)
        for k in range(DIGITS):
            digit = (numbers >> np.uint64(7 * k)) & np.uint64(127) | np.uint64(128 if k < DIGITS - 1 else 0)
            self.packets[:count, NUMBER_AT + k] = digit
        if self.mixed:
            wrong = self.refused(np.arange(FIRST + self.sent, FIRST + self.sent + count))
            self.packets[:count, MARK_AT] = np.where(wrong, 0xFF, ord("x"))
            self.wrong += int(wrong.sum())

    def refused(self, numbers: Numbers) -> Numbers:
        """Which of these numbers are of packets that are no records."""
        return numbers % WRONG_EVERY == WRONG_EVERY - 1 if self.mixed else np.zeros(len(numbers), bool)


def wait_for(due: float) -> None:
    """Wait for a moment, asleep as long as it is far."""
    while (left := due - time.perf_counter()) > 0:
        if left > 0.0002:
            time.sleep(left - 0.0001)


def one_packet() -> bytes:
    """The packet of the first number."""
    columns = {"time": [1_790_000_000_000_000_000], "n": [FIRST], "mark": ["x"]}
    packet = encode(Plan(Schema.parse(NUMBERED)), columns | {f"v{k}": [k * 0.5] for k in range(23)})
    assert len(packet) == SIZE
    return packet


NUMBER_AT = 9  # after the time
MARK_AT = NUMBER_AT + DIGITS + 1  # after the length of the string


@contextlib.contextmanager
def pinned(*cores: int) -> Iterator[None]:
    """Run on some cores, as far as there are those."""
    former = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(cores) & former or former)
    try:
        yield
    finally:
        os.sched_setaffinity(0, former)
