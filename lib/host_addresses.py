"""Which interface of this machine has which IPv4 address, as the kernel tells by netlink: numbers that change when an interface
goes and comes back."""

import socket
import struct
from collections.abc import Iterator, Mapping

__all__ = ["address_indexes", "index_of"]

RTM_NEWADDR, RTM_GETADDR = 20, 22
NLM_F_REQUEST, NLM_F_DUMP = 1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
IFA_LOCAL = 2
HEADER = struct.Struct("IHHII")  # struct nlmsghdr
ADDRESS = struct.Struct("4BI")  # struct ifaddrmsg
ATTRIBUTE = struct.Struct("HH")  # struct rtattr
ANSWER_S = 1.0
LOOPBACK = "127.0.0.1"


def address_indexes() -> dict[str, int] | None:
    """The interface's number of each address; None where the kernel does not tell."""
    body = ADDRESS.pack(socket.AF_INET, 0, 0, 0, 0)
    request = HEADER.pack(HEADER.size + len(body), RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + body
    found: dict[str, int] = {}
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
            kernel.settimeout(ANSWER_S)
            kernel.send(request)
            while True:
                for kind, content in _messages(kernel.recv(65536)):
                    if kind == NLMSG_DONE:
                        return found
                    if kind == NLMSG_ERROR:
                        return None
                    if kind == RTM_NEWADDR:
                        found |= _addresses(content)
    except OSError:
        return None


def index_of(address: str, found: Mapping[str, int]) -> int | None:
    """The number of the interface that has an address, of those found; 127.0.0.2 and the like are the loopback's."""
    if address in found:
        return found[address]
    return found.get(LOOPBACK) if address.startswith("127.") else None


def _messages(answer: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + HEADER.size <= len(answer):
        length, kind, *_ = HEADER.unpack_from(answer, at)
        yield kind, answer[at + HEADER.size : at + length]
        at += (max(length, HEADER.size) + 3) // 4 * 4


def _addresses(content: bytes) -> Iterator[tuple[str, int]]:
    """The address that a message tells of, with the interface's number."""
    *_, index = ADDRESS.unpack_from(content)
    at = ADDRESS.size
    while at + ATTRIBUTE.size <= len(content):
        size, attribute = ATTRIBUTE.unpack_from(content, at)
        if attribute == IFA_LOCAL:
            yield socket.inet_ntoa(content[at + ATTRIBUTE.size : at + ATTRIBUTE.size + 4]), index
        at += (max(size, ATTRIBUTE.size) + 3) // 4 * 4
