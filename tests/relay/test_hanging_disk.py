"""A disk that hangs: a relay that was killed cannot die, and its successor receives nevertheless."""

import os
import signal
import time
from pathlib import Path

import pytest
from line import read_records, wait_until
from loop_disk import frozen, loop_disk, needs_disks
from processes import thread_states
from sender import Sender

from speeddata.errors import RelayError

pytestmark = [needs_disks, pytest.mark.alone]


@pytest.fixture(autouse=True)  # before the keeper, so that it ends after it
def disk(tmp_path):
    with loop_disk(tmp_path) as place:
        yield place


@pytest.fixture
def spec(disk, spec):
    return spec | {"archive": str(disk / "archive" / "test")}


def test_a_killed_relay_whose_writer_hangs_is_followed_by_one_that_receives(keeper, spec, disk):
    pid = keeper.start(spec)
    sender = Sender(spec["port"])
    sender.start()
    wait_until(lambda: keeper.stats("test")["durable"] > 100)
    with frozen(disk):
        wait_until(lambda: "D" in thread_states(pid).values(), "the writer in a disk call")
        os.kill(pid, signal.SIGKILL)
        second = wait_until(lambda: (p := keeper.list("test")[0]["pid"]) not in (None, pid) and p)
        before = keeper.stats("test")
        wait_until(lambda: keeper.stats("test")["records"] > before["records"] + 1000, "packets received")
        assert keeper.stats("test")["archived"] == before["archived"]
        # And once more: the third waits for the same disk call.
        os.kill(second, signal.SIGKILL)
        wait_until(lambda: keeper.list("test")[0]["pid"] not in (None, pid, second))
        before = keeper.stats("test")
        wait_until(lambda: keeper.stats("test")["records"] > before["records"] + 1000, "packets received")
        assert os.path.exists(f"/proc/{pid}")
    sent = sender.finish()
    wait_until(lambda: keeper.stats("test")["durable"] == sent)
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), "the end of the first")
    stats = keeper.stats("test")
    assert (stats["kernel_drops"], stats["ring_full"], sum(stats["not_archived"].values())) == (0, 0, 0)
    keeper.stop("test")
    assert [r["n"] for r in read_records(Path(spec["archive"]))] == list(range(sent))


def test_a_relay_killed_while_its_writer_rests_is_followed_by_one_that_receives(keeper, spec, disk):
    pid = keeper.start(spec)
    sender = Sender(spec["port"])
    with frozen(disk):
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: keeper.list("test")[0]["pid"] not in (None, pid))
        sender.start()
        wait_until(lambda: keeper.stats("test")["records"] > 1000, "packets received")
        assert keeper.stats("test")["archived"] == 0
    sent = sender.finish()
    wait_until(lambda: keeper.stats("test")["durable"] == sent)
    keeper.stop("test")
    assert [r["n"] for r in read_records(Path(spec["archive"]))] == list(range(sent))


def test_a_channel_on_a_disk_that_hangs_can_be_stopped_and_what_is_lost_is_said(keeper, spec, disk):
    pid = keeper.start(spec)
    sender = Sender(spec["port"])
    sender.start()
    wait_until(lambda: keeper.stats("test")["durable"] > 100)
    with frozen(disk):
        wait_until(lambda: "D" in thread_states(pid).values(), "the writer in a disk call")
        sent = sender.finish()
        wait_until(lambda: keeper.stats("test")["records"] == sent)
        begin = time.monotonic()
        with pytest.raises(
            RelayError, match=r"the relay was killed, \d+ records that it had received are lost"
        ):
            keeper.stop("test")
        assert time.monotonic() - begin < 20, "bounded"
        assert keeper.list() == []
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"))
