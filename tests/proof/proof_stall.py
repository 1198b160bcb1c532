"""A disk that takes nothing for five seconds at 50,000 packets/s: nothing is lost, and the live stream does not notice.

STALL_S=n makes it another time; the default ring of 64 MiB holds 6.7 s of this.
"""

import contextlib
import json
import os
import socket
import struct
import threading
import time

import numpy as np
import pytest
from line import make_spec, subscribe, wait_until
from loop_disk import frozen, loop_disk
from ports import free_port
from stream import FIRST, NUMBERED, SIZE, Stream

from speeddata.archive import Archive
from speeddata.relay.client import KeeperClient
from speeddata.relay.sockets import SO_TIMESTAMPNS

STALL_S = float(os.environ.get("STALL_S", "5"))
RATE = 50_000
QUIET_S = 2.0  # before and after
# The live stream may pause so long in the stall, or so many times as long as outside of it.
PAUSE_MS, TIMES = 100.0, 3
TIMESPEC = struct.Struct("qq")


class Listener(threading.Thread):
    """Takes down when packets of the full-rate stream came, by the kernel's clock."""

    def __init__(self, group):
        super().__init__()
        self.socket = subscribe(**group)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.settimeout(0.5)
        self.arrivals = []
        self.ended = threading.Event()

    def run(self):
        with self.socket:
            while not self.ended.is_set():
                with contextlib.suppress(TimeoutError):
                    _, notes, _, _ = self.socket.recvmsg(SIZE, 64)
                    seconds, ns = TIMESPEC.unpack(notes[0][2][: TIMESPEC.size])
                    self.arrivals.append(seconds * 10**9 + ns)

    def finish(self):
        self.ended.set()
        self.join()
        return np.array(self.arrivals)


def run_through_a_stall(keeper, spec, disk, stall_s):
    """Send at a rate while the disk stalls; packets sent, arrivals on the live stream, and begin and end of the stall."""
    listener = Listener(spec["multicast"]["full_rate"])
    listener.start()
    with Stream(spec["port"]) as stream:
        sender = threading.Thread(target=stream.send, args=(round(RATE * (stall_s + 2 * QUIET_S)), RATE))
        sender.start()
        time.sleep(QUIET_S)  # a quiet time to compare with
        with frozen(disk):
            begin = time.time_ns()
            time.sleep(stall_s)  # the stall
            end = time.time_ns()
            stalled = keeper.stats("test")
        sender.join()
        sent = stream.sent
    wait_until(lambda: keeper.stats("test")["durable"] == sent)
    return sent, stalled, listener.finish(), begin, end


@pytest.mark.parametrize("stall_s", [STALL_S])
def test_a_stall_of_the_disk(tmp_path, stall_s):
    with loop_disk(tmp_path, 512) as disk:
        spec = make_spec(tmp_path, NUMBERED, port=free_port(), archive=str(disk / "test"))
        spec |= {"block_age_s": 1.0, "flush_interval_s": 1.0}
        keeper = KeeperClient(tmp_path / "data")
        keeper.start_keeper()
        try:
            keeper.start(spec)
            sent, stalled, arrivals, begin, end = run_through_a_stall(keeper, spec, disk, stall_s)
            stats = keeper.stats("test")
        finally:
            keeper.shutdown()
        with Archive(disk / "test").open() as reader:
            numbers = reader.read(["n"]).columns["n"]
    gaps = np.diff(arrivals) / 1e6
    inside = (arrivals[1:] > begin) & (arrivals[1:] < end)
    figures = {
        "packets": sent,
        "stall_s": stall_s,
        "queued_blocks": stalled["ring"]["queued"],
        "lost": sent - len(numbers),
        "ring_full": stats["ring_full"],
        "kernel_drops": stats["kernel_drops"],
        "live_received": len(arrivals),
        "live_longest_pause_ms": {
            "in_the_stall": round(float(gaps[inside].max()), 2),
            "else": round(float(gaps[~inside].max()), 2),
        },
        "live_p99_pause_us": {
            "in_the_stall": round(float(np.percentile(gaps[inside], 99)) * 1e3, 1),
            "else": round(float(np.percentile(gaps[~inside], 99)) * 1e3, 1),
        },
    }
    print(json.dumps(figures))
    np.testing.assert_array_equal(numbers, np.arange(FIRST, FIRST + sent))
    assert (stats["ring_full"], stats["kernel_drops"], stats["forward_failed"]) == (0, 0, 0)
    assert stats["forwarded"] == sent
    assert gaps[inside].max() <= max(PAUSE_MS, TIMES * gaps[~inside].max()), (
        "the live stream waited for the disk"
    )
