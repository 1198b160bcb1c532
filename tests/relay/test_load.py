"""The load of benchmarks: what is sent arrives, paced, plain or in runs; the counter counts it."""

import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from speeddata.relay.load import count_packets, send_load
from speeddata.relay.sockets import UDP_SEGMENT


@pytest.fixture
def sockets() -> Iterator[tuple[socket.socket, socket.socket]]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        receiver.bind(("127.0.0.1", 0))
        sender.connect(receiver.getsockname())
        yield receiver, sender


@pytest.mark.parametrize("joined", [False, True])
def test_what_is_sent_is_counted(sockets: tuple[socket.socket, socket.socket], joined: bool) -> None:
    receiver, sender = sockets
    stop, stopper = os.pipe()
    counted: list[int] = []
    counter = threading.Thread(
        target=lambda: counted.append(count_packets(receiver.fileno(), stop, bytearray(64 << 16)))
    )
    counter.start()
    if joined:
        sender.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 100)
    start = time.monotonic()
    sent = send_load(sender.fileno(), bytes(100 * 20), 100, joined, 2000.0, 0.2)
    assert time.monotonic() - start >= 0.15
    os.write(stopper, b"x")
    counter.join(20)
    os.close(stop)
    os.close(stopper)
    assert counted == [sent]
    assert 20 <= sent <= 420, "no faster than it was told"


def test_packets_are_what_was_given(sockets: tuple[socket.socket, socket.socket]) -> None:
    receiver, sender = sockets
    assert send_load(sender.fileno(), b"abcdef", 2, False, 30.0, 0.05) >= 3
    assert [receiver.recv(10) for _ in range(3)] == [b"ab", b"cd", b"ef"]


def test_what_cannot_be_is_refused(sockets: tuple[socket.socket, socket.socket]) -> None:
    receiver, sender = sockets
    with pytest.raises(ValueError, match="65 packets, wanted 1 to 64"):
        send_load(sender.fileno(), bytes(65), 1, False, 0.0, 0.0)
    with pytest.raises(ValueError, match="bytes of room"):
        count_packets(receiver.fileno(), 0, bytearray(10))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as loose, pytest.raises(OSError, match="required"):
        send_load(loose.fileno(), bytes(10), 10, False, 0.0, 1.0)
