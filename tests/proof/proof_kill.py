"""`kill -9` of relays under load, a thousand times, and of their keeper every twentieth: nothing lost, nothing twice, all readable.

The load is SHARE of what the relay takes flat out, measured at the begin; packets are sent in runs, which the kernel cuts for a
relay without UDP_GRO. How long nobody receives after a kill is measured, too. KILLS=n makes it another number of kills,
KILL_SHARE=n another share. A proof that was interrupted goes on from its last round when PROOF_STATE names a file.
"""

import contextlib
import multiprocessing
import os
import random
import shutil
import signal
import socket
import statistics
import time
from pathlib import Path

import fastavro
import numpy as np
import pytest
from line import NUMBERED, make_spec, wait_until
from next_relay import Watch
from ports import free_port
from progress import Progress

from speeddata.archive import Archive
from speeddata.plan import Plan
from speeddata.relay.client import KeeperClient
from speeddata.relay.sockets import UDP_SEGMENT
from speeddata.rows import encode
from speeddata.schema import Schema

KILLS = int(os.environ.get("KILLS", "1000"))
SHARE = float(os.environ.get("KILL_SHARE", "0.4"))
ROUND = 100  # kills of one channel
KEEPER_EVERY = 20  # kills
GAP_MS = 20.0  # until a successor receives
FIRST = 1 << 27  # from here on numbers take five bytes, and all packets one size
RUN, RUNS = 64, 64  # packets in one call, and runs that are made at once
AHEAD_S = 0.001  # that the sender may be before it rests
WARM_S, MEASURE_S = 0.5, 2.0
SCHEMA = Schema.parse(NUMBERED)
CONTEXT = multiprocessing.get_context("fork")


def send(port, rate, sent, stop):
    """Numbered packets at a rate, 0: as fast as it goes, until told to stop; `sent` tells how many."""
    plan = Plan(SCHEMA)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        start = time.perf_counter()
        while not stop.is_set():
            numbers = np.arange(FIRST + sent.value, FIRST + sent.value + RUN * RUNS)
            columns = {"time": 1_790_000_000_000_000_000 + numbers, "n": numbers, "value": numbers * 0.5}
            data = encode(plan, columns)
            size = len(data) // (RUN * RUNS)
            sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
            for at in range(0, len(data), RUN * size):
                if stop.is_set():
                    break
                ahead = start + sent.value / rate - time.perf_counter() if rate else 0.0
                if ahead > AHEAD_S:
                    time.sleep(ahead)
                sender.send(data[at : at + RUN * size])
                sent.value += RUN


@contextlib.contextmanager
def loaded(folder, joined, rate):
    """A channel under load: its keeper, its spec, and a function that ends the load and gives how much was sent."""
    sent, stop = CONTEXT.Value("q", 0), CONTEXT.Event()
    spec = make_spec(folder, port=free_port()) | {"gro": joined}
    keeper = KeeperClient(folder / "data")
    keeper.start_keeper()
    sender = CONTEXT.Process(target=send, args=(spec["port"], rate, sent, stop))

    def finish():
        stop.set()
        sender.join(60)
        return sent.value

    try:
        keeper.start(spec)
        sender.start()
        yield keeper, spec, finish
    finally:
        stop.set()
        sender.kill()
        keeper.shutdown()
        shutil.rmtree(spec["archive"], ignore_errors=True)


def capacity(folder, joined):
    """Packets that a relay takes in a second when more come."""
    with loaded(folder, joined, 0) as (keeper, _, finish):
        time.sleep(WARM_S)  # an interval that is measured begins and ends
        before, begin = keeper.stats("test")["packets"], time.perf_counter()
        time.sleep(MEASURE_S)
        rate = (keeper.stats("test")["packets"] - before) / (time.perf_counter() - begin)
        finish()
    return rate


def kill_once(keeper, watch, seeded, number):
    """Kill the relay at a random moment, now and then the keeper just before; milliseconds until the next one receives."""
    time.sleep(seeded.uniform(0, 0.1))  # when to strike, not what to wait for
    pid = wait_until(lambda: keeper.list("test")[0]["pid"])
    if number % KEEPER_EVERY == 0:
        os.kill(keeper.ping()["pid"], signal.SIGKILL)
        wait_until(lambda: keeper.ping() is None)
        keeper.start_keeper()
        wait_until(lambda: keeper.list("test"), "adoption")
    gap = watch.kill(pid)
    wait_until(lambda: keeper.list("test")[0]["pid"] not in (None, pid))
    return gap


def settled(keeper):
    """The books when all that was received is written."""
    wait_until(lambda: (s := keeper.stats("test"))["archived"] == s["records"], "the archive", 60)
    return keeper.stats("test")


def one_round(folder, seed, joined, rate):
    """Records, seconds and gaps of a round; fails unless each record is archived once, in order, in readable files."""
    seeded = random.Random(seed)
    with loaded(folder, joined, rate) as (keeper, spec, finish):
        begin = time.perf_counter()
        watch = Watch(wait_until(lambda: keeper.list("test")[0]["pid"]), joined=joined)
        gaps = [kill_once(keeper, watch, seeded, number) for number in range(1, ROUND + 1)]
        watch.close()
        count = finish()
        seconds = time.perf_counter() - begin
        stats = settled(keeper)
        keeper.stop("test")
        rejected = sum(stats["rejected"].values())
        told = (stats["records"], stats["kernel_drops"], rejected)
        assert told == (count, 0, 0), f"gaps of {sorted(gaps)[-5:]} ms: {stats}"
        check_archive(Path(spec["archive"]), count)
    return count, seconds, gaps


def check_archive(folder, count):
    """Fail unless each number is there once, in order, in files that fastavro reads, too."""
    after = FIRST
    with Archive(folder).open() as reader:
        for table in reader.batches(["n"]):
            numbers = table.columns["n"]
            np.testing.assert_array_equal(numbers, np.arange(after, after + len(numbers)))
            after += len(numbers)
        assert reader.damages == []
    assert after == FIRST + count
    assert sum(map(readable, folder.glob("test_*.avro"))) == count


def readable(path):
    """Records in a segment, by fastavro, which raises when it cannot read it."""
    with path.open("rb") as file:
        return sum(block.num_records for block in fastavro.block_reader(file))


@pytest.mark.parametrize("joined", [False, True], ids=["plain", "gro"])
def test_a_thousand_kills(tmp_path, joined):
    part = "kill gro" if joined else "kill plain"
    progress = Progress(part, tmp_path, kills=0, records=0, seconds=0, rate=0, gaps=[])
    if not progress["rate"]:
        progress.save(rate=round(SHARE * capacity(tmp_path / "capacity", joined)))
    while (kills := progress["kills"]) < KILLS:
        records, seconds, gaps = one_round(tmp_path / str(kills), kills // ROUND, joined, progress["rate"])
        progress.save(
            kills=kills + ROUND,
            records=progress["records"] + records,
            seconds=progress["seconds"] + seconds,
            gaps=progress["gaps"] + gaps,
        )
    gaps = sorted(progress.pop("gaps"))
    figures = {"median": statistics.median(gaps), "p99": gaps[len(gaps) * 99 // 100], "most": gaps[-1]}
    told = {
        "seconds": round(progress["seconds"]),
        "packets_per_s": round(progress["records"] / progress["seconds"]),
        "gap_ms": {key: round(value, 1) for key, value in figures.items()},
    }
    progress.tell(lost=0, twice=0, **told)
    assert figures["median"] <= GAP_MS, "the next relay receives too late"
