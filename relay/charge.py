"""A channel in the keeper's care: its sockets and mapping, and the process that is its relay just now."""

import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from speeddata.errors import RelayError, SpeedDataError
from speeddata.relay.channel import ChannelRelay, compile_plan
from speeddata.relay.handover import Adopted
from speeddata.relay.mapping import Mapping
from speeddata.relay.sockets import ChannelSockets, kernel_drops
from speeddata.relay.spec import ChannelSpec

__all__ = ["Charge"]

log = logging.getLogger(__name__)

MAX_DELAY_S = 30
QUICK_DEATHS = 3  # in a row that are no reason to wait
STEADY_S = 60.0  # a relay that lived as long as this, or did any work, is followed at once
CANNOT_START = 3


class Charge:
    """Sockets, mapping and process of one channel."""

    def __init__(self, spec: ChannelSpec, sockets: ChannelSockets, mapping: Mapping) -> None:
        self.spec, self.sockets, self.mapping = spec, sockets, mapping
        # The living relay, and a descriptor of it; none between death and restart.
        self.pid: int | None = None
        self.pidfd = -1
        self.started = 0.0  # monotonic
        self.since = time.time_ns()  # of the present state
        self.reason = ""  # why no relay lives
        self.restarts = 0
        self.quick_deaths = 0
        self.work = 0  # done when the last relay died
        self.stopping = False
        # A successor was started to write what a killed one left.
        self.drained = False
        # Clients that wait for the end.
        self.waiting: list[socket.socket] = []

    @classmethod
    def begin(cls, spec: ChannelSpec) -> "Charge":
        """A channel without a relay as yet. RelayError or SchemaError when it cannot be begun."""
        compile_plan(spec)
        if absent := set(spec.cpus or ()) - os.sched_getaffinity(0):
            raise RelayError(
                f"cpus: {sorted(absent)} cannot be had, there are {sorted(os.sched_getaffinity(0))}"
            )
        sockets = ChannelSockets.open(spec)
        if sockets.receive_buffer < spec.receive_buffer_bytes:
            log.warning(
                "%s: the kernel granted a receive buffer of %d bytes, %d were wanted (raise net.core.rmem_max)",
                spec.name, sockets.receive_buffer, spec.receive_buffer_bytes,
            )  # fmt: skip
        return cls(spec, sockets, fresh_mapping(spec))

    @classmethod
    def adopt(cls, adopted: Adopted) -> "Charge":
        """A channel whose relay an earlier keeper started. RelayError when what it hands over is not a channel's."""
        spec = ChannelSpec.from_json(adopted.spec)
        *fds, memory = adopted.fds
        mapping = attach(adopted, memory)
        charge = cls(spec, ChannelSockets.adopt(fds), mapping)
        charge.pid, charge.pidfd, charge.started = adopted.pid, adopted.pidfd, time.monotonic()
        return charge

    def descriptors(self) -> set[int]:
        return {self.mapping.fd} | {one.fileno() for one in self.sockets.all()}

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
        log.info("%s: relay %d started", self.spec.name, pid)

    def _relay(self, run_folder: int) -> int:
        """The relay's life, in its own process."""
        try:
            return ChannelRelay(self.spec, self.mapping, self.sockets, run_folder).run()
        except (SpeedDataError, OSError) as error:
            log.error("%s: %s", self.spec.name, error)
            self.mapping.words = str(error)
            return CANNOT_START
        except BaseException as error:
            log.exception("%s: the relay failed", self.spec.name)
            self.mapping.words = f"failed: {error!r}"
            return 1

    def reap(self) -> float:
        """Take note of the relay's death; gives the seconds to wait before the next is started."""
        assert self.pid is not None, "only a living relay is reaped"
        how = _end_of(self.pid)
        os.close(self.pidfd)
        self.pidfd = -1
        self.reason = f"{how}: {self.mapping.words}" if self.mapping.words else how
        log.log(logging.INFO if self.stopping else logging.WARNING, "%s: relay %d ended: %s",
                self.spec.name, self.pid, self.reason)  # fmt: skip
        work = _work(self.mapping.stats())
        steady = time.monotonic() - self.started >= STEADY_S or work > self.work
        self.work = work
        self.pid, self.since = None, time.time_ns()
        self.restarts += 1
        self.quick_deaths = 0 if steady else self.quick_deaths + 1
        too_many = self.quick_deaths - QUICK_DEATHS
        return 0.0 if too_many <= 0 else float(min(MAX_DELAY_S, 2 ** min(too_many - 1, 10)))

    def signal(self, number: int) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.pidfd, number)

    def describe(self, *, with_stats: bool = False) -> dict[str, Any]:
        """Name, pid, state, reason, since, restarts: `degraded` is a relay that lives and does not archive all it gets."""
        state, reason = "stopped" if self.stopping else "active" if self.pid else "backoff", self.reason
        stats = self.mapping.stats()
        if state == "active" and (trouble := _trouble(stats)):
            state, reason = "degraded", trouble
        about = {"name": self.spec.name, "pid": self.pid, "state": state, "reason": reason,
                 "since": self.since, "restarts": self.restarts}  # fmt: skip
        return about | {"stats": stats | self._socket_stats()} if with_stats else about

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
            },
            "gro": self.sockets.gro,
            "source": {"address": address, "port": port},
            "full_rate_source": {"address": full_address, "port": full_port},
        }

    def unaccounted(self) -> int:
        """Records that were received and are neither archived nor counted as lost."""
        stats = self.mapping.stats()
        lost: int = (
            stats["records"] - stats["archived"] - stats["ring_full"] - sum(stats["not_archived"].values())
        )
        return lost

    def close(self) -> None:
        self.sockets.close()
        os.close(self.mapping.fd)


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


def _end_of(pid: int) -> str:
    """How a dead relay ended; of one that was adopted only its parent is told."""
    try:
        _, status = os.waitpid(pid, 0)
    except ChildProcessError:
        return "ended"
    code = os.waitstatus_to_exitcode(status)
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def _trouble(stats: dict[str, Any]) -> str:
    """Why records are not archived just now; empty when they are."""
    if stats["disk_error"]:
        return f"not archived: {stats['disk_error']}"
    if stats["ring"]["queued"] >= stats["ring"]["blocks"] - 1:
        return "not archived: the disk does not keep up"
    return ""


def _work(stats: dict[str, Any]) -> int:
    """What only moves when a relay works."""
    work: int = stats["packets"] + sum(stats["rejected"].values()) + stats["archived"]
    return work
