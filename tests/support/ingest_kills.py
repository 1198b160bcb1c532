"""Clients that append batches until each is acknowledged, to a shared relay that is killed again and again."""

import contextlib
import random
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from store_client import StoreClient, StoreProcess, numbers, part, store_spec

MIXED = ("interval", "interval", "block")
CHANNELS = tuple(f"c{n}" for n in range(8))
SPAN = 1 << 20  # numbers that a client has


class Sender(threading.Thread):
    """One client: batches of one or more channels under keys of their own; what has no answer is sent again."""

    def __init__(
        self, store: StoreProcess, number: int, stop: threading.Event, durabilities: Sequence[str] = MIXED
    ) -> None:
        super().__init__(name=f"sender {number}", daemon=True)
        self.store = store
        self.number = number
        self.stopping = stop
        self.durabilities = durabilities
        self.random = random.Random(number)
        self.next = number * SPAN
        # Numbers of the batches that were acknowledged, by channel.
        self.acknowledged: dict[str, list[int]] = {name: [] for name in CHANNELS}
        self.begun: list[
            list[tuple[str, int, int]]
        ] = []  # parts of each batch: channel, first number, how many
        self.batches = self.repeated = 0  # of those that were begun so many are acknowledged
        self.failure = ""

    def run(self) -> None:
        try:
            while not self.stopping.is_set():
                self._batch()
        except Exception as error:
            self.failure = repr(error)

    def _batch(self) -> None:
        chosen = self.random.sample(CHANNELS, self.random.choice((1, 1, 2, 5)))
        if self.random.random() < 0.2:
            chosen.append(chosen[0])  # a channel twice
        parts = []
        for name in chosen:
            count = self.random.choice((1, 20, 20, 9000))
            parts.append((name, self.next, count))
            self.next += count
        options = {
            "key": f"{self.number}-{self.batches}",
            "durability": self.random.choice(self.durabilities),
        }
        body = [part(*one) for one in parts]
        self.begun.append(parts)
        while True:
            with contextlib.suppress(OSError), StoreClient(self.store.socket) as client:
                answer = client.append(body, **options)
                if answer.get("status") == 404:
                    specs = [store_spec(self.store.archive, name) for name in answer["unknown"]]
                    client.ask({"op": "open", "specs": specs})
                    continue
                assert answer["ok"], answer
                break
            time.sleep(0.005)
        self.repeated += answer["repeated"]
        self.batches += 1
        for name, first, count in parts:
            self.acknowledged[name] += range(first, first + count)


def kill_again_and_again(data: Path, kills: int, senders: int, longest_s: float) -> tuple[int, int]:
    """Kill a shared relay under load; gives batches and those that were answered as repeated.

    Every batch that was acknowledged is in the archive once, and nothing else is.
    """
    store, stop = StoreProcess(data), threading.Event()
    chance = random.Random(kills)
    store.start()
    threads = [Sender(store, number, stop) for number in range(senders)]
    try:
        for thread in threads:
            thread.start()
        for _ in range(kills):
            time.sleep(chance.uniform(0.0, longest_s))
            store.end(signal.SIGKILL)
            store.start()
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert [thread.failure for thread in threads if thread.failure] == []
    assert not any(thread.is_alive() for thread in threads)
    assert store.end() == 0
    for name in CHANNELS:
        wanted = sorted(n for thread in threads for n in thread.acknowledged[name])
        assert numbers(store.archive / name) == wanted, name
    return sum(thread.batches for thread in threads), sum(thread.repeated for thread in threads)
