"""A hundred clients that ask for a day by the minute, while a relay takes 50,000 packets a second."""

import multiprocessing
import selectors
import socket
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from system import System

CLIENTS = 100
SECONDS = 15.0
RATE = 50_000
PACKET = 200
SCHEMA = {
    "type": "record",
    "name": "load",
    "fields": [{"name": f"x{n}" if n else "time", "type": "double"} for n in range(PACKET // 8)],
}
PORT = 26990
QUERY = (
    "GET /api/v1/query?channels=year&start=2021-08-09T00:00:00.{number:06d}Z&end=2021-08-10T00:00:00Z"
    "&every=1m&aggregates=min,max,avg HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n\r\n"
)


def send(rate: int, seconds: float, out: "multiprocessing.Queue[int]") -> None:
    """Send packets at a rate, in runs of a millisecond."""
    import struct

    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect(("127.0.0.1", PORT))
    rest = bytes(PACKET - 8)
    sent, begun = 0, time.perf_counter()
    while (now := time.perf_counter() - begun) < seconds:
        while sent < now * rate:
            sock.send(struct.pack("<d", time.time()) + rest)
            sent += 1
        time.sleep(0.0005)
    out.put(sent)


def ask(port: int, seconds: float, pause: float, out: "multiprocessing.Queue[list[float]]") -> None:
    """Each client asks, waits for the answer, pauses, and asks for another range; seconds of each answer."""
    selector, begun, number = selectors.DefaultSelector(), {}, 0
    times: list[float] = []
    waiting: list[tuple[float, socket.socket]] = []
    for place in range(CLIENTS):
        sock = socket.create_connection(("127.0.0.1", port))
        selector.register(sock, selectors.EVENT_READ, bytearray())
        waiting.append((place * pause / CLIENTS, sock))
    start = time.perf_counter()
    while (now := time.perf_counter() - start) < seconds:
        for due, sock in [one for one in waiting if one[0] <= now]:
            waiting.remove((due, sock))
            number += 1
            begun[sock] = time.perf_counter()
            sock.sendall(QUERY.format(number=number % 1_000_000).encode())
        for key, _ in selector.select(0.002):
            taken(key, begun, times, waiting, pause, start)
    out.put(times)


def taken(key: Any, begun: Any, times: list[float], waiting: Any, pause: float, start: float) -> None:
    """Take in a piece of an answer."""
    sock, data = key.fileobj, key.data
    data += sock.recv(1 << 18)
    head, _, body = bytes(data).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), data[:500]
    lower = head.lower()
    if b"content-length:" in lower:
        length = int(lower.partition(b"content-length:")[2].split(b"\r\n")[0])
        if len(body) < length:
            return
    elif not body.endswith(b"0\r\n\r\n"):
        return
    data.clear()
    times.append(time.perf_counter() - begun.pop(sock))
    waiting.append((time.perf_counter() - start + pause, sock))


def measure(_: Path, system: System) -> Iterator[tuple[str, str, str]]:
    """What, found, goal of each line; channel `year` must be there."""
    system.register("load", PORT, SCHEMA)
    for pause in (1.0, 0.0):
        before = system.get("/channels/load")["stats"]
        sent_out: multiprocessing.Queue[int] = multiprocessing.Queue()
        times_out: multiprocessing.Queue[list[float]] = multiprocessing.Queue()
        workers = [
            multiprocessing.Process(target=send, args=(RATE, SECONDS, sent_out)),
            multiprocessing.Process(target=ask, args=(system.pivot_port, SECONDS, pause, times_out)),
        ]
        for worker in workers:
            worker.start()
        sent, times = sent_out.get(timeout=SECONDS * 4), times_out.get(timeout=SECONDS * 4)
        for worker in workers:
            worker.join(30)
        time.sleep(2)
        after = system.get("/channels/load")["stats"]
        got = after["packets"] - before["packets"]
        p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
        kind = "each once a second" if pause else "each as fast as it is answered"
        yield (
            f"{CLIENTS} clients, a day by the minute, {kind}; {sent / SECONDS:,.0f} packets/s beside",
            f"p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, {len(times) / SECONDS:.0f} answers/s; {sent - got} packets lost",
            "p99 <= 200 ms, 0 lost" if pause else "",
        )
