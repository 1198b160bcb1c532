"""System calls of a relay that fail, are interrupted or take long, once or for a while; what the books and the archive say then."""

import time
from itertools import count, product
from typing import NamedTuple

from ledger import balanced, check_index, read_numbers, segments
from line import drain, subscribe, wait_until
from numbered_channel import NumberedChannel
from tracing import Trace

WAVES = 10
WAVE = 20  # records
PACE_S = 0.025  # longer than a block waits for more, so that each wave makes one
SETTINGS = {"block_age_s": 0.02, "flush_interval_s": 0.02, "rotation": {"bytes": 1500, "seconds": 0}}
DELAY = "delay_enter=60000"  # microseconds
NOTICED = ("pwrite64", "fdatasync", "fsync", "openat", "renameat2")  # when they fail for long
FULL = ("ENOSPC", "EDQUOT")
FAULTS = {
    "pwrite64": ("EIO", "ENOSPC", "EDQUOT", "EROFS", "EINTR", DELAY),
    "fdatasync": ("EIO", "ENOSPC", "EROFS", "EINTR", DELAY),
    "fsync": ("EIO", "ENOSPC", "EROFS", "EINTR", DELAY),
    "openat": ("EMFILE", "ENFILE", "EACCES", "EROFS", "ENOSPC", "EIO", "EINTR", DELAY),
    "renameat2": ("EACCES", "EROFS", "ENOSPC", "EIO", "EINTR", DELAY),
    "unlinkat": ("EACCES", "EROFS", "EIO", "EINTR", DELAY),
    "ftruncate": ("EIO", "EROFS", "EINTR", DELAY),
    "recvmmsg": ("EIO", "ENOMEM", "EINTR", DELAY),
    "sendmmsg": ("EIO", "ENOBUFS", "ENETUNREACH", "EACCES", "EINTR", DELAY),
}
# Blocks: enough for all that comes while the fault is there, and not.
RINGS = (200, 4)
BLOCK_BYTES = 65536
# By number of the first call: that one alone, all from then on, every second.
WHENS = ("{}", "{}+", "{}+2")


class Case(NamedTuple):
    """A fault, which calls it hits, and how many blocks wait for the disk."""

    call: str
    fault: str
    when: str
    ring: int

    @property
    def lasts(self):
        """Whether each call fails until the fault is gone."""
        return self.when.endswith("+")

    @property
    def once(self):
        return self.when.isdigit()

    @property
    def harmless(self):
        """Whether nobody may notice."""
        return self.fault in ("EINTR", DELAY)

    @property
    def injections(self):
        how = self.fault if self.fault == DELAY else f"error={self.fault}"
        made = [f"{self.call}:{how}:when={self.when}"]
        if self.call == "ftruncate":  # which follows a write that failed: that of an index entry, for one
            first, _, _ = self.when.partition("+")
            made.append(f"pwrite64:error=ENOSPC:when={int(first) + 1}+5")
        return made

    def __str__(self):
        return f"{self.call} {self.fault} {self.when} ring of {self.ring}"


def cases():
    """Without end: each fault at the first call, then at the second ..."""
    kinds = [(call, fault) for call, faults in FAULTS.items() for fault in faults]
    for number in count(1):
        for when, ring, (call, fault) in product(WHENS, RINGS, kinds):
            # Nothing is interrupted for ever.
            if not (fault == "EINTR" and when == "{}+"):
                yield Case(call, fault, when.format(number), ring)


class Hearer:
    """A subscriber of the full-rate stream, which counts."""

    def __init__(self, channel):
        self.socket = subscribe(**channel.spec["multicast"]["full_rate"])
        self.heard = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def listen(self):
        """How many packets were heard so far."""
        self.heard += drain(self.socket)
        return len(self.heard)


def suffer(keeper, folder, case):
    """Run a channel through a fault; gives what it cost. Fails when something hangs, or is lost without a word."""
    settings = SETTINGS | {"ring_bytes": case.ring * BLOCK_BYTES, "block_bytes": BLOCK_BYTES}
    with NumberedChannel(keeper, folder, **settings) as channel, Hearer(channel) as hearer:
        channel.send(WAVE)
        channel.settle()
        with Trace(channel.pid, case.injections) as trace:
            states = endure(channel, hearer, case, trace)
        recover(channel)
        wait_until(lambda: hearer.listen() >= channel.stats["forwarded"], "the live stream")
        state = channel.state
        stats = channel.stop()
    check_books(case, stats, channel)
    if trace.struck and case.call == "fdatasync" and not case.harmless:
        # Where each one hit a segment that was being made ready, the channel said that none can be begun.
        assert stats["failed_fsyncs"] > 0 or "degraded" in states, (states, trace.lines, stats)
    if case.fault == "EINTR" and case.ring == max(RINGS) and case.call != "ftruncate":
        assert (states, stats["failed_fsyncs"]) == ({"active"}, 0), f"an interrupted {case.call} was noticed"
    check_streams(case, stats, hearer, state)
    numbers = read_numbers(segments(channel.archive))
    assert len(numbers) == stats["archived"], f"{len(numbers)} in the files, {stats}"
    assert numbers == sorted(set(numbers)), "once, in order"
    for path in segments(channel.archive):
        check_index(path)
    return {
        "injected": trace.struck,
        "lost": stats["records"] - stats["archived"],
        "undurable": stats["archived"] - stats["durable"],
        "degraded": "degraded" in states,
        "restarts": state["restarts"],
    }


def endure(channel, hearer, case, trace):
    """Send while the fault is there; the states that the channel was seen in. The live stream must not wait for the disk."""
    states = set()
    deaf = case.call == "recvmmsg" and not case.harmless
    for _ in range(WAVES):
        channel.send(WAVE)
        if case.call not in ("recvmmsg", "sendmmsg"):
            wait_until(lambda: hearer.listen() == channel.sent, f"the live stream during {case}", 5)
        if not deaf:
            wait_until(lambda: channel.stats["records"] == channel.sent, f"receiving during {case}", 5)
        time.sleep(PACE_S)
        told = channel.state
        states.add(told["state"])
        assert (told["state"] == "degraded") <= bool(told["reason"]), told
    if case.lasts and deaf:
        wait_until(lambda: channel.state["pid"] != channel.pid, "the end of a relay that cannot receive")
    elif case.lasts and trace.struck and case.call in NOTICED and not case.harmless:
        wait_until(lambda: channel.state["state"] == "degraded", f"the word about {case}")
        wait_until(lambda: trace.struck >= 3, f"another attempt in spite of {case}")
        states.add("degraded")
    elif case.once or case.fault == DELAY:
        channel.settle()
    return states


def recover(channel):
    """The fault is gone: soon all is archived again, and the channel says so."""

    def well():
        before = channel.stats["archived"]
        channel.send(WAVE)
        stats = channel.settle()
        return stats["archived"] - before >= WAVE and channel.state["state"] == "active"

    wait_until(well, f"the recovery ({channel.state})", 10)
    wait_until(lambda: channel.stats["durable"] >= WAVE, "the disk", 5)


def check_books(case, stats, channel):
    """Each packet and each record is somewhere, and where it should be."""
    assert balanced(stats), stats
    assert stats["packets"] + sum(stats["rejected"].values()) + stats["kernel_drops"] == channel.sent, stats
    assert stats["kernel_drops"] == 0, stats
    # The ring holds what comes while the disk refuses.
    assert stats["archived"] == channel.sent or case.ring == min(RINGS), stats
    if case.call != "ftruncate":
        other = "io" if case.fault in FULL else "disk_full"
        assert stats["not_archived"][other] == 0, stats
    # Where the rescue after a failed fdatasync fails too, records stay that nobody knows to be on the disk.
    assert stats["durable"] == stats["archived"] or (case.call == "fdatasync" and not case.once), stats


def check_streams(case, stats, hearer, state):
    """What was sent live is what was received; where the relay died a batch may be sent again."""
    if state["restarts"]:
        assert case.call == "recvmmsg", state
        return
    assert stats["forwarded"] + stats["forward_failed"] == stats["packets"], stats
    assert len(hearer.heard) == stats["forwarded"], stats
    assert stats["forward_failed"] == 0 or case.call == "sendmmsg" and not case.harmless, stats
