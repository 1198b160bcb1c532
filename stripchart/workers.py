"""Several live servers on one port: the kernel gives each new connection to one of them.

Each joins the groups and keeps rings of its own. The parent serves nobody: it starts another worker where one dies, and ends
them all. Workers that lose their parent end too.
"""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from speeddata.heartbeat import BEAT_S, PIPE, VARIABLE, Heartbeat, newest

_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
_QUICK_S = 5.0  # a worker that dies so soon after its start
_PAUSE_S = 1.0  # is replaced only after this time
_END_S = 10.0  # what workers get to end
_SILENT_S = 30.0  # without a sign of life, after which a worker is taken for hanging
_AWAY_S = 5.0  # between two looks, after which we were stopped ourselves, and know nothing of the workers

_log = logging.getLogger(__name__)


def serve(host: str, port: int, count: int, options: Sequence[str]) -> None:
    """Serve with so many workers, each with these options, until SIGTERM or SIGINT. OSError when the address cannot be had."""
    with _reserved(host, port) as free:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        alive, parent = os.pipe()
        command = [*(sys.executable, "-P", "-m", "speeddata.stripchart"), *options]
        command += ["--host", host, "--port", str(free), "--workers", str(count), "--until", str(alive)]
        workers = [_Worker(command, alive) for _ in range(count)]
        try:
            heartbeat = Heartbeat()
            while (got := signal.sigtimedwait(_SIGNALS, BEAT_S)) is None or got.si_signo == signal.SIGCHLD:
                workers = [worker if worker.lives() else worker.again() for worker in workers]
                heartbeat.beat(next((worker.trouble for worker in workers if worker.trouble), ""))
        finally:
            for worker in workers:
                worker.process.terminate()
            for worker in workers:
                worker.end()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            for fd in (alive, parent):
                os.close(fd)


@contextmanager
def _reserved(host: str, port: int) -> Iterator[int]:
    """Hold an address, whose port may be any free one, without listening on it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((host, port))
        yield int(holder.getsockname()[1])


class _Worker:
    """One worker. It ends when nobody holds the other end of the pipe `alive` any more."""

    def __init__(self, command: Sequence[str], alive: int) -> None:
        self._pulse, pulse = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.process = subprocess.Popen(
            command,
            pass_fds=(alive, pulse),
            preexec_fn=_unblock,
            env={**os.environ, VARIABLE: str(pulse)},
        )
        os.close(pulse)
        self._command, self._alive = command, alive
        self._start_s = self._looked_s = time.monotonic()
        self._beaten_s: float | None = None  # when its last sign of life came
        self.trouble = ""  # what keeps it from doing all of its work, as that says

    def lives(self) -> bool:
        """Whether it does; one that gives no signs of life any more is killed, which shows when it has died."""
        now = time.monotonic()
        was_away, self._looked_s = now - self._looked_s > _AWAY_S, now
        try:
            if signs := os.read(self._pulse, PIPE):
                self._beaten_s, self.trouble = now, newest(signs)
        except BlockingIOError:
            if self._beaten_s is not None and was_away:
                self._beaten_s = now
        if self._beaten_s is not None and now - self._beaten_s > _SILENT_S:
            _log.error("worker %d gives no sign of life and is killed", self.process.pid)
            self.process.kill()
        return self.process.poll() is None

    def again(self) -> "_Worker":
        """Another in its place."""
        _log.warning("worker %d ended, another is started", self.process.pid)
        if time.monotonic() - self._start_s < _QUICK_S:
            time.sleep(_PAUSE_S)
        os.close(self._pulse)
        return _Worker(self._command, self._alive)

    def end(self) -> None:
        """Wait for its end, and in the end make it."""
        try:
            self.process.wait(_END_S)
        except subprocess.TimeoutExpired:
            _log.warning("worker %d does not end and is killed", self.process.pid)
            self.process.kill()
            self.process.wait()


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
