"""Hostile packets into running relays: none archived wrongly, all counted by reason, the relay lives.

100,000 into a relay as it is shipped; then ten million into relays under AddressSanitizer and UndefinedBehaviorSanitizer,
of twenty channels with a schema by chance each, plain and framed, with and without UDP_GRO: no findings, and no growth of
memory. HOSTILE_PACKETS=n makes it another number. Goes on where it was interrupted when PROOF_STATE names a file.
"""

import json
import os
import random
import re
import shutil
import socket
from collections import Counter
from pathlib import Path

import hostile_run
import pytest
import sanitized
from line import encode, make_spec, read_records, wait_until
from ports import free_port
from progress import Progress

from speeddata.errors import RecordError
from speeddata.plan import Plan
from speeddata.relay.client import KeeperClient
from speeddata.schema import Schema

PACKETS = int(os.environ.get("HOSTILE_PACKETS", "10_000_000"))
CHANNELS = 20
GROWTH_KIB = 1024
SCHEMA = {
    "type": "record",
    "name": "speeddata.proof.hostile",
    "fields": [
        {"name": "time", "type": "long"},
        {"name": "colour", "type": {"type": "enum", "name": "Colour", "symbols": ["red", "green"]}},
        {"name": "maybe", "type": ["null", "int", "string"]},
        {"name": "flag", "type": "boolean"},
        {"name": "text", "type": "string"},
        {"name": "blob", "type": "bytes"},
        {"name": "wave", "type": {"type": "array", "items": "float"}},
        {"name": "table", "type": {"type": "map", "values": "long"}},
    ],
}
RECORD = {
    "time": 1 << 55, "colour": "green", "maybe": 3, "flag": True, "text": "grüß dich", "blob": b"\x00\x01\x02",
    "wave": [1.0, 2.0, 3.0], "table": {"a": 1, "b": -(2**62)},
}  # fmt: skip


def hostile(seeded, good):
    """Random bytes, or good records mutated, cut or joined."""
    kind = seeded.randrange(5)
    if kind == 0:
        return seeded.randbytes(seeded.randrange(200))
    packet = bytearray(good * seeded.randint(1, 3))
    if kind == 1:
        return bytes(packet[: seeded.randrange(len(packet))])
    if kind == 2:
        return bytes(packet) + seeded.randbytes(seeded.randint(1, 20))
    for _ in range(seeded.randint(0, 4)):
        packet[seeded.randrange(len(packet))] = seeded.randrange(256)
    return bytes(packet)


@pytest.mark.parametrize("count", [100_000])
def test_hostile_packets(tmp_path, count):
    seeded = random.Random(2026)
    good = encode(SCHEMA, **RECORD)
    plan = Plan(Schema.parse(SCHEMA))
    spec = make_spec(tmp_path, SCHEMA, port=free_port())
    keeper = KeeperClient(tmp_path / "data")
    keeper.start_keeper()
    expected: dict[str, int] = {}
    memory: list[int] = []  # of the relay, after a quarter and at the end
    try:
        pid = keeper.start(spec)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for n in range(1, count + 1):
                packet = hostile(seeded, good)
                try:
                    expected["records"] = expected.get("records", 0) + plan.packet(packet)
                except RecordError as error:
                    expected[error.reason] = expected.get(error.reason, 0) + 1
                sender.sendto(packet, ("127.0.0.1", spec["port"]))
                if n % 500 == 0:
                    wait_until(lambda n=n: taken(keeper) == n, "the relay")
                if n in (count // 4, count):
                    memory.append(anonymous_kib(pid))
        stats = wait_until(lambda: (s := keeper.stats("test"))["archived"] == s["records"] and s)
        assert keeper.list()[0]["pid"] == pid, "the relay lives"
    finally:
        keeper.shutdown()
    assert stats["kernel_drops"] == 0
    assert memory[1] <= memory[0] + GROWTH_KIB, memory
    assert stats["records"] == expected.pop("records")
    assert {reason: n for reason, n in stats["rejected"].items() if n} == expected
    assert len(read_records(tmp_path / "archive" / "test")) == stats["archived"]
    print(json.dumps({"packets": count, "records": stats["records"], "rejected": expected}))


def anonymous_kib(pid):
    """Memory that a process has for itself."""
    return int(re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1])


def taken(keeper):
    stats = keeper.stats("test")
    return stats["packets"] + sum(stats["rejected"].values())


def test_hostile_packets_under_sanitizers(tmp_path):
    progress = Progress("hostile", tmp_path, channels=0, packets=0, records=0, rejected={}, memory_mib=[])
    sanitized.check_awake(tmp_path)
    while progress["channels"] < CHANNELS:
        number = progress["channels"]
        folder = tmp_path / str(number)
        run = hostile_run.run(folder, number, PACKETS // CHANNELS)
        shutil.rmtree(folder)
        progress.save(
            channels=number + 1,
            packets=progress["packets"] + run["packets"],
            records=progress["records"] + run["records"],
            rejected=dict(Counter(progress["rejected"]) + Counter(run["rejected"])),
            memory_mib=[*progress["memory_mib"], run["memory_mib"]],
        )
    assert progress["packets"] >= PACKETS // CHANNELS * CHANNELS
    progress.tell(findings=0)
