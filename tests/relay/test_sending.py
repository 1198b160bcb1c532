"""The way out of live streams: set when it is there, tried again with back-off, and told in words while it is not."""

import contextlib
import errno
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from ingest_harness import Clock
from line import subscribe
from own_network import ADDRESS, CARD, ip, needs_root, own_network, plug_in

from speeddata.errors import RelayError
from speeddata.host_addresses import address_indexes
from speeddata.relay.sending import FIRST_WAIT_S, LONGEST_WAIT_S, STILL_S, Sending, sending_error
from speeddata.relay.sockets import open_output
from speeddata.relay.spec import Group, Multicast

FULL, DECIMATED = Group("239.255.60.1", 47100), Group("239.255.60.2", 47101)
LOOPBACK = {"127.0.0.1": 1}
WELL: dict[str, Any] = {"forwarded": 9, "forward_error": None, "decimated": 3, "decimate_error": None}


@pytest.fixture
def undo() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as stack:
        yield stack


def outputs(undo: contextlib.ExitStack, multicast: Multicast) -> list[tuple[socket.socket, Group]]:
    return [
        (undo.enter_context(open_output(multicast, group, may_wait=True)), group)
        for group in (FULL, DECIMATED)
    ]


def test_errors_are_told_in_words() -> None:
    assert sending_error(0) is None
    assert sending_error(errno.ENOBUFS) == "No buffer space available"
    assert sending_error(errno.EDESTADDRREQ) == "the interface to send by was not there"


def test_fault_61_an_output_whose_interface_is_not_there_waits_for_it(undo: contextlib.ExitStack) -> None:
    absent = Multicast(FULL, DECIMATED, "203.0.113.7")
    with pytest.raises(RelayError, match=r"multicast 239\.255\.60\.1:47100 by interface 203\.0\.113\.7: "):
        open_output(absent, FULL)
    ((sock, _), _) = made = outputs(undo, absent)
    with pytest.raises(OSError, match="Destination address required"):
        sock.send(b"nowhere")
    sending = Sending(absent, made)
    sending.look(LOOPBACK)
    assert sending.trouble == "no interface has the address 203.0.113.7"
    sending.look(None)  # the kernel does not tell: what was known stays
    assert sending.trouble
    assert (
        sending.unsent(WELL, full_rate=True)
        == "not sent live (full_rate, decimated): no interface has the address 203.0.113.7"
    )
    assert sending.unsent(WELL, full_rate=False).startswith("not sent live (decimated): ")


def test_fault_59_a_stream_that_cannot_be_sent_is_named_with_its_error(undo: contextlib.ExitStack) -> None:
    multicast = Multicast(FULL, DECIMATED)
    sending = Sending(multicast, outputs(undo, multicast))
    assert sending.unsent(WELL, full_rate=True) == ""
    broken = {**WELL, "forward_error": "Network is down"}
    assert sending.unsent(broken, full_rate=True) == "not sent live, full_rate: Network is down"
    assert sending.unsent(broken, full_rate=False) == ""
    both = {**broken, "decimate_error": "No such device"}
    assert (
        sending.unsent(both, full_rate=True)
        == "not sent live, full_rate: Network is down; decimated: No such device"
    )


def test_fault_59_a_stream_that_goes_by_fits_and_starts_is_no_trouble(undo: contextlib.ExitStack) -> None:
    """What the interface is too slow for is counted; the channel's state would change with every look."""
    clock = Clock()
    multicast = Multicast(FULL, DECIMATED)
    sending = Sending(multicast, outputs(undo, multicast), clock)
    stats = {**WELL, "forward_error": "Resource temporarily unavailable"}
    assert sending.unsent(stats, full_rate=True), "nothing was seen to go"
    for _ in range(5):
        stats["forwarded"] += 1
        assert sending.unsent(stats, full_rate=True) == ""
        clock.now += STILL_S
    assert (
        sending.unsent(stats, full_rate=True) == "not sent live, full_rate: Resource temporarily unavailable"
    )


class _Refusing(socket.socket):
    """A socket that cannot be connected, so often."""

    refusals = 0
    tries = 0

    def connect(self, _address: Any) -> None:
        self.tries += 1
        if self.tries <= self.refusals:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")


def test_fault_61_a_way_that_cannot_be_set_is_tried_again_with_back_off(undo: contextlib.ExitStack) -> None:
    sock = undo.enter_context(_Refusing(socket.AF_INET, socket.SOCK_DGRAM))
    sock.refusals = 6
    clock = Clock()
    sending = Sending(Multicast(FULL, DECIMATED), [(sock, FULL)], clock)
    waits, last = [], clock.now
    while sock.tries <= sock.refusals:
        before = sock.tries
        sending.look(LOOPBACK)
        if sock.tries > before:
            waits.append(clock.now - last)
            last = clock.now
            assert sending.trouble == (
                "interface 127.0.0.1: Network is unreachable" if sock.tries <= 6 else ""
            )
        clock.now += FIRST_WAIT_S / 4
    assert waits == [0, *(min(FIRST_WAIT_S * 2**k, LONGEST_WAIT_S) for k in range(6))]
    sending.look(LOOPBACK)
    assert sock.tries == 7, "it is set once"
    sending.look({"127.0.0.1": 2})
    assert sock.tries == 8, "and again when the interface is another"


@pytest.mark.netns
@needs_root
def test_fault_61_an_output_goes_by_the_interface_that_has_the_address(undo: contextlib.ExitStack) -> None:
    undo.enter_context(own_network())
    multicast = Multicast(FULL, DECIMATED, ADDRESS, 1)
    ((sock, _), _) = made = outputs(undo, multicast)  # there is no card yet
    sending = Sending(multicast, made)
    for card in (CARD, "another", CARD):
        sending.look(address_indexes())
        assert sending.trouble == f"no interface has the address {ADDRESS}"
        plug_in(card)
        sending.look(address_indexes())
        assert sending.trouble == ""
        heard = undo.enter_context(subscribe(FULL.address, FULL.port, ADDRESS))
        sock.send(card.encode())
        assert heard.recvfrom(100) == (card.encode(), sock.getsockname())
        assert sock.getsockname()[0] == ADDRESS
        ip(f"link del {card}")
        with pytest.raises(OSError, match="Network is unreachable"):
            sock.send(b"by what is not there")


@pytest.mark.netns
@needs_root
def test_fault_61_an_interface_that_is_down_is_waited_for(undo: contextlib.ExitStack) -> None:
    undo.enter_context(own_network())
    plug_in()
    ip(f"link set {CARD} down")
    multicast, clock = Multicast(FULL, DECIMATED, ADDRESS, 1), Clock()
    ((sock, _), _) = made = outputs(undo, multicast)
    sending = Sending(multicast, made, clock)
    sending.look(address_indexes())
    assert sending.trouble == f"interface {ADDRESS}: Network is unreachable"
    ip(f"link set {CARD} up")
    clock.now += FIRST_WAIT_S
    sending.look(address_indexes())
    assert sending.trouble == ""
    heard = undo.enter_context(subscribe(FULL.address, FULL.port, ADDRESS))
    sock.send(b"hello")
    assert heard.recv(100) == b"hello"


@pytest.mark.netns
@needs_root
def test_fault_61_an_address_that_moves_takes_the_streams_along(undo: contextlib.ExitStack) -> None:
    """The kernel would go on sending by the interface that had it."""
    undo.enter_context(own_network())
    plug_in()
    plug_in("another", "10.81.0.1")
    multicast = Multicast(FULL, DECIMATED, ADDRESS, 1)
    ((sock, _), _) = made = outputs(undo, multicast)
    sending = Sending(multicast, made)
    sending.look(address_indexes())
    ip(f"addr del {ADDRESS}/24 dev {CARD}", f"addr add {ADDRESS}/24 dev another")
    heard = undo.enter_context(subscribe(FULL.address, FULL.port, ADDRESS))
    sock.send(b"by the former one")
    sending.look(address_indexes())
    sock.send(b"by this one")
    assert heard.recv(100) == b"by this one"
