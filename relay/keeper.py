"""The keeper of a data folder: parent of the relays, holder of what must outlive them.

Single-threaded. It has a session of its own, so that what ends the orchestrator does not end it. It binds the sockets and
makes the mappings, forks relays from its warmed self and forks them again when they die. It is asked over the Unix
socket `<data>/run/keeper.sock`: a line of JSON, answered by a line of JSON (see client.py).
"""

import contextlib
import gc
import logging
import os
import resource
import selectors
import signal
import socket
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from speeddata.errors import RelayError, SpeedDataError
from speeddata.host_addresses import address_indexes
from speeddata.lock import sign_lock, take_lock
from speeddata.relay.charge import Charge
from speeddata.relay.handover import collect
from speeddata.relay.losses import note_loss, reserve_losses
from speeddata.relay.process_state import end_of
from speeddata.relay.replacement import Replacement
from speeddata.relay.request_server import Answer, RequestServer
from speeddata.relay.spec import ChannelSpec

__all__ = ["KEEPER_SOCKET", "Keeper"]

log = logging.getLogger(__name__)

KEEPER_SOCKET = "keeper.sock"
STOP_LIMIT_S = 2.5  # after which a relay that was asked to stop, and does not write, is killed
DRAIN_LIMIT_S = 2.0  # for its successor to write what it left
WRITE_LIMIT_S = (
    24.0  # for all of that, where a slow disk takes so long; less than who waits for the answer waits
)
FORK_AGAIN_S = 1.0
HANG_S = 1.0  # between two looks for relays that were killed and cannot die


class Keeper:
    """Keeps the relays of one data folder until it is told to shut down."""

    def __init__(self, data: Path) -> None:
        run = data.absolute() / "run"
        run.mkdir(parents=True, exist_ok=True, mode=0o750)
        self.folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        _allow_descriptors()
        # One keeper per data folder.
        self.lock = take_lock(run / "keeper.lock", "a keeper runs already, process {pid}")
        self.selector = selectors.DefaultSelector()
        self.channels: dict[str, Charge] = {}
        # Monotonic time and what to do then.
        self.timers: list[tuple[float, Callable[[], None]]] = []
        # Who asked for the shutdown.
        self.leaving: list[socket.socket] = []
        # What our end costs: why something that was received is not on the disk.
        self.losses: list[str] = []
        self.stopping = False
        # Told to end without its relays.
        self.left = False
        self.waker = -1
        self._looked_at = time.monotonic()
        self._adopt()
        self.server = RequestServer(self.folder, KEEPER_SOCKET, self.selector, self._after, self._handle)
        self.replacement = Replacement(self.folder, self._after, self.server.answer, self._end_in_order)

    def _adopt(self) -> None:
        """Go on with the relays of a keeper that was killed."""
        for adopted in collect(self.folder, self.channels):
            try:
                charge = Charge.adopt(adopted)
            except (SpeedDataError, ValueError, OSError, MemoryError) as error:
                log.error("relay %d cannot be adopted: %s", adopted.pid, error)
                adopted.close()
                continue
            self.channels[charge.spec.name] = charge
            self._watch(charge)
            log.info("%s: relay %d adopted", charge.spec.name, adopted.pid)

    def run(self) -> int:
        """Serve until the last relay has ended after a shutdown, or until told to leave; the exit status."""
        sign_lock(self.lock)  # which was taken by our parent
        with contextlib.suppress(OSError):
            reserve_losses(self.folder)
        wake, self.waker = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(self.waker)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        self.selector.register(wake, selectors.EVENT_READ, (self._on_signal, (wake,)))
        gc.collect()
        gc.freeze()  # the objects there are stay on the pages that the relays share
        log.info("keeper %d ready", os.getpid())
        self._look_for_hanging()
        while not self.left and (self.channels or not self.stopping):
            timeout = max(0.0, min(self.timers)[0] - time.monotonic()) if self.timers else None
            for key, _ in self.selector.select(timeout):
                handler, arguments = key.data
                self._try(partial(handler, *arguments))
            self._run_timers()
        answer: Answer = {"ok": False, "error": "; ".join(self.losses)} if self.losses else {"ok": True}
        for client in self.leaving:
            self.server.answer(client, answer)
        os.unlink(KEEPER_SOCKET, dir_fd=self.folder)
        log.info("keeper %d ends", os.getpid())
        return 0

    def _run_timers(self) -> None:
        now = time.monotonic()
        due = [timer for timer in self.timers if timer[0] <= now]
        self.timers = [timer for timer in self.timers if timer[0] > now]
        for _, action in sorted(due, key=lambda timer: timer[0]):
            self._try(action)

    @staticmethod
    def _try(action: Callable[[], None]) -> None:
        """What goes wrong with one channel is not to end those of all."""
        try:
            action()
        except Exception:
            log.exception("the keeper goes on")

    def _after(self, delay: float, action: Callable[[], None]) -> None:
        # A little apart, for tuples with the same time would compare their functions.
        when = time.monotonic() + delay
        while any(when == timer[0] for timer in self.timers):
            when += 1e-6
        self.timers.append((when, action))

    def _on_signal(self, wake: int) -> None:
        if {signal.SIGTERM, signal.SIGINT} & set(os.read(wake, 64)):
            self._shut_down()

    # Requests

    def _handle(self, client: socket.socket, request: Answer) -> Answer | None:
        handler: Callable[[socket.socket, Answer], Answer | None] | None = getattr(
            self, f"handle_{request['op']}", None
        )
        if handler is None:
            raise RelayError(f"not a request: {request['op']!r}")
        return handler(client, request)

    def handle_ping(self, _client: socket.socket, _request: Answer) -> Answer:
        return {"pid": os.getpid(), "channels": len(self.channels)}

    def handle_list(self, _client: socket.socket, request: Answer) -> Answer:
        name = request.get("name")
        told = {f"with_{key}": bool(request.get(key)) for key in ("stats", "sources", "alarms")}
        shown = [charge for charge in self.channels.values() if name in (None, charge.spec.name)]
        return {"channels": [charge.describe(**told) for charge in shown]}

    def handle_acknowledge(self, _client: socket.socket, request: Answer) -> Answer:
        """Signals, sides, epochs and rises that somebody has acknowledged; how many of them there are."""
        mapping = self._charge(request).mapping
        return {"known": sum(mapping.acknowledge(*one) for one in request["seen"])}

    def handle_start(self, _client: socket.socket, request: Answer) -> Answer:
        spec = ChannelSpec.from_json(request["spec"])
        if spec.name not in self.channels:
            self._adopt()  # its relay may have been too young when we began
        charge = self.channels.get(spec.name)
        if charge is None:
            if self.stopping:
                raise RelayError("the keeper is shutting down")
            charge = Charge.begin(spec)
            self._fork(charge)
            self.channels[spec.name] = charge
        elif charge.spec != spec or charge.stopping:
            raise RelayError(f"channel {spec.name!r} runs already, with other settings; stop it first")
        return {"pid": charge.pid}

    def handle_replace(self, client: socket.socket, request: Answer) -> Answer | None:
        """Another relay for a channel, or another spec; packets wait in the socket meanwhile."""
        wanted = ChannelSpec.from_json(request["spec"]) if request.get("spec") else None
        return self.replacement.begin(client, self._charge(request), wanted)

    def handle_leave(self, client: socket.socket, _request: Answer) -> None:
        """The keeper alone ends, for another to adopt its relays."""
        self.leaving.append(client)
        self.left = True

    def handle_stop(self, client: socket.socket, request: Answer) -> None:
        charge = self._charge(request)
        charge.waiting.append(client)
        self._stop(charge)

    def handle_shutdown(self, client: socket.socket, _request: Answer) -> None:
        self.leaving.append(client)
        self._shut_down()

    def _charge(self, request: Answer) -> Charge:
        try:
            return self.channels[request["name"]]
        except KeyError:
            raise RelayError(f"no relay for channel {request.get('name')!r}") from None

    # Relays

    def _shut_down(self) -> None:
        self.stopping = True
        for charge in list(self.channels.values()):
            self._stop(charge)

    def _stop(self, charge: Charge) -> None:
        if charge.stopping:
            return
        charge.stopping = True
        charge.begin_end(time.monotonic() + WRITE_LIMIT_S)
        if charge.pid is None:
            self._end(charge)
        else:
            self._terminate(charge, STOP_LIMIT_S)

    def _terminate(self, charge: Charge, limit_s: float) -> None:
        """Ask the relay to end, and kill it when it does not; as long as it writes, it is given time."""
        charge.signal(signal.SIGTERM)
        pid, written = charge.pid, charge.written()

        def look() -> None:
            nonlocal written
            if charge.pid != pid:
                return
            before, written = written, charge.written()
            if written > before and time.monotonic() + limit_s < charge.end_by:
                self._after(limit_s, look)
            else:
                charge.signal(signal.SIGKILL)

        self._after(limit_s, look)

    def _end_in_order(self, charge: Charge) -> None:
        """Have a relay end that another is to follow."""
        charge.end_by = time.monotonic() + WRITE_LIMIT_S
        self._terminate(charge, STOP_LIMIT_S)

    def _end(self, charge: Charge) -> None:
        """The channel's last relay is dead. What it left, because it was killed, a successor writes, once."""
        if not charge.mapping.clean and not charge.drained:
            charge.drained = True
            self._fork(charge)
            self._terminate(charge, DRAIN_LIMIT_S)
        else:
            self._forget(charge)

    def _fork(self, charge: Charge) -> None:
        try:
            charge.fork(self._become_child)
        except OSError as error:
            if charge.spec.name not in self.channels:
                charge.close()
                raise
            log.error("%s: no process for its relay: %s", charge.spec.name, error)
            self._after(FORK_AGAIN_S, lambda: self._fork_again(charge))
            return
        self._watch(charge)
        self.replacement.tell(charge)

    def _fork_again(self, charge: Charge) -> None:
        """The next relay, unless there is one, or the channel has ended, since this was put off."""
        here = self.channels.get(charge.spec.name) is charge
        if here and charge.pid is None and charge.stopping == charge.drained:
            self._fork(charge)

    def _watch(self, charge: Charge) -> None:
        self.selector.register(charge.pidfd, selectors.EVENT_READ, (self._on_exit, (charge,)))

    def _become_child(self, charge: Charge) -> int:
        """In the relay: let go of everything that is the keeper's or another channel's, but for the run folder."""
        signal.set_wakeup_fd(-1)
        keep = charge.descriptors()
        for entry in list(self.selector.get_map().values()):
            if entry.fd not in keep:
                with contextlib.suppress(OSError):
                    os.close(entry.fd)
        for other in self.channels.values():
            for fd in other.descriptors() - keep:
                os.close(fd)
        self.selector.close()
        for fd in (self.lock, self.waker):
            os.close(fd)
        return self.folder

    def _on_exit(self, charge: Charge) -> None:
        self.selector.unregister(charge.pidfd)
        delay = charge.reap()
        if charge.stopping:
            self._end(charge)
        else:
            delay = self.replacement.ended(charge, delay)
            self._after(delay, lambda: self._fork_again(charge))

    def _look_for_hanging(self) -> None:
        """End relays that do not go on, and follow those that cannot die, as a disk holds one of their threads: others may receive.

        Live streams whose interface has come back go by it again.
        """
        # First of all, so that nothing that goes wrong below makes this look the last.
        self._after(HANG_S, self._look_for_hanging)
        now = time.monotonic()
        # Who was stopped ourselves, as with the whole machine, has not seen what the others did.
        was_away, self._looked_at = now - self._looked_at > 3 * HANG_S, now
        found = address_indexes()
        for charge in list(self.channels.values()):
            self._try(partial(self._look_at, charge, found, now, was_away=was_away))

    def _look_at(
        self, charge: Charge, found: Mapping[str, int] | None, now: float, *, was_away: bool
    ) -> None:
        charge.sending.look(found)
        if charge.is_stuck(now, was_away=was_away):
            charge.kill_stuck()
            return  # whether something holds it the next look tells
        if not charge.hangs():
            return
        self.selector.unregister(charge.pidfd)
        pid = charge.let_go()
        self.selector.register(
            charge.former, selectors.EVENT_READ, (self._on_late_exit, (charge, pid, charge.former))
        )
        if charge.stopping:
            self._end(charge)
        else:
            self._fork(charge)

    def _on_late_exit(self, charge: Charge, pid: int, pidfd: int) -> None:
        self.selector.unregister(pidfd)
        log.warning("%s: relay %d has ended at last: %s", charge.spec.name, pid, end_of(pid))
        os.close(pidfd)
        charge.former = -1

    def _forget(self, charge: Charge) -> None:
        """The channel has ended: close what was held for it, tell who waits."""
        answer: Answer = {"ok": True}
        if words := charge.loss_at_end():
            answer = {"ok": False, "error": words}
            log.error("%s: %s", charge.spec.name, words)
            if self.stopping:
                self._note_loss(f"{charge.spec.name}: {words}")
        self.channels.pop(charge.spec.name, None)
        charge.close()
        for client in charge.waiting:
            self.server.answer(client, answer)
        for client in charge.replacing:
            self.server.answer(client, {"ok": False, "error": f"channel {charge.spec.name!r} was stopped"})

    def _note_loss(self, line: str) -> None:
        """Keep what our end costs a channel for who waits for it, and for who looks afterwards."""
        self.losses.append(line)
        with contextlib.suppress(OSError):
            note_loss(self.folder, line)


def _allow_descriptors() -> None:
    """Raise the limit of open files as far as it goes: a channel takes five."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
