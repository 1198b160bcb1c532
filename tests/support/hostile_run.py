"""Hostile packets into a relay under sanitizers: a run on one channel, its books and its memory checked."""

import itertools
import random
import socket
import statistics
from collections import Counter
from pathlib import Path
from typing import Any

import fastavro
import hostile
from flood import accounted, taken
from line import make_spec, wait_until
from ports import free_port
from sanitized import SanitizedRelay, running

from speeddata.relay.sockets import UDP_SEGMENT

BURST = 100  # packets between two looks at the relay's socket
BURST_BYTES = 200_000
SAMPLES = 40  # of its memory, in a run
LEAST = 100_000  # packets after which memory tells anything
GROWTH_MIB = 4.0
READ = 50_000  # records that are read back by fastavro
ALGORITHMS = ("minmax", "average", "rms", "downsample")


def make_channel(folder: Path, number: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A channel of its own kind for each number: its spec, and the versions of its schema."""
    chance = random.Random(number)
    framed, joined = number % 2 == 1, number % 4 >= 2
    schemas = [hostile.channel_schema(chance, number + k) for k in range(3 if framed else 1)]
    decimation = {
        "algorithm": ALGORITHMS[number // 4 % 4],
        "factor": chance.choice((2, 7, 100)),
        "rate_hz": None,
    }
    spec = make_spec(
        folder, schemas[-1], versions=schemas[:-1], port=free_port(), gro=joined, decimation=decimation,
        framing="single_object" if framed else "plain", block_bytes=chance.choice((65536, 262144)),
        ring_bytes=4 << 20, rotation={"bytes": chance.choice((0, 1 << 20)), "seconds": 0},
        quarantine_bytes=chance.choice((0, 1 << 20)),
    )  # fmt: skip
    return spec, schemas


def run(folder: Path, number: int, count: int) -> dict[str, Any]:
    """Send `count` packets to a channel; figures. Fails on findings, books that do not balance, memory that grows."""
    spec, schemas = make_channel(folder, number)
    enemy = hostile.Enemy(number, schemas, framed=spec["framing"] == "single_object")
    expected: Counter[int | str] = Counter()
    memory: list[dict[str, float]] = []
    with running(spec, folder) as relay, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", spec["port"]))
        send = send_joined if spec["gro"] else send_each
        sent = 0
        while sent < count:
            packets = send(sender, enemy, min(BURST, count - sent))
            sent += len(packets)
            for verdict in map(enemy.verdict, packets):
                expected["records" if isinstance(verdict, int) else verdict] += (
                    verdict if isinstance(verdict, int) else 1
                )
            relay.give_room()
            if sent * SAMPLES // count > len(memory):
                memory.append(relay.memory_mib())
        wait_until(lambda: not relay.waiting(), "an empty socket", 60)
        stats = settled(relay)
        relay.stop()
        assert relay.findings() == []
    check(Path(spec["archive"]), stats, expected, sent)
    return {
        "packets": sent,
        "records": stats["records"],
        "rejected": {reason: n for reason, n in expected.items() if reason != "records"},
        "memory_mib": flat(memory, sent),
    }


def send_each(sender: socket.socket, enemy: hostile.Enemy, most: int) -> list[bytes]:
    """Send a burst, packet by packet; the packets."""
    sent, size = [], 0
    while len(sent) < most and size < BURST_BYTES:
        sent.append(enemy.packet())
        size += len(sent[-1])
        sender.send(sent[-1])
    return sent


def send_joined(sender: socket.socket, enemy: hostile.Enemy, most: int) -> list[bytes]:
    """Send packets in runs of one size, which the kernel may join (UDP_GRO); the packets."""
    size = max(1, len(enemy.chance.choice(enemy.now)) % 1400)
    packets = [enemy.packet_of(size) for _ in range(min(most, 64, hostile.MAX_PACKET // size))]
    if enemy.chance.random() < 0.3:
        packets[-1] = packets[-1][: enemy.chance.randint(1, size)]
    control = [(socket.IPPROTO_UDP, UDP_SEGMENT, size.to_bytes(2, "little"))]
    sender.sendmsg([b"".join(packets)], control)
    return packets


def settled(relay: SanitizedRelay) -> dict[str, Any]:
    """The books, when all that was received is written."""

    def done() -> dict[str, Any] | None:
        stats = relay.stats()
        return stats if accounted(stats) == stats["records"] else None

    stats: dict[str, Any] = wait_until(done, "the archive", 60)
    return stats


def check(folder: Path, stats: dict[str, Any], expected: Counter[int | str], sent: int) -> None:
    """Fail unless the relay judged each packet as it should, and its files hold what it says."""
    rejected = {reason: n for reason, n in stats["rejected"].items() if n}
    assert stats["kernel_drops"] == 0
    assert taken(stats) == sent
    assert stats["records"] == expected["records"]
    wanted = {reason: n for reason, n in expected.items() if reason != "records"}
    assert rejected == wanted, f"{rejected}, wanted {wanted}"
    held = 0
    left = READ
    for path in sorted(folder.glob("test_*.avro")):
        with path.open("rb") as file:
            held += sum(block.num_records for block in fastavro.block_reader(file))
        with path.open("rb") as file:
            left -= sum(1 for _ in itertools.islice(fastavro.reader(file), left))
    assert held == stats["archived"]


def flat(samples: list[dict[str, float]], sent: int) -> dict[str, float]:
    """Resident memory in the second quarter of a run and in the last; fails if it grew."""
    second, last = samples[len(samples) // 4 : len(samples) // 2], samples[-len(samples) // 4 :]
    found = {"second_quarter": statistics.mean(s["VmRSS"] for s in second),
             "last_quarter": statistics.mean(s["VmRSS"] for s in last)}  # fmt: skip
    if sent >= LEAST:
        assert found["last_quarter"] <= found["second_quarter"] + GROWTH_MIB, samples
    return {key: round(value, 1) for key, value in found.items()}
