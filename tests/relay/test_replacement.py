"""Channels that go over to other specs while packets come, and relays that do not go on: faults 30 and 65."""

import contextlib
import os
import resource
import signal
import socket
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from line import NUMBERED, read_records, wait_until
from ports import free_port
from processes import open_files, stopped
from sender import Sender

from speeddata.errors import RelayError
from speeddata.relay.charge import SILENT_S, STUCK_S
from speeddata.relay.keeper import HANG_S, Keeper


def limited(*bounds):
    fields = [field | ({"speeddata": {"limits": {"warn": list(bounds)}}} if field["name"] == "value" else {})
              for field in NUMBERED["fields"]]  # fmt: skip
    return {**NUMBERED, "fields": fields}


def archived(keeper):
    return [record["n"] for record in read_records(keeper.data.parent / "archive" / "test")]


@pytest.mark.parametrize(
    "change",
    [
        {"ring_bytes": 4 << 20, "block_bytes": 65536, "receive_buffer_bytes": 1 << 20, "gro": True},
        {"rotation": {"bytes": 0, "seconds": 5}, "durability": "none", "sources": ["127.0.0.0/8"]},
    ],
    ids=["another mapping", "the same mapping"],
)
def test_what_a_relay_cannot_take_over_while_it_runs_loses_nothing(keeper, spec, change):
    pid = keeper.start(spec)
    sender = Sender(spec["port"], 0.002)
    sender.start()
    try:
        wait_until(lambda: keeper.stats("test")["records"] > 1000)
        after = keeper.replace("test", spec | change)
        assert after not in (None, pid)
        ring = keeper.stats("test")["ring"]["blocks"]
        wait_until(lambda: keeper.stats("test")["records"] > 1000)
    finally:
        sent = sender.finish()
    assert keeper.start(spec | change) == after
    if "ring_bytes" in change:
        assert ring == 64
        assert keeper.stats("test")["gro"]
    keeper.stop("test")
    assert archived(keeper) == list(range(sent))


def test_limits_are_gone_over_to_in_the_same_life_of_the_channel(keeper, spec):
    keeper.start(spec | {"schema": limited(0, 1)})
    sender = Sender(spec["port"], 0.002)
    sender.start()
    try:
        since = wait_until(lambda: keeper.stats("test")["records"] > 500 and keeper.stats("test")["since"])
        assert keeper.list(alarms=True)[0]["alarms"]["raised"] == []
        keeper.replace("test", spec | {"schema": limited(-2, -1)})
        wait_until(lambda: keeper.list(alarms=True)[0]["alarms"]["raised"])
        assert keeper.stats("test")["since"] == since
    finally:
        sent = sender.finish()
    (told,) = keeper.list(alarms=True)[0]["alarms"]["raised"]
    assert (told["signal"], told["side"], told["limits"]["warn"]) == ("value", "high", [-2, -1])
    keeper.stop("test")
    assert archived(keeper) == list(range(sent))


def test_what_takes_another_socket_is_refused_and_nothing_changed(keeper, spec):
    pid = keeper.start(spec)
    with pytest.raises(RelayError, match="runs with another port, ring_bytes"):
        keeper.replace("test", spec | {"port": 1, "ring_bytes": 4 << 20})
    assert keeper.start(spec) == pid


def test_a_channel_without_a_relay_just_now_begins_with_the_other_spec(keeper, spec, tmp_path):
    (tmp_path / "archive").write_text("a file where a folder should be")
    keeper.start(spec)
    wait_until(lambda: keeper.list()[0]["state"] == "backoff")

    def changed():
        with contextlib.suppress(RelayError):  # another relay was just being tried
            keeper.replace("test", spec | {"durability": "block"})
            return True

    wait_until(changed)
    (tmp_path / "archive").unlink()
    wait_until(lambda: keeper.list()[0]["state"] == "active")
    assert keeper.start(spec | {"durability": "block"})


def test_fault_30_a_relay_that_takes_no_packets_is_replaced_and_they_are_kept(keeper, spec):
    pid = keeper.start(spec)
    wait_until(lambda: keeper.list()[0]["state"] == "active", "a relay that receives")
    began = time.monotonic()
    with stopped(pid):
        sender = Sender(spec["port"], 0.05)
        sender.start()
        try:
            try:
                wait_until(lambda: keeper.list()[0]["restarts"] == 1, limit_s=STUCK_S + 25)
            except AssertionError as error:
                log = (keeper.data / "log" / "keeper.log").read_text()
                raise AssertionError(f"{error}: {keeper.list()}: {log}") from None
            assert time.monotonic() - began > STUCK_S - 1.5, "its last sign of life was a moment ago"
            wait_until(lambda: keeper.stats("test")["records"] > 0)
        finally:
            sent = sender.finish()
    wait_until(lambda: keeper.stats("test")["archived"] == sent)
    (told,) = keeper.list()
    assert told["deaths"] == 1
    assert told["death"].endswith(": it took no packet for 5 s, though some waited")
    assert "it took no packet for 5 s, though some waited" in (keeper.data / "log" / "keeper.log").read_text()
    keeper.stop("test")
    assert archived(keeper) == list(range(sent))


def test_fault_30_a_relay_that_is_idle_and_gives_no_sign_of_life_is_replaced(keeper, spec):
    pid = keeper.start(spec)
    wait_until(lambda: keeper.list()[0]["state"] == "active", "a relay that receives")
    began = time.monotonic()
    with stopped(pid):
        wait_until(lambda: keeper.list()[0]["restarts"] == 1, limit_s=SILENT_S + 25)
    assert time.monotonic() - began > SILENT_S - 2 * HANG_S
    (told,) = keeper.list()
    assert told["death"] == "SIGKILL: it gave no sign of life for 30 s"
    assert told["pid"] not in (None, pid)


def test_fault_65_a_keeper_that_was_stopped_itself_replaces_nobody(keeper, spec):
    pid, own = keeper.start(spec), keeper.ping()["pid"]
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        os.kill(pid, signal.SIGSTOP)
        sender.sendto(b"", ("127.0.0.1", spec["port"]))
        with stopped(own):
            time.sleep(STUCK_S + 1)
        time.sleep(1.5 * HANG_S)  # it looks, and finds that the relay has taken nothing all that time
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: keeper.stats("test")["rejected"]["empty"] == 1)
    assert (keeper.list()[0]["restarts"], keeper.list()[0]["pid"]) == (0, pid)


def test_fault_39_relays_that_are_replaced_leave_nothing_behind(keeper, spec):
    keeper.start(spec)
    pid = keeper.ping()["pid"]
    for _ in range(3):
        keeper.replace("test")
    before = len(open_files(pid))
    for _ in range(1000):
        keeper.replace("test")
    assert keeper.list()[0]["deaths"] == 0, "none that was not asked for"
    wait_until(lambda: len(open_files(pid)) <= before, f"at most {before} descriptors")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    states = [Path(f"/proc/{child}/stat").read_text().rpartition(") ")[2][0] for child in children]
    assert len(states) == 1
    assert "Z" not in states


def test_a_relay_is_replaced_with_other_settings_and_nothing_is_lost(keeper, spec):
    pid = keeper.start(spec)
    sender = Sender(spec["port"])
    sender.start()
    wait_until(lambda: keeper.stats("test")["records"] > 500)
    for rotation in ({"bytes": 100_000, "seconds": 0}, {"bytes": 0, "seconds": 1}):
        changed = spec | {"rotation": rotation, "durability": "block"}
        assert keeper.replace("test", changed) not in (None, pid)
        assert keeper.start(changed) == keeper.list()[0]["pid"], "it runs with these settings"
    with pytest.raises(RelayError, match="runs with another block_bytes, port; stop it first"):
        keeper.replace("test", spec | {"port": free_port(), "block_bytes": 1 << 20})
    with pytest.raises(RelayError, match="no relay for channel 'other'"):
        keeper.replace("other")
    sent = sender.finish()
    wait_until(lambda: keeper.stats("test")["durable"] == sent)
    assert keeper.list()[0]["restarts"] == 2
    assert [r["n"] for r in read_records(Path(spec["archive"]))] == list(range(sent))


def test_a_spec_that_this_machine_cannot_do_replaces_no_relay(keeper, spec):
    pid = keeper.start(spec)
    with pytest.raises(RelayError, match=r"cpus: \[999\] cannot be had"):
        keeper.replace("test", spec | {"cpus": [999]})
    assert keeper.list("test")[0]["pid"] == pid


def test_who_asks_for_another_relay_is_told_when_it_cannot_live(keeper, spec):
    keeper.start(spec)
    pid = keeper.ping()["pid"]
    size = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.prlimit(pid, resource.RLIMIT_AS, (size + (1 << 20), resource.RLIM_INFINITY))
    with pytest.raises(RelayError, match="test: the next relay ended: exit status 1: failed: .*"):
        keeper.replace("test")
    resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_a_look_at_relays_that_goes_wrong_is_neither_the_last_nor_that_of_others(caplog):
    looked = []

    def look(name):
        looked.append(name)
        raise OSError(5, f"cannot be looked at: {name}")

    keeper = Keeper.__new__(Keeper)
    keeper.timers, keeper._looked_at = [], time.monotonic()
    keeper.channels = {
        name: SimpleNamespace(sending=SimpleNamespace(look=lambda _, name=name: look(name))) for name in "ab"
    }
    keeper._look_for_hanging()
    assert looked == ["a", "b"]
    assert [action for _, action in keeper.timers] == [keeper._look_for_hanging]
    assert [record.message for record in caplog.records] == ["the keeper goes on"] * 2
