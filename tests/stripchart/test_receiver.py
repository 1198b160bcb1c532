import contextlib
import re
import socket
from collections.abc import Iterator

import pytest
from live import Sender, free_port, wait_for
from own_network import ADDRESS, needs_root, own_network, plug_in

from speeddata.stripchart.receiver import Receiver

LOOPBACK = "127.0.0.1"


@pytest.fixture
def group() -> tuple[str, int]:
    return "239.255.40.1", free_port(socket.SOCK_DGRAM)


@pytest.fixture
def receiver(group: tuple[str, int]) -> Iterator[Receiver]:
    with contextlib.closing(Receiver(group, LOOPBACK)) as opened:
        yield opened


def test_packets_come_in_order_with_their_sender(receiver: Receiver, group: tuple[str, int]) -> None:
    with contextlib.closing(Sender(group)) as sender:
        for n in range(100):
            sender.send(b"%d" % n)
        received: list[tuple[bytes, tuple[str, int]]] = []
        wait_for(lambda: received.extend(receiver.drain()) or len(received) >= 100, "100 packets")
        assert received == [(b"%d" % n, sender.source) for n in range(100)]
        assert receiver.drops == 0


def test_fault_60_other_groups_of_the_port_stay_out(receiver: Receiver, group: tuple[str, int]) -> None:
    other = ("239.255.40.2", group[1])
    with (
        contextlib.closing(Receiver(other, LOOPBACK)) as second,
        contextlib.closing(Sender(other)) as sender,
    ):
        sender.send(b"not for the first")
        assert wait_for(second.drain, "the packet")[0][0] == b"not for the first"
        assert receiver.drain() == []


@pytest.mark.netns
@needs_root
def test_fault_60_the_same_group_of_another_network_stays_out() -> None:
    """Other systems may use the same groups there."""
    group = ("239.255.40.3", 47300)
    with own_network(), contextlib.ExitStack() as undo:
        plug_in()
        here, there = (
            undo.enter_context(contextlib.closing(Receiver(group, of))) for of in (LOOPBACK, ADDRESS)
        )
        undo.enter_context(contextlib.closing(sender := Sender(group, ADDRESS)))
        sender.send(b"of the other network")
        assert wait_for(there.drain, "the packet")[0][0] == b"of the other network"
        assert here.drain() == []


def test_two_servers_may_share_a_group(receiver: Receiver, group: tuple[str, int]) -> None:
    with (
        contextlib.closing(Receiver(group, LOOPBACK)) as second,
        contextlib.closing(Sender(group)) as sender,
    ):
        sender.send(b"for both")
        assert wait_for(receiver.drain)[0][0] == wait_for(second.drain)[0][0] == b"for both"


def test_what_the_kernel_drops_is_counted(group: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("speeddata.stripchart.receiver._BUFFER_BYTES", 4096)
    with (
        contextlib.closing(Receiver(group, LOOPBACK)) as small,
        contextlib.closing(Sender(group)) as sender,
    ):
        for _ in range(500):
            sender.send(bytes(1000))
        kept = len(small.drain())
        assert small.drops == 500 - kept > 0


def test_an_address_that_is_no_group_is_refused_with_a_reason() -> None:
    with pytest.raises(OSError, match=re.escape("cannot join 127.0.0.1:5000 on 127.0.0.1")):
        Receiver(("127.0.0.1", 5000), LOOPBACK)
