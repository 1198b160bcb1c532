"""How many rows a second ingest over HTTP takes, end to end: `python -P tests/bench/bench_ingest.py`.

A client process with pre-built requests on keep-alive connections, the history service, and the shared relay, all on this
machine; each batch is answered when it is written. The request for /api/v1/health tells what an answer costs by itself.
"""

import argparse
import json
import multiprocessing
import os
import re
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

import ingest_world

from speeddata.plan import Plan
from speeddata.rows import encode
from speeddata.schema import Schema

SCHEMA = {
    "type": "record",
    "name": "bench",
    "fields": [
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
        *({"name": name, "type": "double"} for name in ("x", "y", "z")),
    ],
}
GOALS = {"JSON rows": 150_000, "JSON columns": 150_000, "Avro": 1_000_000, "Arrow": 1_000_000}


def bodies(rows: int) -> dict[str, tuple[str, bytes]]:
    """One batch in each format."""
    start = time.time_ns()
    columns = {
        "time": start + 1_000_000 * np.arange(rows),
        "x": np.sin(np.arange(rows)),
        "y": np.arange(rows) * 0.25,
        "z": np.random.default_rng(1).normal(size=rows),
    }
    listed = {name: column.tolist() for name, column in columns.items()}
    objects = [dict(zip(listed, row, strict=True)) for row in zip(*listed.values(), strict=True)]
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return {
        "JSON rows": ("application/json", json.dumps({"channel": "bench", "rows": objects}).encode()),
        "JSON columns": ("application/json", json.dumps({"channel": "bench", "columns": listed}).encode()),
        "Avro": ("avro/binary", encode(Plan(Schema.parse(SCHEMA)), columns)),
        "Arrow": ("application/vnd.apache.arrow.stream", sink.getvalue().to_pybytes()),
    }


def request(content_type: str, body: bytes, more: str) -> bytes:
    path = f"/api/v1/ingest?channel=bench{more}"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def drive(
    port: int, message: bytes, connections: int, seconds: float, out: "multiprocessing.Queue[float]"
) -> None:
    """Send the same request over and over on each connection; put the answers a second."""
    selector = selectors.DefaultSelector()
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(message)
        selector.register(sock, selectors.EVENT_READ)
    done, began = 0, time.monotonic()
    while (now := time.monotonic()) < began + seconds:
        for key, _ in selector.select(1):
            sock = key.fileobj
            answer = sock.recv(65536)
            while not answer.endswith(b"}"):  # head and body may come one after the other
                answer += sock.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200"), answer[:500]
            done += 1
            sock.sendall(message)
    out.put(done / (now - began))


def measure(port: int, message: bytes, connections: int, seconds: float) -> float:
    """Answers a second that a client in a process of its own gets."""
    out: multiprocessing.Queue[float] = multiprocessing.Queue()
    client = multiprocessing.Process(target=drive, args=(port, message, connections, seconds, out))
    client.start()
    client.join(seconds + 60)
    if client.exitcode:
        raise SystemExit("the client failed")
    return out.get(timeout=1)


def start(module: str, *options: str, pattern: str) -> tuple["subprocess.Popen[str]", str]:
    """Start a process; wait for the line of its log that `pattern` is in, and give what it matched."""
    command = [sys.executable, "-P", "-m", module, *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(pattern, line):
            threading.Thread(target=sys.stderr.writelines, args=[process.stderr], daemon=True).start()
            return process, found[0]
    raise SystemExit(f"{module} did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--durability", choices=("interval", "block"), default="interval")
    parser.add_argument("--only")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as data, ingest_world.registry() as registry:
        folder = Path(data)
        archive = folder / "archive" / "bench"
        archive.mkdir(parents=True)
        registry.add("bench", SCHEMA, archive=str(archive), multicast=None, live=False)
        store, _ = start("speeddata.relay.ingest", "--data", data, pattern="appending")
        options = ("--archive", str(archive.parent), "--registry", registry.url, "--port", "0")
        service, address = start("speeddata.pivot", *options, pattern=r"http://\S+")
        try:
            run(int(address.rpartition(":")[2]), given, service.pid, store.pid)
        finally:
            for process in (service, store):
                process.terminate()
                process.wait(30)


def cpu_us(pid: int) -> float:
    """Processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") * 1e6


def run(port: int, given: argparse.Namespace, *pids: int) -> None:
    print(f"batches of {given.rows} rows, {given.connections} connections, durability {given.durability};")
    print("processor time per batch: history service, shared relay")
    health = b"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    report("health", measure(port, health, given.connections, given.seconds / 2), "answers/s")
    for name, (content_type, body) in bodies(given.rows).items():
        if given.only not in (None, name):
            continue
        message = request(content_type, body, f"&durability={given.durability}")
        before = [cpu_us(pid) for pid in pids]
        rate = measure(port, message, given.connections, given.seconds)
        used = [(cpu_us(pid) - was) / (rate * given.seconds) for pid, was in zip(pids, before, strict=True)]
        rows = rate * given.rows
        goal = f"{rows / GOALS[name]:5.2f} x goal" if given.rows == 1000 else ""
        told = f"{used[0]:6,.0f} us {used[1]:6,.0f} us {len(body) / 1000:6.1f} kB {rows:12,.0f} rows/s {goal}"
        report(name, rate, f"batches/s {told}")


def report(name: str, rate: float, more: str) -> None:
    print(f"{name:14}{rate:8,.0f} {more}", flush=True)


if __name__ == "__main__":
    main()
