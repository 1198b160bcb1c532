"""Relays and keepers that are killed: nothing lost, nothing twice, and the next keeper adopts the relays."""

import os
import random
import signal
import socket
import stat
import time
from pathlib import Path

import pytest
from line import numbered, read_records, wait_until
from processes import open_files
from sender import Sender
from system import alive


@pytest.mark.parametrize("joined", [False, True])
def test_kill_9_loses_nothing_and_doubles_nothing(keeper, spec, joined):
    """A short version of the kill proof: 15 kills at random moments."""
    seeded = random.Random(3)
    keeper.start(spec | {"gro": joined})
    assert keeper.stats("test")["gro"] == joined
    sender = Sender(spec["port"], joined=joined)
    sender.start()
    for _ in range(15):
        before = keeper.list()[0]["restarts"]
        time.sleep(seeded.uniform(0.001, 0.05))  # when to strike, not what to wait for
        os.kill(wait_until(lambda: keeper.list()[0]["pid"]), signal.SIGKILL)
        wait_until(lambda n=before: keeper.list()[0]["restarts"] > n and keeper.list()[0]["pid"])
    sent = sender.finish()
    stats = wait_until(lambda: (s := keeper.stats("test"))["archived"] == sent and s)
    assert stats["kernel_drops"] == sum(stats["rejected"].values()) == 0
    assert stats["sequence"] == {"gaps": 0, "duplicates": 0, "reordered": 0}
    assert (stats["packets"], stats["forwarded"]) == (sent, sent)
    keeper.stop("test")
    assert [r["n"] for r in read_records(keeper.data.parent / "archive" / "test")] == list(range(sent))


@pytest.mark.parametrize("joined", [False, True])
def test_killing_keepers_and_relays_in_turn_loses_nothing_and_doubles_nothing(keeper, spec, joined):
    seeded = random.Random(4)
    keeper.start(spec | {"gro": joined})
    sender = Sender(spec["port"], joined=joined)
    sender.start()
    for _ in range(8):
        pid = keeper.list()[0]["pid"]
        os.kill(keeper.ping()["pid"], signal.SIGKILL)
        before = recorded(spec)
        wait_until(lambda n=before: recorded(spec) > n, "data archived without a keeper")
        keeper.start_keeper()
        assert keeper.list()[0]["pid"] == pid, "adopted"
        assert keeper.start(spec | {"gro": joined}) == pid, "the spec is the same"
        time.sleep(seeded.uniform(0.001, 0.02))  # when to strike, not what to wait for
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda old=pid: keeper.list()[0]["pid"] not in (None, old))
    sent = sender.finish()
    stats = wait_until(lambda: (s := keeper.stats("test"))["archived"] == sent and s)
    assert stats["kernel_drops"] == sum(stats["rejected"].values()) == 0
    assert (stats["packets"], stats["gro"]) == (sent, joined)
    keeper.stop("test")
    assert [r["n"] for r in read_records(keeper.data.parent / "archive" / "test")] == list(range(sent))


def recorded(spec):
    """Bytes in the archive."""
    return sum(path.stat().st_size for path in Path(spec["archive"]).glob("test_*.avro"))


def test_a_relay_whose_mapping_is_of_another_version_is_replaced_and_loses_nothing(keeper, spec):
    """As after an upgrade. What comes while it ends waits in its socket."""
    old = keeper.start(spec)
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", spec["port"]))
        for n in range(100):
            sender.send(numbered(n))
        wait_until(lambda: keeper.stats("test")["records"] == 100)
        os.kill(keeper.ping()["pid"], signal.SIGKILL)
        (memory,) = (fd for fd, name in open_files(old).items() if name.startswith("/memfd:speeddata"))
        with memory.open("r+b") as file:
            file.seek(8)
            file.write((999).to_bytes(8, "little"))
        keeper.start_keeper()
        for n in range(100, 200):
            sender.send(numbered(n))
        wait_until(lambda: keeper.list()[0]["pid"] not in (None, old))
        wait_until(lambda: len(read_records(Path(spec["archive"]))) == 200)
    keeper.stop("test")
    assert [r["n"] for r in read_records(Path(spec["archive"]))] == list(range(200))


def test_what_dead_relays_left_is_taken_away_and_nonsense_is_refused(keeper, spec):
    run = keeper.data / "run"
    relay = keeper.start(spec)
    door = run / "relay-test.sock"
    wait_until(
        lambda: door.exists() and stat.S_IMODE(door.stat().st_mode) == 0o600, "a door for this user alone"
    )
    for line in (b"{}\n", b"\xff\n", b'{"op": "fly"}\n', b"[]\n"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(str(door))
            client.sendall(line)
            assert b'"ok": false' in client.recv(1000)
    os.kill(keeper.ping()["pid"], signal.SIGKILL)
    os.kill(relay, signal.SIGKILL)
    wait_until(lambda: not alive(relay))
    keeper.start_keeper()
    assert keeper.list() == []
    assert not door.exists()
    keeper.start(spec)
