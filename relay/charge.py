"""A channel in the keeper's care: its sockets and mapping, and the process that is its relay just now."""

import contextlib
import logging
import os
import random
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from speeddata.counted import counted
from speeddata.errors import RelayError, SpeedDataError
from speeddata.exit_codes import CANNOT_START
from speeddata.plan import Plan
from speeddata.relay.alarms import limited_signals, tell_alarms
from speeddata.relay.channel import ChannelRelay, compile_plans
from speeddata.relay.handover import Adopted
from speeddata.relay.mapping import Mapping
from speeddata.relay.process_state import dying, end_of, threads
from speeddata.relay.sending import Sending
from speeddata.relay.sockets import ChannelSockets, kernel_drops
from speeddata.relay.spec import ChannelSpec
from speeddata.segment_names import segment_name

__all__ = ["Charge"]

log = logging.getLogger(__name__)

MAX_DELAY_S = 30
QUICK_DEATHS = 3  # in a row that are no reason to wait
FAILED_DEATHS = 8  # in a row after which a channel is said to have failed; it is tried on all the same
STUCK_S = 5.0  # in which a relay takes none of the packets that wait
SILENT_S = 30.0  # in which a relay gives no sign of life, where none wait
BEGIN_S = 120.0  # in which a relay does not receive; it may have to mend what a crash left, from a slow disk
RENEWED = frozenset(
    ("block_bytes", "ring_bytes", "receive_buffer_bytes", "gro")
)  # taken over with a fresh mapping
STEADY_S = 60.0  # a relay that lived as long as this, or did any work, is followed at once


class Charge:
    """Sockets, mapping and process of one channel."""

    def __init__(
        self, spec: ChannelSpec, sockets: ChannelSockets, mapping: Mapping, plans: list[Plan]
    ) -> None:
        self.spec, self.sockets, self.mapping = spec, sockets, mapping
        multicast = spec.wire[1]
        outputs = ((sockets.full_rate, multicast.full_rate), (sockets.decimated, multicast.decimated))
        self.sending = Sending(multicast, outputs)
        self.plans = plans  # compiled once, so that no relay has to before it receives
        # The living relay, and a descriptor of it; none between death and restart.
        self.pid: int | None = None
        self.pidfd = -1
        self.started = 0.0  # monotonic
        self.since = time.time_ns()  # of the present state
        self.reason = ""  # why no relay lives
        self.restarts = 0
        # Times that a relay ended unasked, and how the last one did.
        self.deaths, self.death = 0, ""
        self.quick_deaths = 0
        self.work = 0  # done when the last relay died
        self.stopping = False
        # Monotonic time by which it must have ended, and what the books said was lost when its end began.
        self.end_by = 0.0
        self.lost_before = 0
        # A successor was started to write what a killed one left.
        self.drained = False
        # A descriptor of a relay that was killed and is held by a disk call.
        self.former = -1
        # Clients that wait for the end, and for the next relay.
        self.waiting: list[socket.socket] = []
        self.replacing: list[socket.socket] = []
        self.replaced = False  # its end was asked for, to be followed by another
        # What it goes on with once its relay has ended in order.
        self.following: tuple[ChannelSpec, list[Plan]] | None = None
        self.begun = False  # the living relay has been seen to receive
        # How far the receiver is, and when it was last seen to be farther, or could not be looked at.
        self.progress, self.moved = 0, time.monotonic()

    @classmethod
    def begin(cls, spec: ChannelSpec) -> "Charge":
        """A channel without a relay as yet. RelayError or SchemaError when it cannot be begun."""
        plans = check(spec)
        sockets = ChannelSockets.open(spec)
        if sockets.receive_buffer < spec.receive_buffer_bytes:
            log.warning(
                "%s: the kernel granted a receive buffer of %d bytes, %d were wanted (raise net.core.rmem_max)",
                spec.name, sockets.receive_buffer, spec.receive_buffer_bytes,
            )  # fmt: skip
        return cls(spec, sockets, fresh_mapping(spec), plans)

    @classmethod
    def adopt(cls, adopted: Adopted) -> "Charge":
        """A channel whose relay an earlier keeper started. RelayError when what it hands over is not a channel's."""
        spec = ChannelSpec.from_json(adopted.spec)
        *fds, memory = adopted.fds
        mapping = attach(adopted, memory)
        charge = cls(spec, ChannelSockets.adopt(fds), mapping, compile_plans(spec))
        charge.pid, charge.pidfd, charge.started = adopted.pid, adopted.pidfd, time.monotonic()
        charge.begun = True
        return charge

    def descriptors(self) -> set[int]:
        held = {self.mapping.fd} | {one.fileno() for one in self.sockets.all()}
        return held if self.former < 0 else held | {self.former}

    def fork(self, become_child: Callable[["Charge"], int]) -> None:
        """Start a relay. `become_child` runs in it and gives a descriptor of the run folder."""
        # The relay takes signals only when it has handlers of its own (ChannelRelay.run).
        former = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
        self.mapping.words = ""
        try:
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    status = self._relay(become_child(self))
                finally:
                    os._exit(status)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, former)
        try:
            pidfd = os.pidfd_open(pid)
        except OSError:
            # One that cannot be watched shall not be.
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise
        self.pid, self.pidfd, self.started = pid, pidfd, time.monotonic()
        self.since, self.reason = time.time_ns(), ""
        self.begun, self.moved = False, self.started
        log.info("%s: relay %d started", self.spec.name, pid)

    def _relay(self, run_folder: int) -> int:
        """The relay's life, in its own process."""
        try:
            relay = ChannelRelay(self.spec, self.mapping, self.sockets, run_folder, self.former, self.plans)
            return relay.run()
        except (SpeedDataError, OSError) as error:
            log.error("%s: %s", self.spec.name, error)
            self.mapping.words = str(error)
            return CANNOT_START
        except BaseException as error:
            log.exception("%s: the relay failed", self.spec.name)
            self.mapping.words = f"failed: {error!r}"
            return 1

    def change(self, spec: ChannelSpec) -> None:
        """Have the next relay go by another spec. RelayError where that takes other sockets or another mapping, or cannot be."""
        if differing := self.spec.hard_differences(spec):
            raise RelayError(f"channel {spec.name!r} runs with another {', '.join(differing)}; stop it first")
        self.plans = check(spec)
        self.spec = spec

    def renewable(self, spec: ChannelSpec) -> bool:
        """Whether another spec takes nothing but another mapping, or another buffer of the socket."""
        differing = set(self.spec.hard_differences(spec))
        return bool(differing) and differing <= RENEWED

    def follow_with(self, spec: ChannelSpec) -> None:
        """Note the spec that the next relay begins afresh with. RelayError or SchemaError for one that none can have."""
        self.following = spec, check(spec)

    def renew(self) -> None:
        """Go over to what is to follow: the last relay has ended in order, and packets wait in the socket."""
        assert self.following is not None, "there is something to go over to"
        self.spec, self.plans = self.following
        self.following = None
        os.close(self.mapping.fd)
        self.mapping = fresh_mapping(self.spec)
        self.sockets.adjust(self.spec)
        self.work = 0

    def is_stuck(self, now: float, *, was_away: bool) -> bool:
        """Whether the relay does not go on, though nothing but itself can keep it from that."""
        progress = self.mapping.progress
        if self.pid is None or was_away or progress != self.progress:
            self.progress, self.moved = progress, now
            return False
        return now - self.moved >= self._patience()[0]

    def kill_stuck(self) -> None:
        """End a relay that does not go on, for another to take its place."""
        self.mapping.words = self._patience()[1]
        log.error("%s: relay %d is killed: %s", self.spec.name, self.pid, self.mapping.words)
        self.moved = time.monotonic()
        self.signal(signal.SIGKILL)

    def _patience(self) -> tuple[float, str]:
        """For how long the relay may not go on, and what it is then said to have done."""
        self.begun = self.begun or self.receives()
        if not self.begun:
            return BEGIN_S, f"it did not begin to receive within {BEGIN_S:g} s"
        if self.sockets.receive_used:
            return STUCK_S, f"it took no packet for {STUCK_S:g} s, though some waited"
        return SILENT_S, f"it gave no sign of life for {SILENT_S:g} s"

    def receives(self) -> bool:
        """Whether the relay has begun to receive."""
        return self.pid is not None and self.mapping.movers[0] in threads(self.pid)

    def hangs(self) -> bool:
        """Whether the relay has been killed, and is held by a disk call: nothing of it receives or sends any more."""
        return self.pid is not None and dying(self.pid) and not threads(self.pid) & set(self.mapping.movers)

    def let_go(self) -> int:
        """Take a relay that hangs for dead; its pid. `former` is a descriptor of it, for whoever watches the real end."""
        assert self.pid is not None, "only a living relay can hang"
        pid, self.former, self.pidfd = self.pid, self.pidfd, -1
        self._note_end("killed, and held by a disk call")
        return pid

    def reap(self) -> float:
        """Take note of the relay's death; gives the seconds to wait before the next is started."""
        assert self.pid is not None, "only a living relay is reaped"
        how = end_of(self.pid)
        os.close(self.pidfd)
        self.pidfd = -1
        self._note_end(how)
        too_many = self.quick_deaths - QUICK_DEATHS
        # Not all at the same instant, where one thing has killed many.
        return 0.0 if too_many <= 0 else min(MAX_DELAY_S, 2 ** min(too_many - 1, 10)) * random.uniform(1, 1.2)

    def _note_end(self, how: str) -> None:
        self.reason = reason = f"{how}: {self.mapping.words}" if self.mapping.words else how
        log.log(logging.INFO if self.stopping or self.replaced else logging.WARNING, "%s: relay %d ended: %s",
                self.spec.name, self.pid, reason)  # fmt: skip
        work = _work(self.mapping.stats())
        steady = time.monotonic() - self.started >= STEADY_S or work > self.work
        self.work = work
        self.pid, self.since = None, time.time_ns()
        self.restarts += 1
        if not (self.stopping or self.replaced):
            self.deaths, self.death = self.deaths + 1, reason
        self.quick_deaths = 0 if steady or self.replaced else self.quick_deaths + 1
        self.replaced = False

    def signal(self, number: int) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, number)

    def describe(
        self, *, with_stats: bool = False, with_alarms: bool = False, with_sources: bool = False
    ) -> dict[str, Any]:
        """Name, pid, state, reason, since, restarts, deaths: `degraded` is a relay that lives and does not archive, or send, all it gets."""
        state, reason = self._state(), self.reason
        stats = self.mapping.stats()
        trouble = _trouble(stats) or self.sending.unsent(stats, full_rate=self.spec.full_rate)
        if state == "active" and trouble:
            state, reason = "degraded", trouble
        about: dict[str, Any] = {"name": self.spec.name, "pid": self.pid, "state": state, "reason": reason,
                 "since": self.since, "restarts": self.restarts, "deaths": self.deaths, "death": self.death,
                 "last_packet": stats["last_packet"]}  # fmt: skip
        names = [segment_name(self.spec.name, start) if start else None for start in stats.pop("segments_us")]
        stats |= {"segment": names[0], "segments_in_use": [name for name in names if name]}
        about |= {"alarms": self._alarms()} if with_alarms else {}
        about |= {"sources": self.mapping.sources()} if with_sources else {}
        return about | {"stats": stats | self._socket_stats()} if with_stats else about

    def _state(self) -> str:
        """How its process fares."""
        if self.stopping:
            return "stopped"
        if self.pid is None:
            return "failed" if self.quick_deaths >= FAILED_DEATHS else "backoff"
        self.begun = self.begun or self.receives()
        return "active" if self.begun else "starting"

    def _alarms(self) -> dict[str, Any]:
        """How many signals have limits, their sides that were ever beyond them, and what was not checked."""
        return {
            "limited": len(limited_signals(self.plans)),
            "raised": tell_alarms(self.plans, self.mapping.standings()),
            "ignored": [words for plan in self.plans for words in plan.schema.ignored],
            "skipped_blocks": self.mapping.skipped,
        }

    def _socket_stats(self) -> dict[str, Any]:
        """What the mapping does not tell."""
        address, port = self.sockets.decimated.getsockname()
        full_address, full_port = self.sockets.full_rate.getsockname()
        return {
            "heartbeat": time.time_ns()
            if self.pid
            else None,  # a dead one is reaped before anybody is answered
            "kernel_drops": kernel_drops(self.sockets.input),
            "receive_buffer": {
                "wanted": self.spec.receive_buffer_bytes,
                "granted": self.sockets.receive_buffer,
                "used": self.sockets.receive_used,
            },
            "gro": self.sockets.gro,
            "source": {"address": address, "port": port},
            "full_rate_source": {"address": full_address, "port": full_port},
        }

    def begin_end(self, end_by: float) -> None:
        """From now on the channel ends: what is lost from here is lost by that."""
        self.end_by = end_by
        self.lost_before = sum(self.mapping.stats()["not_archived"].values())

    def written(self) -> int:
        """What only moves when the writer works."""
        stats = self.mapping.stats()
        done: int = stats["blocks"] + stats["fsyncs"] + stats["archived"]
        return done

    def loss_at_end(self) -> str:
        """What the channel's end has lost of what it had received, in words; empty when nothing."""
        stats = self.mapping.stats()
        refused = sum(stats["not_archived"].values())
        left = stats["records"] - stats["archived"] - stats["ring_full"] - refused
        lost = refused - self.lost_before + (0 if self.mapping.clean else left)
        if not lost:
            return ""
        told = f"{counted(lost, 'record', '')} that it had received {'is' if lost == 1 else 'are'} lost"
        if not self.mapping.clean:
            return f"the relay was killed, {told}"
        return f"{told}: {stats['disk_error'] or 'the disk refused them'}"

    def close(self) -> None:
        self.sockets.close()
        os.close(self.mapping.fd)


def check(spec: ChannelSpec) -> list[Plan]:
    """Compile what a relay validates by. RelayError or SchemaError for what no relay on this machine could do."""
    plans = compile_plans(spec)
    if absent := set(spec.cpus or ()) - os.sched_getaffinity(0):
        raise RelayError(f"cpus: {sorted(absent)} cannot be had, there are {sorted(os.sched_getaffinity(0))}")
    return plans


def fresh_mapping(spec: ChannelSpec) -> Mapping:
    return Mapping.create(spec.name, spec.block_bytes, spec.ring_bytes)


def attach(adopted: Adopted, memory: int) -> Mapping:
    """The mapping of an adopted relay. One of another version cannot be gone on with: its relay ends in order, and what comes
    meanwhile waits in the socket for a relay with a fresh one."""
    try:
        return Mapping(memory)
    except ValueError as error:
        log.warning("relay %d: %s; it is replaced", adopted.pid, error)
        os.close(memory)
        signal.pidfd_send_signal(adopted.pidfd, signal.SIGTERM)
        return fresh_mapping(ChannelSpec.from_json(adopted.spec))


def _trouble(stats: dict[str, Any]) -> str:
    """Why records are not archived just now; empty when they are."""
    if stats["disk_error"]:
        return f"not archived: {stats['disk_error']}"
    if stats["rotate_error"]:
        return f"no new segment can be begun, the old one goes on: {stats['rotate_error']}"
    if stats["ring"]["queued"] >= stats["ring"]["blocks"] - 1:
        return "not archived: the disk does not keep up"
    return ""


def _work(stats: dict[str, Any]) -> int:
    """What only moves when a relay works."""
    work: int = stats["packets"] + sum(stats["rejected"].values()) + stats["archived"]
    return work
