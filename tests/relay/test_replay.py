"""A relay killed within a batch, or refused by the disk within a block: at each system call, everything is archived once."""

import os
import re
import signal
from pathlib import Path

import pytest
from ledger import check_index, packets, read_numbers, segments
from line import chunks, wait_until
from numbered_channel import NumberedChannel, keeping
from processes import stopped
from rotation_kills import deaths, stopped_successor
from tracing import HELD, KILLED, Trace

SETTINGS = {"block_age_s": 0.02, "flush_interval_s": 0.02}
BEFORE = 40  # records, whose slots are filled when the next come
CALLS = [
    ("recvmmsg", KILLED),
    ("recvmmsg", HELD),
    ("sendmmsg", KILLED),
    ("sendmmsg", HELD),
    ("write", KILLED),
]
RENAMEAT2 = 316 if os.uname().machine == "x86_64" else 276
NAME_BYTES = 200


@pytest.fixture
def channel(tmp_path):
    with keeping(tmp_path) as keeper, NumberedChannel(keeper, tmp_path, **SETTINGS) as made:
        made.send(BEFORE)
        made.settle()
        yield made


def check_archive(channel):
    """Each record is in the archive once, and each segment and index whole."""
    stats = channel.stop()
    assert (stats["records"], stats["archived"], stats["durable"]) == (channel.sent,) * 3, stats
    assert read_numbers(segments(channel.archive)) == list(range(channel.sent))
    for path in segments(channel.archive):
        check_index(path)


@pytest.mark.parametrize(("call", "moment"), CALLS, ids=["-".join(pair).partition("=")[0] for pair in CALLS])
def test_a_relay_killed_within_a_batch_is_followed_by_one_that_takes_it_once(channel, call, moment):
    """Received and not seen, walked and not counted, counted and not told: `when=1` are the calls for one packet."""
    before = deaths(channel.keeper)
    with stopped(channel.pid):
        channel.send(1)
        with Trace(channel.pid, [f"{call}:{moment}:when=1"]):
            os.kill(channel.pid, signal.SIGCONT)
            channel.settle()
    assert deaths(channel.keeper) == before + 1
    channel.send(3)
    channel.settle()
    check_archive(channel)


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_a_block_whose_index_entry_cannot_be_written_is_archived_once(channel, error):
    """The first pwrite is of the block, the second of its entry: the block is in the file, and counts for nothing."""
    with Trace(channel.pid, [f"pwrite64:error={error}:when=2"]) as trace:
        channel.send(5)
        channel.settle()
        assert trace.struck == 1
    check_archive(channel)


def test_readers_meet_nothing_of_a_block_that_cannot_be_written(channel):
    """As long as the disk refuses, the block whose entry could not be written is not in the file."""
    with Trace(channel.pid, ["pwrite64:error=EIO:when=2+"]):
        channel.send(5)
        wait_until(lambda: channel.state["state"] == "degraded", "the failure")
        assert read_numbers(segments(channel.archive)) == list(range(BEFORE))
    channel.settle()
    check_archive(channel)


@pytest.mark.parametrize("first", [2, 3, 4, 5])
def test_a_successor_that_cannot_open_what_it_needs_waits_and_goes_on(tmp_path, first):
    """Its writer opens, after its own name, the lock, the folder, the segment and its index: each fails for a while.

    What the former relay wrote is not on the disk yet, and would be lost with a segment that is given up.
    """
    settings = SETTINGS | {"flush_interval_s": 1.0}
    with keeping(tmp_path) as keeper, NumberedChannel(keeper, tmp_path, **settings) as channel:
        successor = stopped_successor(channel)
        with Trace(successor, [f"openat:error=EMFILE:when={first}..{first + 3}"]) as trace:
            os.kill(successor, signal.SIGCONT)
            channel.send(20)
            stats = channel.settle()
            assert stats["archived"] == channel.sent
        assert trace.struck == 4, "as strace has told by its end"
        assert channel.state["state"] == "active"
        check_archive(channel)


def test_the_folder_is_synced_when_a_segment_is_begun(tmp_path):
    with keeping(tmp_path) as keeper, NumberedChannel(keeper, tmp_path, **SETTINGS) as channel:
        with Trace(channel.pid, ["fsync:delay_enter=1"]) as trace:
            channel.send(5)
            channel.settle()
        assert trace.struck == 1
        check_archive(channel)


def test_a_segment_whose_name_is_taken_gets_another_and_the_file_stays(tmp_path):
    """The name, the microsecond of the first record's receipt, is read where the relay hands it to the kernel."""
    with keeping(tmp_path) as keeper, NumberedChannel(keeper, tmp_path, **SETTINGS) as channel:
        with Trace(channel.pid, ["renameat2:delay_enter=1000000:when=1"]):
            channel.send(5)
            taken = channel.archive / wait_until(lambda: name_given(channel.pid), "a rename")
            taken.write_bytes(b"not ours")
            channel.settle()
        assert taken.read_bytes() == b"not ours"
        taken.unlink()
        check_archive(channel)


def name_given(pid):
    """The new name that a thread gives to renameat2, which holds it just now."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        words = (task / "syscall").read_text().split()
        if words[0] == str(RENAMEAT2):
            with Path(f"/proc/{pid}/mem").open("rb") as memory:
                memory.seek(int(words[4], 16))
                name = memory.read(NAME_BYTES).partition(b"\0")[0].decode()
                if re.fullmatch(r"test_.*\.avro", name):
                    return name
    return None


@pytest.mark.alone
def test_where_the_writer_is_slow_packets_wait_in_the_socket(tmp_path):
    """A ring of 16 blocks, of which the writer writes some 200 in a second, and packets of five times as many at once."""
    settings = SETTINGS | {"block_bytes": 65536, "ring_bytes": 1 << 20}
    with keeping(tmp_path) as keeper, NumberedChannel(keeper, tmp_path, **settings) as channel:
        with Trace(channel.pid, ["pwrite64:delay_enter=2000"]):
            for data in chunks(packets(0, 200_000), 200):
                channel.source.send(data)
            channel.sent = 200_000
            stats = channel.settle(60)
        assert (stats["ring_full"], stats["kernel_drops"]) == (0, 0)
        check_archive(channel)
