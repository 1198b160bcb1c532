"""One channel's relay process: its threads, from start to the last fsync.

receiver    socket -> block, full-rate stream      (receiver.pyx)
decimator   block -> decimated stream, limits      (decimator.pyx)
writer      block -> segment, index, fsync         (writer.pyx)
main        signals, refused packets -> quarantine, alarms -> alarms.json, numbers of signed packets -> counters.json (here)
"""

import contextlib
import errno
import ipaddress
import logging
import math
import os
import select
import signal
import struct
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from speeddata.container import pack_head
from speeddata.errors import RelayError
from speeddata.lock import take_lock
from speeddata.plan import TIME_UNITS, Plan
from speeddata.relay.alarm_file import AlarmFile
from speeddata.relay.counter_file import CounterFile
from speeddata.relay.decimator import Decimator
from speeddata.relay.doorbell import Doorbell
from speeddata.relay.handover import Door
from speeddata.relay.mapping import Mapping
from speeddata.relay.quarantine import Quarantine
from speeddata.relay.receiver import Receiver
from speeddata.relay.repair import last_unit, repair
from speeddata.relay.signature import Signatures
from speeddata.relay.sockets import ChannelSockets
from speeddata.relay.spec import ChannelSpec, Decimation
from speeddata.relay.writer import Writer
from speeddata.schema import Schema
from speeddata.signing import read_keys

__all__ = ["ChannelRelay", "compile_plans"]

log = logging.getLogger(__name__)

CLERK_REST_S = 0.2  # between two looks into the quarantine ring
ON_WIRE = struct.Struct("=I")  # an address as the kernel gives it
REST_MS = 100  # of a writer that waits for the disk


def compile_plans(spec: ChannelSpec) -> list[Plan]:
    """Compile the versions of the channel's schema, oldest first; SchemaError names the field at fault."""
    return [Plan(Schema.parse(version, time_unit=spec.time_unit)) for version in spec.known]


class ChannelRelay:
    """The relay of one channel in this process; where it has a `run_folder` (a descriptor), it can be adopted by a keeper."""

    def __init__(
        self,
        spec: ChannelSpec,
        mapping: Mapping,
        sockets: ChannelSockets,
        run_folder: int = -1,
        former: int = -1,
        plans: list[Plan] | None = None,
    ) -> None:
        """`former` is a pidfd of the channel's last relay, where that has been killed and its writer hangs in a disk call;
        `plans` what `compile_plans` gave, if somebody has asked it already."""
        self.spec = spec
        self.mapping = mapping
        self.sockets = sockets
        self.run_folder = run_folder
        self.door: Door | None = None
        self.plans = plans or compile_plans(spec)
        self.former = former
        self.folder = Path(spec.archive)
        self.folder_fd = self.lock = -1
        # The channel's first relay begins with the folder; a later one receives first, the disk may hold it up.
        self.first = mapping.movers == (0, 0)
        if self.first:
            self._take_folder()
        # Who wakes which thread.
        self.bells = {name: Doorbell() for name in ("receiver", "writer", "decimator", "clerk")}
        self.quarantine = Quarantine(self.folder, spec.quarantine_bytes)
        self.alarms = AlarmFile(self.folder, mapping, self.plans)
        keys = read_keys(spec.sign or ())
        self.signatures = Signatures(spec.name, keys) if keys else None
        self.counters = CounterFile(self.folder, mapping, frozenset(keys))
        # Set by signal handlers.
        self.stopping = False
        self.threads: dict[str, threading.Thread] = {}
        self.failures: list[str] = []

    def run(self, on_report: Callable[[], None] | None = None) -> int:
        """Relay until SIGTERM or SIGINT; the exit status. SIGUSR1 calls `on_report`."""
        self.mapping.clean = False
        if self.first:
            self._open_door()
            self.alarms.restore()
        if self.spec.cpus:
            os.sched_setaffinity(0, self.spec.cpus)
        unit = self._repair() if self.first else None
        receiver = self._receiver()
        self.decimator = self._decimator()
        wake, waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGUSR1, lambda *_: on_report() if on_report else None)
        receiver.resume(TIME_UNITS.get(unit or "", 0))
        # Threads inherit the mask: signals are for the main thread alone.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        bodies = {"receiver": receiver.run, "decimator": self.decimator.run, "writer": self._write}
        for name, body in bodies.items():
            self.threads[name] = threading.Thread(
                target=self._run_thread, args=(name, body, waker), name=name
            )
            self.threads[name].start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, signal.valid_signals())
        # Here, as every millisecond counts until a successor receives.
        if not self.mapping.populate():
            log.warning("%s: receive buffers may not be locked in memory (ulimit -l)", self.spec.name)
        if not self.first:
            self._open_door()
        log.info(
            "%s: relaying from %s:%d to %s", self.spec.name, self.spec.listen, self.spec.port, self.folder
        )
        self._serve(wake)
        return self._stop()

    def _open_door(self) -> None:
        if self.run_folder >= 0:
            answers = {"adopt": self._hand_over, "decimate": self._decimate}
            self.door = Door(self.run_folder, self.spec.name, answers)

    def _take_folder(self) -> None:
        """Make the channel's folder ours. RelayError when another relay has it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        if self.lock < 0:
            refusal = f"channel {self.spec.name!r} has a relay already, process {{pid}}"
            self.lock = take_lock(self.folder / ".lock", refusal)
        self.folder_fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def _write(self) -> None:
        """The writer thread. One disk call of the former relay may still be going on: it is waited for."""
        if self.former >= 0:
            log.warning("%s: the disk hangs; receiving goes on", self.spec.name)
            poll = select.poll()
            poll.register(self.former, select.POLLIN)
            while not poll.poll(REST_MS):
                if self.stopping:
                    raise RelayError("the disk hangs")
        while self.folder_fd < 0:
            try:
                self._take_folder()
            except OSError as error:
                self.mapping.note_disk_error(error.errno or errno.EIO)
                if self.stopping:
                    raise
                time.sleep(REST_MS / 1000)
        writer = self._writer()
        writer.resume()
        writer.run()

    def _hand_over(self, _request: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        """What the next keeper needs."""
        return {"spec": self.spec.to_json()}, [*(one.fileno() for one in self.sockets.all()), self.mapping.fd]

    def _repair(self) -> str | None:
        """Mend what a crash left; the time unit known from before."""
        done, failed = repair(self.folder, self.spec.name)
        for mended in done:
            self.mapping.count_repair(mended.cut_bytes, mended.found_blocks)
            log.warning("%s: repaired %s", self.spec.name, mended)
        for line in failed:
            log.error("%s: cannot be repaired, left as it is: %s", self.spec.name, line)
        return last_unit(self.folder, self.spec.name, self.plans[-1].schema.fingerprint)

    def _receiver(self) -> Receiver:
        bells = self.bells
        self.counters.restore()
        return Receiver(
            self.mapping, self.plans, self.sockets.input.fileno(),
            self.sockets.full_rate.fileno() if self.spec.full_rate else -1,
            self.spec.framing == "single_object", self.sockets.gro, self.spec.busy_poll, self.spec.block_age_s,
            networks(self.spec.sources), bells["receiver"], bells["writer"], bells["decimator"], bells["clerk"],
            self.signatures,
        )  # fmt: skip

    def _decimator(self) -> Decimator:
        how = self.spec.decimation.resolved()
        return Decimator(
            self.mapping,
            self.plans,
            self.spec.framing == "single_object",
            self.sockets.decimated.fileno(),
            *how,
            self.bells["decimator"],
            self.bells["clerk"],
        )

    def _decimate(self, request: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
        """Decimate in another way from now on."""
        decimation = Decimation.from_json(request["decimation"])
        if not self.decimator.change(*decimation.resolved()):
            raise RelayError("the last change of the decimation is not made yet")
        self.spec = replace(self.spec, decimation=decimation)
        return {}, []

    def _writer(self) -> Writer:
        spec = self.spec
        units = {number: name for name, number in TIME_UNITS.items()}
        headers = [
            segment_header(spec.name, plan.schema.text, units.get(number))
            for plan in self.plans
            for number in range(5)
        ]
        return Writer(
            self.mapping, self.folder_fd, spec.name, headers, flush_interval(spec),
            spec.rotation.seconds, spec.rotation.bytes, self.bells["writer"],
        )  # fmt: skip

    def _run_thread(self, name: str, body: Callable[[], None], waker: int) -> None:
        thread = threading.get_native_id()
        if name != "writer":
            self.mapping.sign(name, thread)
        with contextlib.suppress(OSError):  # for who looks with top or htop
            Path(f"/proc/self/task/{thread}/comm").write_text(name)
        try:
            body()
        except Exception as error:
            unforeseen = not isinstance(error, OSError | RelayError)
            log.error("%s: %s thread: %s", self.spec.name, name, error, exc_info=unforeseen)
            self.failures.append(f"{name}: {error}")
        if not self.stopping:
            self.failures.append(f"{name} ended")
            os.write(waker, b"\0")

    def _on_stop(self, *_: Any) -> None:
        self.stopping = True

    def _serve(self, wake: int) -> None:
        """File refused packets, keep alarms and numbers until told to stop, or until a thread fails."""
        poll = select.poll()
        poll.register(wake, select.POLLIN)
        if self.door:
            poll.register(self.door, select.POLLIN)
        clerk = self.bells["clerk"]
        rest_ms = int(CLERK_REST_S * 1000)
        while not self.stopping and not self.failures:
            idle = not any([self._file_refused(), self.alarms.keep()])
            self.counters.keep()
            if idle:
                clerk.lie_down()
                poll.register(clerk.fd, select.POLLIN)
            # What came before we lay down has rung no bell.
            waiting = self.mapping.refused_waiting() or self.alarms.waiting
            events = dict(poll.poll(rest_ms if waiting or not idle else self.counters.rest_ms))
            if idle:
                clerk.get_up()
                poll.unregister(clerk.fd)
            if wake in events:
                os.read(wake, 64)
            if self.door and self.door.fileno() in events:
                self.door.serve()

    def _file_refused(self) -> bool:
        """Put refused packets into quarantine; whether there were any."""
        packets = self.mapping.take_aside()
        if packets:
            try:
                self.mapping.filed(self.quarantine.file(packets))
            except OSError as error:
                log.warning("%s: quarantine: %s", self.spec.name, error)
        return bool(packets)

    def _stop(self) -> int:
        """End the threads in the order of the data: what was received is archived and fsynced."""
        for failure in self.failures:
            log.error("%s: %s", self.spec.name, failure)
            self.mapping.words = failure
        self.stopping = True
        for name in ("receiver", "decimator", "writer"):
            self.bells[name].stop()
            self.threads[name].join()
        while self._file_refused():
            pass
        self.alarms.write()
        self.counters.write()
        if self.door:
            self.door.close()
        for fd in (self.folder_fd, self.lock):
            if fd >= 0:
                os.close(fd)
        self.mapping.clean = not self.failures
        return 1 if self.failures else 0


def networks(sources: Sequence[str] | None) -> list[tuple[int, int]]:
    """Address and mask, as on the wire, of networks such as 192.168.1.0/24; none where packets are taken from everywhere."""
    found = [ipaddress.IPv4Network(source) for source in sources or ()]
    return [
        (ON_WIRE.unpack(one.network_address.packed)[0], ON_WIRE.unpack(one.netmask.packed)[0])
        for one in found
    ]


def flush_interval(spec: ChannelSpec) -> float:
    """Seconds that a block may wait for its fsync: none, some, or until its segment is sealed."""
    return {"block": 0.0, "interval": spec.flush_interval_s, "none": math.inf}[spec.durability]


def segment_header(channel: str, schema_text: str, unit: str | None) -> bytes:
    """What a segment begins with, up to its sync marker."""
    metadata = {"avro.codec": "null", "avro.schema": schema_text, "speeddata.channel": channel}
    if unit:
        metadata["speeddata.time_unit"] = unit
    return pack_head({key: value.encode() for key, value in metadata.items()}, b"")
