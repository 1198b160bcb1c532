"""`kill -9` of relays under load, a thousand times, and of their keeper every twentieth: nothing lost, nothing twice, all readable.

KILLS=n makes it another number. A proof that was interrupted goes on from its last round when PROOF_STATE names a file.
"""

import multiprocessing
import os
import random
import signal
import socket
import time
from pathlib import Path

import fastavro
import numpy as np
import pytest
from line import NUMBERED, free_port, make_spec, wait_until
from progress import Progress

from speeddata.archive import Archive
from speeddata.plan import Plan
from speeddata.relay.client import KeeperClient
from speeddata.relay.sockets import UDP_SEGMENT
from speeddata.rows import encode
from speeddata.schema import Schema

KILLS = int(os.environ.get("KILLS", "1000"))
ROUND = 100  # kills of one channel
KEEPER_EVERY = 20  # kills
FIRST = 1 << 27  # from here on numbers take five bytes, and all packets one size
BURST = 40
RATE = 50_000
SCHEMA = Schema.parse(NUMBERED)


def bursts(first):
    """Records of a burst, joined, and the size of one."""
    numbers = np.arange(first, first + BURST)
    columns = {"time": 1_790_000_000_000_000_000 + numbers, "n": numbers, "value": numbers * 0.5}
    data = encode(Plan(SCHEMA), columns)
    return data, len(data) // BURST


def send(port, joined, rate, sent, stop):
    """Numbered packets at a rate until told to stop; `sent` tells how many."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))
        start = time.perf_counter()
        while not stop.is_set():
            data, size = bursts(FIRST + sent.value)
            if joined:
                sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, size)
                sender.send(data)
            else:
                for at in range(0, len(data), size):
                    sender.send(data[at : at + size])
            sent.value += BURST
            time.sleep(max(0.0, start + sent.value / rate - time.perf_counter()))


def kill_once(keeper, seeded, number):
    """Kill the relay at a random moment, now and then the keeper just before; wait for the next relay."""
    time.sleep(seeded.uniform(0, 0.1))  # when to strike, not what to wait for
    pid = wait_until(lambda: keeper.list("test")[0]["pid"])
    if number % KEEPER_EVERY == 0:
        os.kill(keeper.ping()["pid"], signal.SIGKILL)
        wait_until(lambda: keeper.ping() is None)
        keeper.start_keeper()
        wait_until(lambda: keeper.list("test"), "adoption")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: keeper.list("test")[0]["pid"] not in (None, pid))


def settled(keeper):
    """The books when all that was received is written."""
    wait_until(lambda: (s := keeper.stats("test"))["archived"] == s["records"], "the archive", 60)
    return keeper.stats("test")


def one_round(folder, seed, joined):
    """The number of records of a round; fails unless each is archived once, in order, in readable files."""
    seeded = random.Random(seed)
    context = multiprocessing.get_context("fork")
    sent, stop = context.Value("q", 0), context.Event()
    spec = make_spec(folder, port=free_port()) | {"gro": joined}
    keeper = KeeperClient(folder / "data")
    keeper.start_keeper()
    sender = context.Process(target=send, args=(spec["port"], joined, RATE, sent, stop))
    try:
        keeper.start(spec)
        sender.start()
        for number in range(1, ROUND + 1):
            kill_once(keeper, seeded, number)
        stop.set()
        sender.join(60)
        count = sent.value
        stats = settled(keeper)
        keeper.stop("test")
    finally:
        stop.set()
        sender.kill()
        keeper.shutdown()
    assert (stats["records"], stats["kernel_drops"], sum(stats["rejected"].values())) == (count, 0, 0), stats
    archive = Path(spec["archive"])
    with Archive(archive).open() as reader:
        np.testing.assert_array_equal(reader.read(["n"]).columns["n"], np.arange(FIRST, FIRST + count))
    assert sum(map(readable, archive.glob("test_*.avro"))) == count
    return count


def readable(path):
    """Records in a segment, by fastavro, which raises when it cannot read it."""
    with path.open("rb") as file:
        return sum(block.num_records for block in fastavro.block_reader(file))


@pytest.mark.parametrize("joined", [False, True], ids=["plain", "gro"])
def test_a_thousand_kills(tmp_path, joined):
    progress = Progress("kill gro" if joined else "kill plain", tmp_path, kills=0, records=0)
    while (kills := progress["kills"]) < KILLS:
        records = one_round(tmp_path / str(kills), kills // ROUND, joined)
        progress.save(kills=kills + ROUND, records=progress["records"] + records)
    progress.tell(lost=0, twice=0)
