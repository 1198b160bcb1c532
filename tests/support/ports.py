"""Ports that are free."""

import contextlib
import itertools
import os
import random
import socket
from collections.abc import Iterator

# Below those that the kernel gives to sockets by itself: none of them takes a port between its choice and its use.
RANGE = range(10000, 32000)


def own_ports(worker: str, workers: int) -> Iterator[int]:
    """The ports of one of several test processes, round and round: none is given twice before all were given once."""
    number = int(worker.removeprefix("gw"))
    assert number < workers, (worker, workers)
    part = RANGE[number::workers]
    return itertools.cycle(random.sample(part, len(part)))


PORTS = own_ports(
    os.environ.get("PYTEST_XDIST_WORKER", "gw0"), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
)


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    """A port on 127.0.0.1 that was free just now and is given to no one else; UDP's unless another kind of socket is meant."""
    for port in itertools.islice(PORTS, 100):
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


def free_tcp_ports(count: int) -> list[int]:
    """So many ports of TCP, as a system takes for itself."""
    return [free_port(socket.SOCK_STREAM) for _ in range(count)]
