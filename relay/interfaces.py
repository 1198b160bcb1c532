"""This machine's network interfaces, as the kernel tells them by ioctl and netlink: addresses, flags, and who a route goes out by.

Nothing is sent anywhere.
"""

import contextlib
import ctypes
import fcntl
import socket
import struct
from dataclasses import dataclass

__all__ = ["Interface", "ask_kernel", "by_address", "interfaces", "route_out"]

SIOCGIFCONF, SIOCGIFFLAGS = 0x8912, 0x8913
UP, LOOPBACK, RUNNING, MULTICAST = 1 << 0, 1 << 3, 1 << 6, 1 << 12
IFREQ = 16 + (24 if struct.calcsize("P") == 8 else 16)  # bytes of struct ifreq
ADDRESS = 20  # where in it the bytes of an IPv4 address are
MOST = 1024  # addresses
RTM_GETROUTE, NLM_F_REQUEST, NLMSG_ERROR = 26, 1, 2
RTA_DST, RTA_OIF = 1, 4
HEADER = struct.Struct("IHHII")  # struct nlmsghdr
ROUTE = struct.Struct("8BI")  # struct rtmsg
ATTRIBUTE = struct.Struct("HH")  # struct rtattr


@dataclass(frozen=True)
class Interface:
    """An interface and its IPv4 addresses."""

    name: str
    addresses: tuple[str, ...]
    flags: int

    @property
    def up(self) -> bool:
        return bool(self.flags & UP)

    @property
    def running(self) -> bool:
        """Whether it has a carrier."""
        return bool(self.flags & RUNNING)

    @property
    def multicast(self) -> bool:
        return bool(self.flags & MULTICAST)

    @property
    def loopback(self) -> bool:
        return bool(self.flags & LOOPBACK)


def interfaces() -> list[Interface]:
    """All there are, those without addresses too."""
    addresses: dict[str, list[str]] = {}
    for name, address in _addresses():
        addresses.setdefault(name, []).append(address)
    found = []
    for _, name in socket.if_nameindex():
        with contextlib.suppress(OSError):  # it has just gone
            request = bytearray(struct.pack(f"16s{IFREQ - 16}x", name.encode()))
            ask_kernel(SIOCGIFFLAGS, request)
            flags = struct.unpack_from("H", request, 16)[0]
            found.append(Interface(name, tuple(addresses.get(name, ())), flags))
    return found


def by_address(address: str) -> Interface | None:
    """The interface that has an address; 127.0.0.2 and the like are the loopback's, as far as it has 127.0.0.1."""
    found = interfaces()
    for one in found:
        if address in one.addresses:
            return one
    if address.startswith("127."):
        return next((one for one in found if one.loopback and "127.0.0.1" in one.addresses), None)
    return None


def _addresses() -> list[tuple[str, str]]:
    """Name of the interface and address, for each address. Labels such as eth0:1 are of the interface before the colon."""
    room = bytearray(MOST * IFREQ)
    place = ctypes.addressof((ctypes.c_char * len(room)).from_buffer(room))
    request = bytearray(struct.pack("iP", len(room), place))
    ask_kernel(SIOCGIFCONF, request)
    length = struct.unpack_from("i", request)[0]
    return [
        (
            room[at : at + 16].partition(b"\0")[0].decode().partition(":")[0],
            socket.inet_ntoa(room[at + ADDRESS : at + ADDRESS + 4]),
        )
        for at in range(0, length, IFREQ)
    ]


def ask_kernel(request: int, about: bytearray) -> None:
    """An ioctl about interfaces; the answer comes in `about`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, request, about)


def route_out(address: str) -> str | None:
    """The interface by which the kernel would send to an address of its own choice; None when there is no route."""
    to = ATTRIBUTE.pack(ATTRIBUTE.size + 4, RTA_DST) + socket.inet_aton(address)
    body = ROUTE.pack(socket.AF_INET, 32, *(0,) * 6, 0) + to
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.send(HEADER.pack(HEADER.size + len(body), RTM_GETROUTE, NLM_F_REQUEST, 1, 0) + body)
        answer = kernel.recv(8192)
    length, kind, *_ = HEADER.unpack_from(answer)
    if kind == NLMSG_ERROR:
        return None
    at = HEADER.size + ROUTE.size
    while at < length:
        size, attribute = ATTRIBUTE.unpack_from(answer, at)
        if attribute == RTA_OIF:
            return socket.if_indextoname(struct.unpack_from("I", answer, at + ATTRIBUTE.size)[0])
        at += (size + 3) // 4 * 4
    return None
