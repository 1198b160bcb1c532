"""Re-sending: runs of equal size in one piece, the kernel cutting them apart, and what happens where it will not."""

import json
import os
import random
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from ledger import packets
from line import Line, drain, encode, make_spec, running, subscribe, wait_until
from numbered_channel import NumberedChannel, keeping
from processes import stopped
from tracing import Trace

from speeddata.relay.sockets import UDP_SEGMENT

BLOB = {
    "type": "record",
    "name": "speeddata.test.blob",
    "fields": [{"name": "time", "type": "long"}, {"name": "data", "type": "bytes"}],
}


def blob(size: int, fill: int = 0) -> bytes:
    """A record of exactly `size` bytes."""
    for length in range(size - 12, size - 8):
        record = encode(BLOB, time=10**18, data=bytes([fill % 256]) * length)
        if len(record) == size:
            return record
    raise AssertionError(f"no record of {size} bytes")


def relayed(line: Line, packets: list[bytes]) -> list[bytes]:
    """What a subscriber of the full-rate stream gets of packets that are all there when the relay looks."""
    stream = line.spec.multicast.full_rate
    with subscribe(stream.address, stream.port) as subscriber:
        line.send(*packets)
        line.start()
        line.wait(packets=len(packets), forwarded=len(packets))
        return drain(subscriber)


@pytest.fixture
def line(tmp_path):
    made = Line(make_spec(tmp_path, BLOB))
    yield made
    made.close()


def test_packets_of_equal_size_are_cut_from_runs(line):
    packets = [blob(200, k) for k in range(1000)]
    assert relayed(line, packets) == packets
    assert line.stats["forward_cut"] == 1000


def test_a_run_ends_with_a_shorter_packet_and_before_a_longer_one(line):
    packets = [blob(size, k) for k, size in enumerate([100, 100, 50, 50, 100, 200, 200, 199, 200])]
    assert relayed(line, packets) == packets
    assert line.stats["forward_cut"] == 6


def test_packets_of_any_sizes_in_any_order_come_as_they_were_sent(line):
    seeded = random.Random(5)
    sizes = [100, 100, 100, 150, 1400, 8000, 60000, 65000]
    packets = [blob(seeded.choice(sizes), k) for k in range(1500)]
    assert relayed(line, packets) == packets


def test_blocks_of_one_packet_each_are_not_written_over_before_they_are_sent(tmp_path):
    """With the ring full, spare blocks are taken again within one batch of the largest packets."""
    line = Line(make_spec(tmp_path, BLOB, block_bytes=65536, ring_bytes=131072))
    try:
        packets = [blob(65000, k) for k in range(64)]
        stream = line.spec.multicast.full_rate
        with subscribe(stream.address, stream.port) as subscriber:
            line.send(*packets)
            line.start("receiver")
            stats = line.wait(packets=64, forwarded=64)
            assert stats["ring_full"] > 0
            assert drain(subscriber) == packets
    finally:
        line.close()


def test_framed_packets_are_sent_as_they_came(tmp_path):
    line = Line(make_spec(tmp_path, BLOB, framing="single_object"))
    frame = b"\xc3\x01" + line.relay.plans[-1].schema.fingerprint
    packets = [frame + blob(100, k) + frame + blob(100, k) for k in range(200)]
    try:
        assert relayed(line, packets) == packets
        assert line.stats["forward_cut"] == 200
    finally:
        line.close()


def test_what_the_kernel_joined_is_taken_apart(tmp_path):
    """A sender that has runs cut by the kernel, a receiver that has them joined: packets are what they were."""
    with running(make_spec(tmp_path, BLOB, gro=True)) as line:
        assert line.sockets.gro
        stream = line.spec.multicast.full_rate
        with subscribe(stream.address, stream.port) as subscriber:
            packets = [blob(200, k) for k in range(640)]
            packets[100] = packets[100][:-1] + b""  # a short one ends a run
            bad = packets[333] = b"\xff" * 200
            line.source.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 200)
            runs = [packets[:101], packets[101:150], *(packets[k : k + 50] for k in range(150, 640, 50))]
            for run in runs:
                line.source.send(b"".join(run))
            good = [packet for k, packet in enumerate(packets) if k not in (100, 333)]
            line.wait(packets=len(good), forwarded=len(good), archived=len(good))
            assert line.stats["rejected"]["short"] == 1
            assert sum(line.stats["rejected"].values()) == 2
            assert bad not in (received := drain(subscriber))
            assert received == good
    wait_until(lambda: not line.threads)


IN_A_NAMESPACE = """
import json, sys
from pathlib import Path
from line import Line, make_spec
from test_outlet import BLOB, blob, relayed

line = Line(make_spec(Path(sys.argv[1]), BLOB))
packets = [blob(size, k) for size in (4000, 1000) for k in range(20)]
received = relayed(line, packets)
print(json.dumps({"same": received == packets, "stats": line.stats}))
line.close()
"""


def test_packets_over_the_mtu_are_sent_one_by_one(tmp_path):
    """The kernel refuses to cut a run into packets that the interface cannot take whole."""
    set_up = 'ip link set lo mtu 1500 up && exec "$@"'
    here = Path(__file__).parent
    paths = os.pathsep.join([str(here), str(here.parent / "support")])
    done = subprocess.run(
        ["unshare", "-rn", "sh", "-c", set_up, "sh", sys.executable, "-c", IN_A_NAMESPACE, str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "PYTHONPATH": paths},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["same"]
    # The first of the small ones was the tail of a run of large ones.
    assert (found["stats"]["forward_failed"], found["stats"]["forward_cut"]) == (0, 19)


def test_where_the_interface_cuts_nothing_packets_are_sent_one_by_one(tmp_path):
    """EIO, which no interface of the test's own gives: strace has the first call of each thread fail so."""
    with keeping(tmp_path) as keeper, NumberedChannel(keeper, tmp_path) as channel:
        stream = channel.spec["multicast"]["full_rate"]
        with subscribe(stream["address"], stream["port"]) as subscriber:
            with Trace(channel.pid, ["sendmmsg:error=EIO:when=1"]):
                for _ in range(3):
                    with stopped(channel.pid):
                        channel.send(40)
                    channel.settle()
            stats = wait_until(lambda: (s := channel.stats)["forwarded"] == 120 and s)
            assert (stats["forward_failed"], stats["forward_cut"]) == (0, 0)
            assert drain(subscriber) == packets(0, 120)


def test_fault_59_what_fails_whether_cut_or_not_leaves_runs_as_they_are(tmp_path):
    """The interface has gone for a while, with one of the errors that tell of what it cannot cut; then runs go as before."""
    with keeping(tmp_path) as keeper, NumberedChannel(keeper, tmp_path) as channel:
        with Trace(channel.pid, ["sendmmsg:error=EINVAL"]):
            with stopped(channel.pid):
                channel.send(40)
            stats = channel.settle()
            assert (stats["forward_failed"], stats["forward_error"]) == (40, "Invalid argument")
        with stopped(channel.pid):
            channel.send(40)
        stats = channel.settle()
        assert (stats["forwarded"], stats["forward_cut"], stats["forward_error"]) == (40, 40, None)
