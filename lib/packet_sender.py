"""Sends records as UDP packets, one in each, plain or framed, no faster than it is told: what `send` and `replay` have in common."""

import errno
import socket
import time
from typing import Self

from speeddata.errors import SpeedDataError
from speeddata.schema import Schema

__all__ = ["FRAMINGS", "MAX_RATE", "NotSent", "PacketSender", "Pacer", "address_of", "frame_of"]

MAX_RATE = 20_000.0  # packets a second, where nothing else bounds them: sockets' buffers are small by default
BURST = 32  # packets that may make up for time that was lost
RESOLUTION_S = 0.0005  # below which it is not worth sleeping for a rate
LONGEST_S = 86400.0  # of one sleep: the system refuses to sleep for centuries
FRAMINGS = ("plain", "single_object")
MARK = b"\xc3\x01"


class NotSent(SpeedDataError):
    """A packet that could not be sent, or that nobody received."""


def frame_of(framing: str, schema: Schema) -> bytes:
    """What stands before each record."""
    return MARK + schema.fingerprint if framing == "single_object" else b""


def address_of(text: str) -> tuple[str, int]:
    """Host and port of HOST:PORT; ValueError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError(f"{text!r}, wanted HOST:PORT such as 127.0.0.1:26000")
    return host.strip("[]"), int(port)


class PacketSender:
    """Sends to one address."""

    def __init__(self, host: str, port: int) -> None:
        self.to = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self.sent = 0  # packets
        self.bytes = 0
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            self._socket = socket.socket(family, kind, protocol)
            # Connected, so that the kernel tells when nobody has the port.
            self._socket.connect(address)
        except (OSError, UnicodeError) as error:  # UnicodeError: a host that cannot be
            raise NotSent(f"{self.to}: {getattr(error, 'strerror', None) or error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()

    def send(self, packet: bytes) -> bool:
        """Send a packet; False for one that is larger than packets can be."""
        try:
            self._socket.send(packet)
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                return False
            self._refuse(error.errno or 0)
        self.sent += 1
        self.bytes += len(packet)
        return True

    def finish(self) -> None:
        """NotSent if the last packets found nobody, as far as the kernel has been told."""
        if code := self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._refuse(code)

    def _refuse(self, code: int) -> None:
        if code == errno.ECONNREFUSED:
            raise NotSent(f"nobody receives at {self.to}; is the channel's relay running?")
        raise NotSent(f"{self.to}: {errno.errorcode.get(code, code)}")


class Pacer:
    """Waits so that packets go when they are due, and no more than `rate` a second."""

    def __init__(self, rate: float = MAX_RATE) -> None:
        self._step = 1 / rate
        self._next = time.monotonic()

    def wait(self, due: float | None = None) -> None:
        """Wait for the turn of a packet; `due` is a time by time.monotonic()."""
        now = time.monotonic()
        self._next = max(self._next, now - BURST * self._step)
        if due is not None and due > max(now, self._next):
            while (left := due - time.monotonic()) > 0:
                time.sleep(min(left, LONGEST_S))
        elif self._next - now > RESOLUTION_S:
            time.sleep(self._next - now)
        self._next += self._step
