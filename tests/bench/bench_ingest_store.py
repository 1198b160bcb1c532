"""What the shared relay takes by its socket: batches of 1,000 rows of 3 signals over 8 connections, and an import in parts of 8 MiB.

    .venv/bin/python tests/bench/bench_ingest_store.py

Figures are for one run on one machine, side by side: with and without keys, acknowledged when written and when on the disk.
"""

import json
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import numpy as np  # noqa: E402
from store_client import StoreClient, StoreProcess, store_spec  # noqa: E402

from speeddata.plan import Plan  # noqa: E402
from speeddata.rows import encode  # noqa: E402
from speeddata.schema import Schema  # noqa: E402

SCHEMA = {
    "type": "record",
    "name": "three",
    "fields": [
        {"name": "time", "type": {"type": "long", "logicalType": "timestamp-nanos"}},
        *({"name": name, "type": "double"} for name in "abc"),
    ],
}
PLAN = Plan(Schema.parse(SCHEMA))
FINGERPRINT = PLAN.schema.fingerprint.hex()
CONNECTIONS, ROWS, SECONDS = 8, 1000, 3.0
PART = 8 << 20


def records(count: int) -> bytes:
    time_ns = 1_700_000_000_000_000_000 + np.arange(count) * 1_000_000
    values = np.arange(count, dtype=np.float64)
    return encode(PLAN, {"time": time_ns, "a": values, "b": values, "c": values})


def request(channel: str, rows: int, data: bytes, **options: Any) -> bytes:
    part = {"channel": channel, "schema": FINGERPRINT, "bytes": len(data), "records": rows}
    head = json.dumps({"op": "append", "live": False, "parts": [part], **options}).encode()
    return struct.pack("<II", len(head), len(data)) + head + data


def rate(
    store: StoreProcess, rows: int, connections: int, keyed: bool, durability: str
) -> tuple[float, float, float]:
    """Batches a second over so many connections, bytes a second, and what of a core the store took for it."""
    data = records(rows)
    counts = [0] * connections
    deadline = time.perf_counter() + SECONDS

    def run(number: int) -> None:
        with StoreClient(store.socket) as client:
            client.ask({"op": "open", "spec": store_spec(store.archive, f"c{number}", schema=SCHEMA)})
            plain = request(f"c{number}", rows, data, durability=durability)
            while time.perf_counter() < deadline:
                key = f"{rows} {durability} {number} {counts[number]}"
                one = request(f"c{number}", rows, data, durability=durability, key=key) if keyed else plain
                client.socket.sendall(one)
                assert client.receive()["ok"]
                counts[number] += 1

    threads = [threading.Thread(target=run, args=(number,)) for number in range(connections)]
    begin, before = time.perf_counter(), processor_s(store)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - begin
    return sum(counts) / took, sum(counts) * len(data) / took, (processor_s(store) - before) / took


def processor_s(store: StoreProcess) -> float:
    assert store.process is not None
    fields = Path(f"/proc/{store.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    part_rows = PART // len(records(1))
    cases = [(ROWS, CONNECTIONS, keyed, how) for keyed in (False, True) for how in ("interval", "block")]
    cases += [(part_rows, 1, False, "interval"), (part_rows, 2, True, "interval")]
    with tempfile.TemporaryDirectory(prefix="bench-ingest-") as folder, StoreProcess(Path(folder)) as store:
        print(
            f"{'rows':>8} {'conns':>5} {'keys':>5} {'durability':>10} {'rows/s':>12} {'MB/s':>7} {'us/batch of store':>18}"
        )
        for rows, connections, keyed, durability in cases:
            batches, size, share = rate(store, rows, connections, keyed, durability)
            cost = share / batches * 1e6
            print(
                f"{rows:>8} {connections:>5} {keyed!s:>5} {durability:>10} {batches * rows:>12,.0f}"
                f" {size / 1e6:>7,.0f} {cost:>18,.0f}"
            )


if __name__ == "__main__":
    main()
