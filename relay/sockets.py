"""The sockets of a channel: one that receives, two that send. They outlive the relay that uses them."""

import contextlib
import errno
import ipaddress
import logging
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from speeddata.errors import RelayError
from speeddata.kernel_buffers import SEND_BUFFER
from speeddata.relay.sending import ABSENT, set_way
from speeddata.relay.spec import ChannelSpec, Group, Multicast

__all__ = ["UDP_SEGMENT", "ChannelSockets", "kernel_drops", "open_input", "open_output"]

log = logging.getLogger(__name__)

SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
SO_MEMINFO = 55
UDP_SEGMENT = 103
UDP_GRO = 104
IP_MULTICAST_ALL = 49
MEMINFO = struct.Struct("9I")
ALLOCATED, DROPS = 0, 8  # places in SO_MEMINFO of the bytes in use and of the drop count


@dataclass(frozen=True, slots=True)
class ChannelSockets:
    """The sockets of one channel."""

    input: socket.socket
    full_rate: socket.socket
    decimated: socket.socket

    @classmethod
    def open(cls, spec: ChannelSpec) -> "ChannelSockets":
        """Bind and connect; RelayError when the input port cannot be had. Outputs whose interface is not there are connected later."""
        port, multicast = spec.wire
        with contextlib.ExitStack() as undo:
            source = undo.enter_context(open_input(spec.listen, port, spec.receive_buffer_bytes))
            full = undo.enter_context(open_output(multicast, multicast.full_rate, may_wait=True))
            decimated = undo.enter_context(open_output(multicast, multicast.decimated, may_wait=True))
            undo.pop_all()
        if spec.gro:
            join_packets(source)
        return cls(source, full, decimated)

    @classmethod
    def adopt(cls, fds: Sequence[int]) -> "ChannelSockets":
        """Those that another process opened; in the order of `all`."""
        return cls(*(socket.socket(fileno=fd) for fd in fds))

    def adjust(self, spec: ChannelSpec) -> None:
        """Have the input socket as another spec of the channel wants it; what waits in it stays."""
        set_receive_buffer(self.input, spec.receive_buffer_bytes)
        with contextlib.suppress(OSError):  # a kernel that does not know how
            self.input.setsockopt(socket.IPPROTO_UDP, UDP_GRO, int(spec.gro))

    @property
    def receive_buffer(self) -> int:
        """Bytes of receive buffer that the kernel granted."""
        return self.input.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) // 2

    @property
    def receive_used(self) -> int:
        """Bytes of it that hold packets just now, as the kernel counts them (more than the packets' own)."""
        return _memory(self.input)[ALLOCATED] // 2

    @property
    def gro(self) -> bool:
        """Whether the kernel joins packets of equal size."""
        try:
            return bool(self.input.getsockopt(socket.IPPROTO_UDP, UDP_GRO))
        except OSError:  # it does not know how
            return False

    def close(self) -> None:
        for one in self.all():
            one.close()

    def all(self) -> tuple[socket.socket, socket.socket, socket.socket]:
        return self.input, self.full_rate, self.decimated


def open_input(address: str, port: int, buffer: int) -> socket.socket:
    """A UDP socket bound to the channel's port, with kernel time stamps and as large a buffer as can be had. RelayError for a group."""
    if ipaddress.IPv4Address(address).is_multicast:
        raise RelayError(
            f"port {port} on {address}: a multicast group is no input, what is sent live would come back"
        )
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        set_receive_buffer(sock, buffer)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        # Without this a socket bound to 0.0.0.0 hears every group that anybody on the host has joined, its own too.
        sock.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 0)
        sock.bind((address, port))
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise RelayError(f"port {port} on {address} is in use{_owner(port)}") from None
        raise RelayError(f"port {port} on {address}: {error.strerror}") from None
    return sock


def set_receive_buffer(sock: socket.socket, size: int) -> None:
    """Ask for a buffer beyond rmem_max, which root may have; else for as much as anybody may."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, size)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


def join_packets(sock: socket.socket) -> None:
    """Have the kernel join packets of equal size from one sender (UDP_GRO), where it can."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)


def open_output(multicast: Multicast, group: Group, *, may_wait: bool = False) -> socket.socket:
    """A UDP socket connected to a group, sending by the interface given. With `may_wait` it is connected to nothing as yet where
    the interface is not there, or down: what is sent fails, and is counted, until `Sending` has found the way."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, multicast.ttl)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        set_way(sock, multicast.interface, group)
    except OSError as error:
        words = f"multicast {group.address}:{group.port} by interface {multicast.interface}: {error.strerror}"
        if not (may_wait and error.errno in ABSENT):
            sock.close()
            raise RelayError(words) from None
        log.warning("%s; nothing is sent there until it is", words)
    return sock


def kernel_drops(sock: socket.socket) -> int:
    """Datagrams that the kernel dropped for want of buffer, since the socket was made."""
    return _memory(sock)[DROPS]


def _memory(sock: socket.socket) -> tuple[int, ...]:
    return MEMINFO.unpack(sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO.size))


def _owner(port: int) -> str:
    """Who has a UDP port, as far as /proc tells."""
    inodes = set(_inodes(port))
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            target = os.readlink(link)
            if target.startswith("socket:[") and target[8:-1] in inodes:
                name = (link.parents[1] / "comm").read_text().strip()
                return f" (by process {link.parents[1].name}, {name})"
    return ""


def _inodes(port: int) -> Iterator[str]:
    for line in Path("/proc/net/udp").read_text().splitlines()[1:]:
        columns = line.split()
        if int(columns[1].rpartition(":")[2], 16) == port:
            yield columns[9]
