"""Power loss by disk image: a copy of the disk at a moment when its writer is stopped is what a power failure leaves.

What was not synced is in the kernel's memory, not in the copy. Mounting the copy replays its journal, as a start after a
power failure does.
"""

import os
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from ledger import BEGAN_NS, FIRST, PLAN, check_index, read_numbers, segments
from loop_disk import loop_disk, mounted, run
from numbered_channel import NumberedChannel
from processes import stopped

from speeddata.columns import decode
from speeddata.errors import ArchiveError
from speeddata.relay.repair import repair
from speeddata.segment import Segment

BURST = 20
PAUSE_S = 0.004  # between bursts
KEPT_S = 300  # by the file system, unless it is told to sync: longer than all takes
SETTINGS = {"block_age_s": 0.02, "flush_interval_s": 0.1, "rotation": {"bytes": 8000, "seconds": 0}}


class Feeder(threading.Thread):
    """Sends records to a channel at a steady rate until it is told to stop."""

    def __init__(self, channel):
        super().__init__()
        self.channel = channel
        self.ended = threading.Event()

    def __enter__(self):
        self.start()

    def __exit__(self, *_):
        self.ended.set()
        self.join()

    def run(self):
        while not self.ended.wait(PAUSE_S):
            self.channel.send(BURST)


def lose_power_often(keeper, folder, images, durability, seed):
    """Lose power some times under one channel, and look at each disk; gives figures, added up."""
    folder.mkdir()
    seeded, figures = random.Random(seed), Counter()
    with loop_disk(folder, options=f"commit={KEPT_S}") as disk:
        with NumberedChannel(keeper, disk, **SETTINGS, durability=durability) as channel, Feeder(channel):
            for _ in range(images):
                time.sleep(seeded.uniform(0.02, 0.4))  # when to strike, not what to wait for
                durable = lose_power(channel, disk, folder / "crash.img")
                with mounted(folder / "crash.img", folder / "crash") as crash:
                    found = check_image(crash / "archive" / "test", durable, channel.sent)
                figures.update(found, images=1)
    return figures


def lose_power(channel, disk, crash):
    """Leave the disk as a power failure leaves it in the file `crash`; gives the watermark just before."""
    durable = channel.stats["durable"]
    with stopped(channel.state["pid"], channel.keeper.ping()["pid"]):
        copy_disk(disk, crash)
    return durable


def copy_disk(disk, crash):
    """Copy a disk whose writers are stopped."""
    number = disk.stat().st_dev
    writes = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/stat")
    before = None
    while before != writes.read_text():  # once more when something was written meanwhile
        before = writes.read_text()
        run("cp", "--sparse=always", disk.parent / "disk.img", crash)


def read_good(folder):
    """Numbers of what reads as good, in the order of the archive; each is of a record that was sent, and whole."""
    numbers = []
    for path in segments(folder):
        with suppress(ArchiveError), Segment(path) as segment:
            for piece in segment.read(segment.entries, []):
                found = decode(PLAN, piece.data, piece.count)
                n = found["n"] - FIRST
                assert (found["time"] == BEGAN_NS + n * 1000).all(), path.name
                assert (found["value"] == n * 0.5).all(), path.name
                numbers += n.tolist()
    return numbers


def check_image(folder, durable, sent):
    """What is below the watermark is there, once and in order, before and after a repair; gives figures."""
    before = read_good(folder)
    check_numbers(before, durable, sent)
    done, failed = repair(folder, "test")
    assert failed == []
    after = read_good(folder)
    check_numbers(after, durable, sent)
    assert set(after) >= set(before), "a repair loses nothing that could be read"
    empty = {path for path in segments(folder) if path.stat().st_size == 0}
    assert after == read_numbers(set(segments(folder)) - empty), "any Avro reader reads it"
    for path in segments(folder):
        check_index(path)
    return {"records": len(after), "durable": durable, "repaired": len(done), "empty": len(empty)}


def check_numbers(numbers, durable, sent):
    assert numbers[:durable] == list(range(durable)), f"{durable} records were durable"
    assert all(a < b for a, b in zip(numbers, numbers[1:], strict=False)), "once, in order"
    assert not numbers or numbers[-1] < sent
