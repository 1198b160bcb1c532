"""The storage proofs of `make proof`, each of a size that the tests can bear."""

from collections import Counter
from itertools import islice

import fastavro
import ingest_power
import pytest
import segments as made
from damage_matrix import CODECS, Victim, check_damage, check_tools
from line import wait_until
from loop_disk import needs_disks
from numbered_channel import NumberedChannel
from power_loss import lose_power_often
from rotation_kills import strike_once, strikes
from syscall_faults import RINGS, Case, cases, suffer
from tracing import Trace

from speeddata.relay.repair import repair


def test_kills_at_writes_of_a_rotation(keeper, tmp_path):
    for strike in strikes():
        if number := {"pwrite64": 5, "renameat2": 2, "ftruncate": 1}.get(strike.call):
            struck = strike_once(keeper, tmp_path / str(strike), strike, number)
            assert struck or strike.call == "ftruncate"


@needs_disks
def test_power_loss_costs_nothing_below_the_watermark(keeper, tmp_path):
    assert lose_power_often(keeper, tmp_path / "power", 3, "interval", seed=1)["images"] == 3


@needs_disks
def test_power_loss_costs_no_batch_that_was_acknowledged(tmp_path):
    assert ingest_power.lose_power_often(tmp_path / "power", 2, seed=1)["batches"] > 0


@pytest.mark.parametrize("codec", CODECS)
def test_damage_is_never_returned_as_good(tmp_path, codec):
    victim = Victim(tmp_path, codec)
    costs = Counter()
    for damage in victim.damages(97):
        check_tools(victim, *damage)
        costs[check_damage(victim, *damage)] += 1
    assert costs["said"] > 0 == costs["cut"], "what was cut off is said as well"


def test_a_damaged_head_names_no_signal_wrongly(tmp_path):
    victim = Victim(tmp_path, "null")
    data = victim.path.read_bytes()
    assert check_damage(victim, "a name", victim.path, data.replace(b"voltage", b"current")) == "said"


@pytest.mark.parametrize("head", [True, False])
def test_what_power_loss_leaves_of_a_new_segment_is_repaired_once(tmp_path, head):
    path = made.write_segment(tmp_path / "example", [])
    if not head:
        path.write_bytes(b"")
    repair(path.parent, "example")
    assert repair(path.parent, "example") == ([], [])
    for left in path.parent.glob("*.avro"):
        with left.open("rb") as file:
            assert list(fastavro.reader(file)) == []


def test_no_fault_is_silent(keeper, tmp_path):
    for number, case in enumerate(islice(cases(), 0, 294, 37)):
        if case.call != "ftruncate" and case.fault != "EINTR":
            cost = suffer(keeper, tmp_path / str(number), case)
            assert cost["injected"] or case.call == "unlinkat", case


def test_a_block_that_cannot_be_cut_off_is_not_archived_twice(keeper, tmp_path):
    suffer(keeper, tmp_path, Case("ftruncate", "EIO", "1", max(RINGS)))


def test_the_watermark_does_not_pass_what_is_not_on_the_disk(keeper, tmp_path):
    with NumberedChannel(keeper, tmp_path, block_age_s=0.02, flush_interval_s=0.02) as channel:
        channel.send(10)
        wait_until(lambda: channel.stats["durable"] == 10)
        with Trace(
            channel.pid, ["fdatasync:error=EIO:when=1..2"]
        ) as trace:  # the second is that of the rescue
            channel.send(10)
            wait_until(lambda: trace.struck == 2)
        channel.send(20)
        wait_until(lambda: channel.stats["durable"] > 10)
        assert channel.stats["durable"] in (20, 40)


@pytest.mark.parametrize(("call", "when"), [
    ("pwrite64", "1+2"), ("openat", "1+2"), ("fdatasync", "1"), ("fsync", "1"), ("renameat2", "1"),
])  # fmt: skip
def test_nobody_notices_interrupted_calls(keeper, tmp_path, call, when):
    suffer(keeper, tmp_path, Case(call, "EINTR", when, max(RINGS)))
