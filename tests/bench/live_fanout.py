"""How many browsers one core serves: `make bench-live` prints what is to be reached and what was seen.

The live server is pinned to one core; the clients, the source and all else share the other. Clients are raw sockets on
127.0.0.1 that look at each frame's header: the delay is from the frame's making to its arrival, by one clock.
"""

import contextlib
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from line import NUMBERED, make_spec, numbered  # noqa: E402
from line import running as relaying  # noqa: E402
from live import Encoder, LiveProcess, Registry, Sender, free_port, running  # noqa: E402
from load_clients import LoadClient, listen  # noqa: E402

CLIENTS, STALLED = 1000, 200
SECONDS = 12.0
RUNS = 3
WARM_S = 2.0
STALLING_S = 8.0  # until the kernel and the server hold all that they hold for a client that does not read
SIGNALS = 31  # make frames of 2 KB
SERVER_CORE, OTHER_CORE = 0, 1
SCHEMA: dict[str, Any] = {
    "type": "record",
    "name": "load",
    "fields": [{"name": "time", "type": "long", "logicalType": "timestamp-nanos"}]
    + [{"name": f"x{n}", "type": "double"} for n in range(SIGNALS)],
}
NAMES = [f"load.x{n}" for n in range(SIGNALS)]
DECIMATION = {"enabled": True, "algorithm": "minmax", "factor": None, "rate_hz": 50.0}


class Source(threading.Thread):
    """The decimated stream of one channel: fifty buckets a second, minima and maxima."""

    def __init__(self, sender: Sender) -> None:
        super().__init__()
        self.sender, self.encode = sender, Encoder(SCHEMA)
        self.stopped = threading.Event()

    def run(self) -> None:
        due = time.monotonic()
        while not self.stopped.wait(max(0.0, due - time.monotonic())):
            now, due = time.time_ns(), due + 0.02
            for n in (0, 1):
                self.sender.send(self.encode(time=now, **{f"x{k}": float(n + k) for k in range(SIGNALS)}))


def rss_kb(pid: int) -> int:
    """Resident memory of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def cpu_s(pid: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values: list[float], share: float) -> float:
    """A percentile; NaN of nothing."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def read(port: int, count: int, warm_s: float, seconds: float, out: Any) -> None:
    """A process of clients that read; their first seconds do not count."""
    os.sched_setaffinity(0, {OTHER_CORE})
    ask = {"type": "subscribe", "signals": NAMES, "window": 1, "columns": 50}
    clients = [LoadClient(("127.0.0.1", port), ask) for _ in range(count)]
    listen(clients, warm_s)
    out.put(None)
    delays, received = listen(clients, seconds)
    out.put(
        (len(delays), received, percentile(delays, 0.5), percentile(delays, 0.99), max(delays, default=0.0))
    )


@contextlib.contextmanager
def served() -> Iterator[tuple[LiveProcess, int]]:
    """A live server on its core, and a channel that sends."""
    with contextlib.closing(Registry()) as registry:
        group = ("239.255.50.1", free_port(socket.SOCK_DGRAM))
        registry.add("load", SCHEMA, group, decimation=DECIMATION)
        registry.services["pivot"] = None
        with (
            contextlib.closing(Sender(group)) as sender,
            running(registry, "--clients", "3000") as (process, port),
        ):
            os.sched_setaffinity(process.process.pid, {SERVER_CORE})
            source = Source(sender)
            source.start()
            try:
                yield process, port
            finally:
                source.stopped.set()
                source.join()


def fan_out(stalled: int) -> dict[str, float]:
    """One run: clients that read, and some that never do."""
    with served() as (process, port), contextlib.ExitStack() as stack:
        pid = process.process.pid
        ask = {"type": "subscribe", "signals": NAMES, "window": 1, "columns": 50}
        for _ in range(stalled):
            client = LoadClient(("127.0.0.1", port), ask)
            stack.callback(client.socket.close)
        out: multiprocessing.Queue[Any] = multiprocessing.Queue()
        reader = multiprocessing.Process(
            target=read, args=(port, CLIENTS, STALLING_S if stalled else WARM_S, SECONDS, out)
        )
        reader.start()
        out.get(timeout=120)
        before_kb, before_s, begun = rss_kb(pid), cpu_s(pid), time.monotonic()
        count, received, p50, p99, worst = out.get(timeout=60 + SECONDS)
        spent = time.monotonic() - begun
        busy, grown_kb = (cpu_s(pid) - before_s) / spent, rss_kb(pid) - before_kb
        reader.join()
    return {
        "frames/s": count / SECONDS,
        "bytes/frame": received / max(count, 1),
        "p50 ms": p50,
        "p99 ms": p99,
        "max ms": worst,
        "core %": 100 * busy,
        "RSS +MB": grown_kb / 1024,
    }


def through(rate: float) -> dict[str, float]:
    """From a packet at the relay to the frame at a client, of a channel that sends so many records a second."""
    with tempfile.TemporaryDirectory() as folder, contextlib.closing(Registry()) as registry:
        spec = make_spec(Path(folder))
        group = spec["multicast"]["decimated"]
        registry.add("test", NUMBERED, (group["address"], group["port"]), decimation=DECIMATION)
        registry.services["pivot"] = None
        with relaying(spec) as line, running(registry) as (_, port):
            stopped = threading.Event()

            def send() -> None:
                due, n = time.monotonic(), 0
                while not stopped.wait(max(0.0, due - time.monotonic())):
                    line.send(numbered(n, float(n)))
                    due, n = due + 1 / rate, n + 1

            source = threading.Thread(target=send)
            source.start()
            client = LoadClient(
                ("127.0.0.1", port), {"type": "subscribe", "signals": ["test.value"], "window": 1}
            )
            newest: list[float] = []
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                client.read([], newest)
            stopped.set()
            source.join()
            client.socket.close()
    return {
        "p50 ms": percentile(newest, 0.5),
        "p99 ms": percentile(newest, 0.99),
        "frames": float(len(newest)),
    }


def row(name: str, goal: str, runs: list[dict[str, float]]) -> None:
    """Print the medians of some runs."""
    seen = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    print(
        f"{name:<44}{goal:<22}" + "  ".join(f"{key} {value:.1f}" for key, value in seen.items()), flush=True
    )


def main() -> None:
    """Run all and print a table."""
    os.sched_setaffinity(0, {OTHER_CORE})
    print(f"medians of {RUNS} runs of {SECONDS:g} s; load before: {os.getloadavg()[0]:.1f}", flush=True)
    row(f"{CLIENTS} clients, 20 Hz", "p99 <= 50 ms", [fan_out(0) for _ in range(RUNS)])
    row(
        f"the same, and {STALLED} that read nothing", "p99 as before", [fan_out(STALLED) for _ in range(RUNS)]
    )
    row("relay to client, 1,000 records/s", "p99 <= 60 ms", [through(1000) for _ in range(RUNS)])
    row("relay to client, 10 records/s", "p99 <= 80 ms", [through(10) for _ in range(RUNS)])


if __name__ == "__main__":
    main()
