"""Asking the keeper of a data folder."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from speeddata.errors import NoKeeper, RelayError
from speeddata.lock import lock_holder
from speeddata.relay.keeper import KEEPER_SOCKET
from speeddata.relay.unix_socket import socket_address

__all__ = ["KeeperClient"]

ANSWER_LIMIT_S = 30.0
LOOK_LIMIT_S = 1.5  # for who only wants to tell how relays fare, and can say that nobody knows
SILENCE_S = 1.0  # for which a keeper that has let somebody wait in vain is not waited for again by these
PING_LIMIT_S = 5.0
START_LIMIT_S = 15.0
LEAVE_LIMIT_S = 2.0
MAX_LOG = 1 << 20


class SilentKeeper(NoKeeper):
    """There is one, and it does not answer."""


class KeeperClient:
    """The keeper of `data`. Each call is a connection of its own, so threads may share a client.

    One that is `hasty` waits but moments to be told how relays fare.
    """

    def __init__(self, data: Path, *, hasty: bool = False) -> None:
        self.data = Path(data).absolute()
        self.hasty = hasty
        self._silent_until = 0.0

    def start_keeper(self) -> int:
        """See that a keeper runs, in a session of its own and nobody's child; its pid."""
        answer = self.ping()
        if answer is None:
            status = self._spawn()
            deadline = time.monotonic() + PING_LIMIT_S
            # Where another was being started at the same moment, that one will answer.
            while (answer := self.ping()) is None:
                if status == 0 or time.monotonic() > deadline or not self._another():
                    raise RelayError(f"the keeper did not start (exit status {status}): {self._last_words()}")
                time.sleep(0.01)
        pid: int = answer["pid"]
        return pid

    def _another(self) -> bool:
        """Whether there is a keeper, though it may not answer yet."""
        with contextlib.suppress(OSError):
            return lock_holder(self.data / "run" / "keeper.lock") is not None
        return False

    def _spawn(self) -> int:
        """Start a keeper and wait until it is ready or has failed."""
        path = self._log_path()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
        if path.exists() and path.stat().st_size > MAX_LOG:
            path.replace(path.with_suffix(".log.1"))
        with path.open("ab") as log:
            return subprocess.run(
                [sys.executable, "-P", "-m", "speeddata.relay", "--keeper", str(self.data)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                timeout=START_LIMIT_S, check=False,
            ).returncode  # fmt: skip

    def _log_path(self) -> Path:
        return self.data / "log" / "keeper.log"

    def _last_words(self) -> str:
        lines = self._log_path().read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"

    def ping(self) -> dict[str, Any] | None:
        """The keeper's pid and number of channels; None when none runs."""
        try:
            return self._ask(PING_LIMIT_S, op="ping")
        except (OSError, RelayError):
            return None

    def start(self, spec: dict[str, Any]) -> int:
        """Start a channel's relay; its pid. RelayError says why not, as when the port is in use."""
        pid: int = self._ask(op="start", spec=spec)["pid"]
        return pid

    def replace(self, name: str, spec: dict[str, Any] | None = None) -> int | None:
        """Have another relay go on with a channel, at once and without a loss; its pid, None when none lives just now.

        Where `spec` differs in the decimation alone, the relay stays and goes over to that without a pause.
        RelayError when `spec` differs in what takes other sockets, as another port.
        """
        pid: int | None = self._ask(op="replace", name=name, spec=spec)["pid"]
        return pid

    def leave(self) -> None:
        """Have the keeper end without its relays, for the next one to adopt them."""
        self._ask(LEAVE_LIMIT_S, op="leave")

    def stop(self, name: str) -> None:
        """Stop a channel's relay and wait until all it received is on the disk."""
        self._ask(op="stop", name=name)

    def list(
        self, name: str | None = None, *, stats: bool = False, sources: bool = False, alarms: bool = False
    ) -> list[dict[str, Any]]:
        """Name, pid, state, reason, since (ns), restarts of one or each channel; with its counters as `stats`, who sends as `sources`,
        and how its signals stand to their limits as `alarms`."""
        request: dict[str, Any] = {
            "op": "list",
            "name": name,
            "stats": stats,
            "sources": sources,
            "alarms": alarms,
        }
        answer = self._ask_hastily(request) if self.hasty else self._ask(**request)
        channels: list[dict[str, Any]] = answer["channels"]
        return channels

    def acknowledge(self, name: str, seen: Sequence[tuple[str, str, int, int]]) -> None:
        """Tell a channel's relay what somebody has acknowledged: signals, sides, epochs, rises."""
        self._ask(op="acknowledge", name=name, seen=seen)

    def stats(self, name: str) -> dict[str, Any]:
        """A channel's counters."""
        for channel in self.list(name, stats=True):
            stats: dict[str, Any] = channel["stats"]
            return stats
        raise RelayError(f"no relay for channel {name!r}")

    def shutdown(self) -> None:
        """Stop all relays, then the keeper, and wait for it."""
        self._ask(op="shutdown")

    def close(self) -> None:
        """Nothing is held between calls."""

    def _ask_hastily(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request of several in a row, of many threads, which together wait no longer than one."""
        if time.monotonic() < self._silent_until:
            raise SilentKeeper(self._silence(LOOK_LIMIT_S))
        try:
            return self._ask(LOOK_LIMIT_S, **request)
        except SilentKeeper:
            self._silent_until = time.monotonic() + SILENCE_S
            raise

    def _silence(self, limit_s: float) -> str:
        return f"the keeper in {self.data} does not answer: nothing came within {limit_s:g} s"

    def _ask(self, limit_s: float = ANSWER_LIMIT_S, **request: Any) -> dict[str, Any]:
        """One request, one answer; RelayError when it is refused or nobody is there."""
        try:
            line = self._exchange(json.dumps(request).encode() + b"\n", limit_s)
        except TimeoutError:
            raise SilentKeeper(self._silence(limit_s)) from None
        except OSError as error:
            raise NoKeeper(f"no keeper in {self.data}: {error.strerror or error}") from None
        try:
            answer = _read(line)
        except ValueError:
            raise RelayError("the keeper ended while it was asked") from None
        if not answer.pop("ok"):
            raise RelayError(answer["error"])
        return answer

    def _exchange(self, request: bytes, limit_s: float = ANSWER_LIMIT_S) -> bytes:
        folder = os.open(self.data / "run", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(limit_s)
                connection.connect(socket_address(folder, KEEPER_SOCKET))
                connection.sendall(request)
                answer = bytearray()
                while not answer.endswith(b"\n"):
                    data = connection.recv(65536)
                    if not data:
                        break
                    answer += data
                return bytes(answer)
        finally:
            os.close(folder)


def _read(line: bytes) -> dict[str, Any]:
    """An answer of the keeper, hundreds of KB each second; numbers that are infinite are what Python's JSON alone can read."""
    try:
        answer: dict[str, Any] = orjson.loads(line)
    except ValueError:
        answer = json.loads(line)
    return answer
