"""What `speeddata doctor` says of the kernel's buffers: receive, send, backlog, all of UDP's memory, memberships.

Packets wait in the socket from a relay's death until the next one receives. That loses none as long as
rate x kernel memory per packet x gap < buffer. The memory per packet is measured here, on the loopback interface.
"""

import errno
import os
import shlex
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from speeddata.kernel_buffers import DEFAULT_BUFFER, SEND_BUFFER
from speeddata.relay.doctor_check import Check, Remedy, Subject, mend, number, size_text, unknown, well
from speeddata.relay.interfaces import by_address
from speeddata.relay.sockets import MEMINFO, SO_MEMINFO, open_input

__all__ = ["FOR_GOOD", "GAP_S", "SIZES", "buffer_remedies", "check_buffers", "check_limits", "measure_buffer"]

GAP_S = 0.02  # from a relay's death until the next one receives
SIZES = (64, 200, 1400, 8000)  # bytes of a packet
PROBES = 16  # packets of each size
RMEM_ALLOC, RCVBUF = 0, 1  # places in SO_MEMINFO
# Not the file of `speeddata service install`, which would then refuse to replace it.
FOR_GOOD = "/etc/sysctl.d/91-speeddata-doctor.conf"
BACKLOG, LONGER_BACKLOG = 1000, 10000  # packets; the longer one where some were dropped
DROPPED = 1  # column of softnet_stat


@dataclass(frozen=True)
class Least:
    """A setting of the kernel that must be so much at least."""

    name: str
    key: str
    wanted: int
    what: str


LEAST = (
    Least("default_buffer", "net.core.rmem_default", DEFAULT_BUFFER, "bytes of receive buffer of programs that ask for none"),
    Least("send_buffer", "net.core.wmem_max", SEND_BUFFER, "bytes of send buffer that a stream may have"),
    Least("memberships", "net.ipv4.igmp_max_memberships", 20, "multicast groups that a socket may join"),
)  # fmt: skip


def measure_buffer(subject: Subject) -> dict[str, Any]:
    """Bytes of buffer wanted and granted, and for each packet size the kernel memory and the rate that loses nothing."""
    wanted = subject.receive_buffer
    with open_input("127.0.0.1", 0, wanted) as receiver:
        granted = _memory(receiver)[RCVBUF]
        packets = [_packet(receiver, size, granted) for size in SIZES]
    return {
        "receive_buffer": {"wanted": wanted, "granted": granted // 2, "rmem_max": _rmem_max(subject)},
        "gap_s": GAP_S,
        "packets": packets,
    }


def _memory(receiver: socket.socket) -> tuple[int, ...]:
    return MEMINFO.unpack(receiver.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, MEMINFO.size))


def _packet(receiver: socket.socket, size: int, granted: int) -> dict[str, Any]:
    """What packets of a size take in the kernel. `granted` is as the kernel counts it: twice what was asked for.

    A small buffer does not take them all in. OSError when none arrives.
    """
    before = _memory(receiver)[RMEM_ALLOC]
    taken = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(PROBES):
            sender.sendto(bytes(size), receiver.getsockname())
    used = _memory(receiver)[RMEM_ALLOC] - before
    receiver.setblocking(False)
    while True:
        try:
            receiver.recv(65536)
        except BlockingIOError:
            break
        taken += 1
    if not taken:
        raise OSError(errno.ENETUNREACH, "packets to 127.0.0.1 do not arrive")
    memory = used // taken
    return {"bytes": size, "kernel_bytes": memory, "rate": int(granted / (memory * GAP_S))}


def check_buffers(subject: Subject) -> Iterator[Check]:
    """The receive buffer that a relay gets, and what users other than root may get."""
    rmem_max = _rmem_max(subject)
    wanted = subject.receive_buffer
    loopback = by_address("127.0.0.1")
    if loopback is None or not loopback.up:
        remedy = Remedy("mend it with", "sudo ip link set dev lo up")
        yield mend(
            "receive_buffer",
            "receive buffer: not to be examined while the loopback interface is down",
            remedy,
        )
        return
    with open_input("127.0.0.1", 0, wanted) as receiver:
        granted = _memory(receiver)[RCVBUF] // 2
    limit = "net.core.rmem_max is " + ("not shown" if rmem_max is None else str(rmem_max))
    text = f"receive buffer: {granted} bytes of {wanted} wanted"
    if granted < wanted:
        yield mend("receive_buffer", f"{text}, {limit}", *buffer_remedies(wanted))
    elif rmem_max is not None and rmem_max < wanted:
        text = f"receive buffer: {limit}, {wanted} wanted: it is granted to root alone"
        yield mend("receive_buffer", text, *buffer_remedies(wanted))
    else:
        yield well("receive_buffer", text)


def _rmem_max(subject: Subject) -> int | None:
    return number(subject.read("proc/sys/net/core/rmem_max"))


def buffer_remedies(wanted: int) -> tuple[Remedy, ...]:
    """What lets everybody have so large a receive buffer."""
    return _remedies(f"net.core.rmem_max={wanted}")


def check_limits(subject: Subject) -> Iterator[Check]:
    """The kernel's other limits."""
    for least in LEAST:
        yield _check(subject, least)
    yield _check(subject, _backlog(subject))
    yield _check_udp_memory(subject)


def _check(subject: Subject, least: Least) -> Check:
    value = number(subject.read(f"proc/sys/{least.key.replace('.', '/')}"))
    if value is None:
        return unknown(least.name, f"{least.key} is not shown here")
    text = f"{least.key} is {value}"
    if value >= least.wanted:
        return well(least.name, f"{text}: {least.what}")
    remedies = _remedies(f"{least.key}={least.wanted}")
    return mend(least.name, f"{text}, {least.wanted} wanted: {least.what}", *remedies)


def _backlog(subject: Subject) -> Least:
    """How long the queue between network card and sockets is to be: longer where packets were dropped."""
    lines = (subject.read("proc/net/softnet_stat") or "").splitlines()
    dropped = sum(int(line.split()[DROPPED], 16) for line in lines)
    what = f"packets that may wait for a processor; {dropped} were dropped since the machine started"
    return Least("backlog", "net.core.netdev_max_backlog", LONGER_BACKLOG if dropped else BACKLOG, what)


def _check_udp_memory(subject: Subject) -> Check:
    """Whether a full receive buffer fits into what all UDP sockets together may hold.

    Of the three numbers the first counts: beyond it the kernel grants a socket no more than a page or so, as UDP has
    no state of pressure (__sk_mem_raise_allocated). It reckons with twice the buffer that was asked for.
    """
    told = [number(one) for one in (subject.read("proc/sys/net/ipv4/udp_mem") or "").split()]
    page = os.sysconf("SC_PAGE_SIZE")
    wanted = -(-2 * subject.receive_buffer // page)
    if len(told) != 3 or told[0] is None:
        return unknown("udp_memory", "net.ipv4.udp_mem is not shown here")
    text = f"net.ipv4.udp_mem allows {size_text(told[0] * page)} to all UDP sockets together"
    if told[0] >= wanted:
        return well("udp_memory", text)
    pages = [
        max(least, one or 0) for least, one in zip((wanted, wanted * 4 // 3, wanted * 2), told, strict=True)
    ]
    remedies = _remedies(f"net.ipv4.udp_mem={' '.join(map(str, pages))}")
    return mend(
        "udp_memory", f"{text}, {size_text(wanted * page)} wanted: one full receive buffer", *remedies
    )


def _remedies(setting: str) -> tuple[Remedy, ...]:
    quoted = shlex.quote(setting)
    return (
        Remedy("mend it with", f"sudo sysctl -w {quoted}"),
        Remedy("and for good", f"echo {quoted} | sudo tee -a {FOR_GOOD}"),
    )
