"""The archive kept in order while relays write it and readers read it, and on a disk that is full."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest
import segments as made
from house import HOUR, House, left, passed
from line import NUMBERED, chunks, numbered, read_records, wait_until
from ports import free_port

from speeddata.archive import Archive
from speeddata.pivot.export import Work, make_export
from speeddata.pivot.request import ExportRequest
from speeddata.registry.registration import Registration
from speeddata.registry.tags import Tag
from speeddata.relay.client import KeeperClient

Make = Callable[..., House]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    houses: list[House] = []

    def make(**settings: Any) -> House:
        houses.append(House(tmp_path, **{"retention__min_free_percent": 0} | settings))
        return houses[-1]

    yield make
    for house in houses:
        house.close()


class Meddling(threading.Event):
    """The event that would end an export; the third time it is asked for something happens."""

    def __init__(self, meddle: Callable[[], Any]) -> None:
        super().__init__()
        self.meddle = meddle
        self.asked = 0

    def is_set(self) -> bool:
        self.asked += 1
        if self.asked == 3:
            self.meddle()
        return False


def test_an_export_goes_on_while_its_segments_are_deleted(make: Make, tmp_path: Path) -> None:
    house = make(retention__max_segments=1)
    for number in range(6):
        house.segment("a", number, count=50)
    stop = Meddling(lambda: passed(house))
    request = ExportRequest(made.START, made.START + 10 * HOUR, ["a"], ["a.counter"])
    export = make_export(request, {"a": Archive(house.archive / "a")}, tmp_path, Work(stop=stop))
    with export.file as data, h5py.File(data) as file:
        assert list(file["a/counter"]) == [*range(50)] * 6
    assert len(left(house)) == 1
    assert (export.damages, stop.asked > 3) == (0, True)


@pytest.fixture
def running(keeper: KeeperClient, make: Make) -> House:
    return make(launcher=keeper, block_age_s=0.05, flush_interval_s=0.05)


def register(house: House, name: str = "test", **config: Any) -> int:
    port = free_port()
    house.registry.register(Registration(name, port, NUMBERED, config))
    return port


def send(port: int, numbers: range) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        for packet in chunks([numbered(n) for n in numbers], 50):
            source.sendto(packet, ("127.0.0.1", port))


@pytest.mark.alone
def test_under_a_relay_that_writes_limits_hold_and_the_open_segment_stays(running: House) -> None:
    rotation = {"bytes": 100_000, "seconds": 0}
    limits = {"max_segments": 4}
    port = register(running, rotation=rotation, block_bytes=65536, retention=limits, compression="zstandard")
    keeper = running.keeper(settled_s=0.3)
    keeper.start()
    sent = 0

    def enough() -> bool:
        nonlocal sent
        if keeper.sealer.paths:  # which would be deleted before it is sealed, so fast come others
            return False
        send(port, range(sent, sent + 1000))
        sent += 1000
        wait_until(lambda: running.relays.stats("test")["archived"] == sent, "the archive")
        return keeper.deleted["segments"] >= 5 and keeper.queue.counts["compressed"] >= 3

    wait_until(enough, "deletions and compressions")
    wait_until(lambda: len(left(running, "test")) <= 4, "the limit")
    stats = running.relays.stats("test")
    assert (running.archive / "test" / stats["segment"]).exists()
    assert stats["segments_in_use"] == [stats["segment"]]
    keeper.stop()
    assert sum(stats["not_archived"].values()) == 0
    numbers = [record["n"] for record in read_records(running.archive / "test")]
    assert numbers == list(range(sent - len(numbers), sent)), "what is left is the newest, without a gap"


def test_a_tag_keeps_what_a_relay_wrote(running: House) -> None:
    rotation = {"bytes": 0, "seconds": 1}
    port = register(running, rotation=rotation, retention={"max_segments": 1})
    send(port, range(100))
    wait_until(lambda: running.relays.stats("test")["archived"] == 100, "the archive")
    running.registry.tags.add(Tag("last minute", time.time_ns() - 60 * 10**9, time.time_ns()))
    keeper = running.keeper(settled_s=0.1)
    keeper.start()
    wait_until(lambda: running.relays.stats("test")["segment"] is None, "the seal")
    time_after = time.time_ns() + 3600 * 10**9
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        source.sendto(numbered(100, 0.0, time_after), ("127.0.0.1", port))
        wait_until(lambda: running.relays.stats("test")["segments"] == 2, "the second segment")
        wait_until(lambda: running.relays.stats("test")["segment"] is None, "its seal")
        source.sendto(numbered(101, 0.0, time_after), ("127.0.0.1", port))
    wait_until(lambda: keeper.deleted["segments"] == 1, "the deletion of the second")
    wait_until(lambda: running.relays.stats("test")["archived"] == 102, "the third")
    keeper.stop()
    numbers = [record["n"] for record in read_records(running.archive / "test")]
    assert numbers in ([*range(100), 101], list(range(100)))


ON_A_SMALL_DISK = """
import atexit, json, socket, sys
from pathlib import Path
from house import House
from line import numbered, wait_until
from speeddata.relay.client import KeeperClient
from test_archive_in_order import register

folder = Path(sys.argv[1])
client = KeeperClient(folder / "data")
client.start_keeper()
atexit.register(client.shutdown)
house = House(folder, client, block_age_s=0.05, retention__min_free_percent=25)
port = register(house, rotation={"bytes": 200_000, "seconds": 0}, block_bytes=65536)
stats, sent = lambda: client.stats("test"), 0
packet, source = b"".join(numbered(n) for n in range(50)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

def send(packets):
    global sent
    for _ in range(packets):
        source.sendto(packet, ("127.0.0.1", port))
        sent += 50
    wait_until(lambda: stats()["records"] == sent)

while not stats()["disk_error"]:
    send(40)
full = stats()
keeper = house.keeper(settled_s=0.1)
keeper.start()
wait_until(lambda: keeper.deleted["segments"], "deletions")
wait_until(lambda: keeper.to_json()["free_percent"] >= 25, "room")
send(20)

def balanced():
    books = stats()
    accounted = books["archived"] + books["ring_full"] + sum(books["not_archived"].values())
    return books["records"] == accounted == sent and books["disk_error"] is None

wait_until(balanced, "recovery")
keeper.stop()
archived, left = stats()["archived"], len(list((house.archive / "test").glob("test_*.avro")))
state = client.list()[0]["state"]
house.close()
print(json.dumps({"error": full["disk_error"], "archived": archived, "state": state, "left": left,
                  "deleted": keeper.deleted["segments"]}))
"""


def test_on_a_full_disk_the_oldest_give_way_and_the_relay_goes_on(tmp_path: Path) -> None:
    if subprocess.run(["unshare", "-rm", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no mount namespaces here")
    set_up = 'mount -t tmpfs -o size=3m none "$0/data/archive" && exec "$@"'
    (tmp_path / "data" / "archive").mkdir(parents=True)
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parent / "support")])
    command = [
        "unshare",
        "-rm",
        "sh",
        "-c",
        set_up,
        str(tmp_path),
        sys.executable,
        "-c",
        ON_A_SMALL_DISK,
        str(tmp_path),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["error"], found["state"]) == ("No space left on device", "active")
    assert found["deleted"] > 0
    assert found["left"] > 1, "not everything went"
    assert found["archived"] > 0
