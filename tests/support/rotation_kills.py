"""`kill -9` of a relay, or of its successor, at a system call by which it writes; what the archive has then."""

import os
import re
import signal
from pathlib import Path
from typing import NamedTuple

from ledger import check_index, read_numbers, segments
from line import wait_until
from numbered_channel import NumberedChannel
from processes import open_files, thread_states
from tracing import HELD, KILLED, Trace

WAVES = 3  # each makes a segment
WAVE = 20  # records
WRITES = ("pwrite64", "fdatasync", "fsync", "renameat2", "renameat", "openat", "unlinkat", "ftruncate")
MOMENTS = {"before": KILLED, "after": HELD}
SETTINGS = {"block_age_s": 0.02, "flush_interval_s": 0.02, "rotation": {"bytes": 500, "seconds": 0}}


class Strike(NamedTuple):
    """Which calls to strike at, one by one."""

    whom: str  # the relay that rotates, or the successor of one that was killed at it
    call: str
    moment: str  # before it is made, or after, before its result is known
    also: str = ""  # another injection

    def __str__(self):
        return " ".join(filter(None, self))


def strikes():
    """All of a rotation; also where rename cannot spare a file that is there, and where an fdatasync has failed."""
    for moment in MOMENTS:
        for call in WRITES:
            yield Strike("relay", call, moment)
            yield Strike("successor", call, moment)
            if call != "fdatasync":
                yield Strike("relay", call, moment, "fdatasync:error=EIO:when=2+4")
        for call in ("linkat", "unlinkat"):
            yield Strike("relay", call, moment, "renameat2:error=EINVAL:when=1+")


def strike_once(keeper, folder, strike, number):
    """Strike at call `number` in the life of a channel; whether there was such a call. Fails when it cost anything."""
    injections = [*filter(None, [strike.also]), f"{strike.call}:{MOMENTS[strike.moment]}:when={number}"]
    with NumberedChannel(keeper, folder, **SETTINGS) as channel:
        victim = channel.pid if strike.whom == "relay" else stopped_successor(channel)
        before = deaths(keeper)
        with Trace(victim, injections):
            os.kill(victim, signal.SIGCONT)
            for _ in range(WAVES):
                channel.send(WAVE)
                channel.settle()
            stats = channel.stop()
    assert (stats["archived"], stats["durable"], stats["kernel_drops"]) == (channel.sent, channel.sent, 0), (
        stats
    )
    assert read_numbers(segments(channel.archive)) == list(range(channel.sent))
    for path in segments(channel.archive):
        check_index(path)
    return deaths(keeper) > before


def stopped_successor(channel):
    """Kill the relay at its work; the next one, stopped before it touches the archive."""
    channel.send(WAVE)
    channel.settle()
    pid, keeper = channel.pid, channel.keeper.ping()["pid"]
    children = Path(f"/proc/{keeper}/task/{keeper}/children")
    while True:
        os.kill(pid, signal.SIGKILL)
        former = pid
        while pid == former:  # at once, not soon
            pid = next((child for child in map(int, children.read_text().split()) if child != former), former)
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda pid=pid: set(thread_states(pid).values()) == {"T"})
        if not any(str(channel.archive) in name for name in open_files(pid).values()):
            return pid


def deaths(keeper):
    """Relays of a keeper that were killed so far."""
    return len(re.findall("ended: (SIGKILL|killed)", (keeper.data / "log" / "keeper.log").read_text()))
