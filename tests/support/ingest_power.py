"""Power loss under the shared relay: what is on its disk's image is recovered, as after a power failure, and looked at."""

import random
import threading
import time
from collections import Counter
from pathlib import Path

from ingest_kills import CHANNELS, Sender
from loop_disk import loop_disk, mounted
from power_loss import KEPT_S, copy_disk
from processes import stopped
from store_client import StoreProcess, numbers

SENDERS = 3
MEBIBYTES = 1024


def lose_power_often(folder: Path, images: int, seed: int) -> Counter[str]:
    """Lose power some times under clients whose batches are acknowledged when fsynced; gives figures, added up.

    On each image every batch that was acknowledged before is there, and each batch once and whole, or not at all.
    """
    folder.mkdir()
    chance, figures, stop = random.Random(seed), Counter[str](), threading.Event()
    with loop_disk(folder, MEBIBYTES, f"commit={KEPT_S}") as disk:
        place = folder / "place"
        point(place, disk)
        with StoreProcess(place / "data") as store:
            # Who connects while the place is on the image shall not come to the shared relay that recovers it.
            store.socket = disk / "data" / "run" / "ingest.sock"
            senders = [Sender(store, number, stop, ["block"]) for number in range(SENDERS)]
            try:
                for sender in senders:
                    sender.start()
                for _ in range(images):
                    time.sleep(chance.uniform(0.05, 0.5))  # when to strike, not what to wait for
                    figures.update(lose_power(store, senders, disk, place), images=1)
            finally:
                stop.set()
                for sender in senders:
                    sender.join(60)
            assert [sender.failure for sender in senders if sender.failure] == []
    return figures


def point(place: Path, disk: Path) -> None:
    """Have the place, whose path journals tell, be on a disk."""
    new = place.with_name("new")
    new.symlink_to(disk)
    new.replace(place)


def lose_power(store: StoreProcess, senders: list[Sender], disk: Path, place: Path) -> dict[str, int]:
    """Look at what a power failure would leave just now, while the shared relay is stopped; gives figures."""
    assert store.process is not None
    acknowledged = [sender.batches for sender in senders]
    with stopped(store.process.pid):
        copy_disk(disk, place.parent / "crash.img")
        begun = [list(sender.begun) for sender in senders]
        with mounted(place.parent / "crash.img", place.parent / "crash") as crash:
            point(place, crash)
            try:
                return check_image(place / "data", acknowledged, begun)
            finally:
                point(place, disk)


def check_image(
    data: Path, acknowledged: list[int], begun: list[list[list[tuple[str, int, int]]]]
) -> dict[str, int]:
    """Recover what power loss has left, as the next shared relay does, and see that batches are there, each once; gives figures."""
    with StoreProcess(data) as store:
        archive = store.archive
    there = {name: numbers(archive / name) for name in CHANNELS if (archive / name).is_dir()}
    sets = {name: set(found) for name, found in there.items()}
    assert {name: len(found) for name, found in there.items()} == {
        name: len(s) for name, s in sets.items()
    }, "once"
    kept = extra = 0
    for known, batches in zip(acknowledged, begun, strict=True):
        for number, parts in enumerate(batches):
            wanted = [(name, n) for name, first, count in parts for n in range(first, first + count)]
            found = [n in sets.get(name, ()) for name, n in wanted]
            assert all(found) or not any(found), f"a batch in part: {sum(found)} of {len(found)} records"
            assert found[0] or number >= known, "an acknowledged batch is gone"
            kept += found[0] and number < known
            extra += found[0] and number >= known
    return {"batches": kept, "unacknowledged": extra}
