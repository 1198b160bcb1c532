"""Ports that are free."""

import contextlib
import random
import socket

# Below those that the kernel gives to sockets by itself: none of them takes a port between its choice and its use.
RANGE = range(10000, 32000)


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    """A port on 127.0.0.1 that was free just now; UDP's unless another kind of socket is meant."""
    for port in random.sample(RANGE, 100):
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")
