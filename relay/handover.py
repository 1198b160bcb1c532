"""How a relay outlives its keeper: a Unix socket of its own, `<data>/run/relay-<channel>.sock`, over which the next keeper gets
the sockets and the mapping (SCM_RIGHTS), and anybody who may open it can change what may change while the relay runs.

A line of JSON is answered by a line of JSON.
"""

import array
import contextlib
import json
import logging
import os
import select
import socket
import struct
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from speeddata.errors import NoRelay, RelayError, SpeedDataError
from speeddata.relay.unix_socket import listen, socket_address

__all__ = ["Adopted", "Door", "ask_relay", "collect", "living_relays"]

log = logging.getLogger(__name__)

PREFIX, SUFFIX = "relay-", ".sock"
LIMIT_S = 2.0
MAX_LINE = 1 << 20
MAX_FDS = 8
CREDENTIALS = struct.Struct("3i")  # pid, uid, gid

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Adopted:
    """What a relay hands over: its pid, a pidfd, its spec, and copies of its descriptors in the order it keeps them."""

    pid: int
    pidfd: int
    spec: Answer
    fds: list[int]

    def close(self) -> None:
        for fd in (self.pidfd, *self.fds):
            os.close(fd)


class Door:
    """The relay's end. `answer` gives a handler per request word, which gets the request and gives an answer and descriptors."""

    def __init__(
        self, folder: int, channel: str, answers: Mapping[str, Callable[[Answer], tuple[Answer, list[int]]]]
    ) -> None:
        self.folder = folder
        self.name = f"{PREFIX}{channel}{SUFFIX}"
        self.answers = answers
        self.listener = listen(folder, self.name, 8)
        self.listener.settimeout(LIMIT_S)

    def fileno(self) -> int:
        return self.listener.fileno()

    def serve(self) -> None:
        """Answer one request."""
        try:
            with self.listener.accept()[0] as client:
                client.settimeout(LIMIT_S)
                line = _read_line(client)
                if not line:  # who only looks whether we live
                    return
                answer, fds = self._answer(line)
                socket.send_fds(client, [json.dumps(answer).encode() + b"\n"], fds)
        except OSError as error:
            log.warning("%s: %s", self.name, error)

    def _answer(self, line: bytes) -> tuple[Answer, list[int]]:
        try:
            request = json.loads(line)
            answer, fds = self.answers[request["op"]](request)
            return {"ok": True, **answer}, fds
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "error": f"not a request: {line[:200]!r}"}, []
        except SpeedDataError as error:
            return {"ok": False, "error": str(error)}, []

    def close(self) -> None:
        """Take the socket away."""
        self.listener.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.name, dir_fd=self.folder)


def relay_sockets(folder: int) -> list[str]:
    """Names of the sockets of relays in a run folder."""
    return sorted(name for name in os.listdir(folder) if name.startswith(PREFIX) and name.endswith(SUFFIX))


def collect(folder: int, known: Collection[str] = ()) -> Iterator[Adopted]:
    """What the living relays of a run folder hand over, but for `known` channels; what dead ones left is taken away."""
    for name in relay_sockets(folder):
        if name.removeprefix(PREFIX).removesuffix(SUFFIX) in known:
            continue
        try:
            yield _adopt(folder, name)
        except ConnectionRefusedError:
            os.unlink(name, dir_fd=folder)
        except (OSError, RelayError) as error:
            log.error("%s: a relay that cannot be adopted: %s", name, error)


def living_relays(folder: int) -> list[int]:
    """Pids of the relays of a run folder, those too that do not answer."""
    found = []
    for name in relay_sockets(folder):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client, contextlib.suppress(OSError):
            client.settimeout(LIMIT_S)
            client.connect(socket_address(folder, name))
            found.append(_peer(client))
    return found


def ask_relay(folder: int, channel: str, request: Answer) -> Answer:
    """Ask a channel's relay; NoRelay when it is not there, as between its death and its successor's start; RelayError when it refuses."""
    try:
        answer, _, fds = _exchange(folder, f"{PREFIX}{channel}{SUFFIX}", request)
    except OSError as error:
        raise NoRelay(f"no relay for channel {channel!r}: {error.strerror or error}") from None
    for fd in fds:
        os.close(fd)
    return answer


def _adopt(folder: int, name: str) -> Adopted:
    answer, pid, fds = _exchange(folder, name, {"op": "adopt"})
    pidfd = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    if poll.poll(0):  # it died since, and its pid may be another's
        Adopted(pid, pidfd, {}, fds).close()
        raise RelayError(f"process {pid} has ended")
    return Adopted(pid, pidfd, answer["spec"], fds)


def _exchange(folder: int, name: str, request: Answer) -> tuple[Answer, int, list[int]]:
    """One request; its answer, who gave it, and the descriptors that came with it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(LIMIT_S)
        client.connect(socket_address(folder, name))
        pid = _peer(client)
        client.sendall(json.dumps(request).encode() + b"\n")
        line, fds = _receive(client)
    try:
        answer: Answer = json.loads(line)
        if not answer.pop("ok"):
            raise RelayError(answer["error"])
    except (ValueError, KeyError, RelayError) as error:
        for fd in fds:
            os.close(fd)
        if isinstance(error, RelayError):
            raise
        raise RelayError(f"not an answer: {line[:200]!r}") from None
    return answer, pid, fds


def _peer(client: socket.socket) -> int:
    """Pid of the process that listens."""
    pid: int = CREDENTIALS.unpack(client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))[
        0
    ]
    return pid


def _receive(client: socket.socket) -> tuple[bytes, list[int]]:
    """A line, and the descriptors that came with its first byte."""
    room = socket.CMSG_SPACE(MAX_FDS * array.array("i").itemsize)
    data, ancillary, _, _ = client.recvmsg(65536, room, socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(content[: len(content) - len(content) % fds.itemsize])
    if data and not data.endswith(b"\n"):
        data += _read_line(client)
    return data, list(fds)


def _read_line(client: socket.socket) -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        data = client.recv(65536)
        if not data or len(line) > MAX_LINE:
            break
        line += data
    return bytes(line)
