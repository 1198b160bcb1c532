"""A registry, a live server and senders: what a page with charts needs to be live."""

import contextlib
import math
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from beside import beside
from live import EXAMPLE, Encoder, LiveProcess, Registry, Sender, free_port, json_of, wait_for


def record(time_ns: int, counter: int) -> dict[str, Any]:
    """Give a record of the example channel."""
    seconds = time_ns / 1e9
    return {
        "time": time_ns,
        "message": f"word {counter}",
        "counter": counter,
        "sine_wave": math.sin(seconds),
        "ramp": seconds % 4 / 2 - 1,
        "square_wave": 1.0 if seconds % 2 < 1 else -1.0,
        "is_on": counter % 100 < 50,
    }


class Line:
    """A registry, a live server and senders: what a page needs to be live."""

    def __init__(self, registry: Registry, process: LiveProcess) -> None:
        self.registry = registry
        self.process = process
        self.senders: dict[str, tuple[Sender, Encoder]] = {}
        # Times of the newest records that were sent all the time, in nanoseconds.
        self.fed: deque[int] = deque(maxlen=10_000)

    def add(self, name: str, schema: dict[str, Any] = EXAMPLE) -> None:
        """Register a channel and wait until it is received; what is sent to `NAME at full rate` goes to its group of that."""
        groups = [
            (f"239.255.{net}.{len(self.senders) + 1}", free_port(socket.SOCK_DGRAM)) for net in (50, 51)
        ]
        for key, group in zip((name, f"{name} at full rate"), groups, strict=True):
            self.senders[key] = (Sender(group), Encoder(schema))
        self.registry.add(name, schema, *groups, source=self.senders[name][0].source)
        status = f"http://127.0.0.1:{self.registry.services['websocket']['port']}/status"
        wait_for(lambda: name in json_of(status)["channels"], f"{name} to be received")

    def send(self, name: str, **record: Any) -> None:
        sender, encode = self.senders[name]
        sender.send(encode(**record))

    def send_all(self, name: str, records: list[dict[str, Any]]) -> None:
        """Send records in one packet."""
        sender, encode = self.senders[name]
        sender.send(b"".join(encode(**record) for record in records))

    @contextlib.contextmanager
    def feeding(self, name: str = "example", **fixed: Any) -> Iterator[None]:
        """Send records at 50 Hz by a thread: a sine, a ramp and a square wave, unless a value is fixed."""

        def feed(stop: threading.Event) -> None:
            counter = 0
            while not stop.wait(0.02):
                now = time.time_ns()
                self.send(name, **record(now, counter) | fixed)
                self.fed.append(now)
                counter += 1

        with beside(feed):
            yield

    def close(self) -> None:
        for sender, _ in self.senders.values():
            sender.close()
