"""A network of a test's own: the thread that asks for one is in it, and so is what that starts, with a card that may be taken away."""

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Iterator

import pytest

CLONE_NEWNET = 0x40000000
CARD = "sdcard"
ADDRESS = "10.80.0.1"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


def ip(*commands: str) -> None:
    """Run commands of `ip`, one after the other, each of which must succeed."""
    for command in commands:
        subprocess.run(["ip", *command.split()], check=True, capture_output=True)


@contextlib.contextmanager
def own_network() -> Iterator[None]:
    """A network with nothing but a loopback interface, for this thread and what it starts meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    former = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        assert libc.unshare(CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        try:
            ip("link set lo up")
            yield
        finally:
            assert libc.setns(former, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
    finally:
        os.close(former)


def plug_in(card: str = CARD, address: str = ADDRESS) -> None:
    """Make a card that has an address; its cable leads nowhere."""
    cable = f"{card}-end"
    ip(
        f"link add {card} type veth peer name {cable}",
        f"addr add {address}/24 dev {card}",
        f"link set {cable} up",
        f"link set {card} up",
    )
