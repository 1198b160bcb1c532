"""A million numbered records at 50,000 a second: all archived, 1 in N decimated, every packet heard byte for byte."""

import hashlib
import json
import multiprocessing
import os
import socket
import time

import numpy as np
import pytest
from line import make_spec, running, subscribe, wait_until

from speeddata.archive import Archive
from speeddata.plan import Plan
from speeddata.rows import encode
from speeddata.schema import Schema

FACTOR = 100
SCHEMA = {
    "type": "record",
    "name": "speeddata.proof.numbered",
    "fields": [
        {"name": "time", "type": "long", "logicalType": "timestamp-nanos"},
        {"name": "n", "type": "long", "speeddata": {"role": "sequence"}},
        *({"name": f"v{k}", "type": "double"} for k in range(10)),
    ],
}
FIRST = 1 << 27  # from here on numbers take five bytes


def packets(count):
    """Records of one size, joined, and that size."""
    numbers = np.arange(FIRST, FIRST + count)
    times = 1_790_000_000_000_000_000 + numbers * 20_000
    columns = {"time": times, "n": numbers} | {f"v{k}": numbers * 0.5 + k for k in range(10)}
    data = encode(Plan(Schema.parse(SCHEMA)), columns)
    assert len(data) % count == 0
    return data, len(data) // count


def send(where, data, size, rate):
    """Send each record as a packet, at a rate, without bursts to catch up; `where` tells the address."""
    address = where.get()
    view = memoryview(data)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(address)
        burst = max(1, rate // 2000)
        due = time.perf_counter()
        for at in range(0, len(data), size * burst):
            for one in range(at, min(at + size * burst, len(data)), size):
                sender.send(view[one : one + size])
            due = max(due + burst / rate, time.perf_counter() - 0.002)
            while time.perf_counter() < due:
                pass


def hear(group, count, ready, out):
    """Hash `count` packets of a group."""
    total = hashlib.sha256()
    with subscribe(**group) as subscriber:
        ready.set()
        for _ in range(count):
            total.update(subscriber.recv(65536))
    out.put(total.hexdigest())


@pytest.mark.parametrize(("count", "rate"), [(1_000_000, 50_000)])
def test_a_million_numbered_records(tmp_path, count, rate):
    decimation = {"algorithm": "downsample", "factor": FACTOR, "rate_hz": None}
    spec = make_spec(tmp_path, SCHEMA, decimation=decimation, block_age_s=1.0, flush_interval_s=1.0)
    data, size = packets(count)
    context = multiprocessing.get_context("fork")  # before there are threads
    out, where = context.SimpleQueue(), context.SimpleQueue()
    sender = context.Process(target=send, args=(where, data, size, rate))
    sender.start()
    hearers = []
    for stream, expected in (("full_rate", count), ("decimated", count // FACTOR)):
        ready = context.Event()
        hearers.append(context.Process(target=hear, args=(spec["multicast"][stream], expected, ready, out)))
        hearers[-1].start()
        assert ready.wait(30)
    with running(spec) as line:
        start = time.monotonic()
        where.put(line.sockets.input.getsockname())
        sender.join(600)
        seconds = time.monotonic() - start
        stats = wait_until(lambda: (s := line.stats)["archived"] == s["records"] and s, "the archive", 30)
        line.stop()
        heard = {out.get() for _ in hearers}
    every = b"".join(data[k * size : (k + 1) * size] for k in range(FACTOR - 1, count, FACTOR))
    assert heard == {hashlib.sha256(data).hexdigest(), hashlib.sha256(every).hexdigest()}
    assert (stats["packets"], stats["archived"], stats["ring_full"]) == (count, count, 0)
    assert stats["sequence"] == {"gaps": 0, "duplicates": 0, "reordered": 0}
    with Archive(line.folder).open() as reader:
        np.testing.assert_array_equal(reader.read(["n"]).columns["n"], np.arange(FIRST, FIRST + count))
    print(json.dumps({"records": count, "seconds": round(seconds, 1), "cores": os.cpu_count()}))
