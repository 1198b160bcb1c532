"""Which groups are heard: joined, left, tried again with back-off, and joined once more when their interface is another."""

import contextlib
import socket
from collections.abc import Iterator

import pytest
from live import Sender, free_port, wait_for
from own_network import ADDRESS, CARD, ip, needs_root, own_network, plug_in

from speeddata.stripchart.catalogue import Address
from speeddata.stripchart.groups import LONGEST_WAIT, Groups
from speeddata.stripchart.receiver import Receiver


class Bench:
    """Groups on the loopback interface, whose addresses are said by hand."""

    def __init__(self) -> None:
        self.found: dict[str, int] | None = {"127.0.0.1": 1}
        self.refusal = ""
        self.tried = 0
        self.groups = Groups(self.join, lambda: self.found)
        self.one, self.other = ((f"239.255.61.{n}", free_port(socket.SOCK_DGRAM)) for n in (1, 2))

    def join(self, group: Address) -> Receiver:
        self.tried += 1
        if self.refusal:
            raise OSError(self.refusal)
        return Receiver(group, "127.0.0.1")


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    with contextlib.closing(made.groups):
        yield made


def test_what_is_wanted_is_joined_and_the_rest_left(bench: Bench) -> None:
    groups = bench.groups
    groups.want({bench.one, bench.other})
    assert (set(groups.receivers), bench.tried) == ({bench.one, bench.other}, 2)
    groups.want({bench.other})
    assert (set(groups.receivers), bench.tried) == ({bench.other}, 2)
    groups.close()
    assert groups.receivers == {}


def test_fault_61_a_group_is_joined_again_with_back_off(bench: Bench) -> None:
    groups, bench.refusal = bench.groups, "no such device"
    looks = []
    for look in range(30):
        before = bench.tried
        groups.want({bench.one})
        if bench.tried > before:
            looks.append(look)
        groups.look()
    # The first look has nothing to compare with.
    waits = [later - sooner for sooner, later in zip(looks[1:], looks[2:], strict=False)]
    assert waits == [1, 2, 4, 8, 8][: len(waits)]
    assert max(waits) == LONGEST_WAIT
    assert groups.troubles == {bench.one: "no such device"}
    bench.refusal = ""
    bench.found = {"127.0.0.1": 1, ADDRESS: 2}
    groups.look()
    groups.want({bench.one})
    assert (set(groups.receivers), groups.troubles) == ({bench.one}, {}), "at once when an interface has come"


def test_what_is_no_longer_wanted_is_no_trouble(bench: Bench) -> None:
    groups, bench.refusal = bench.groups, "no such device"
    groups.want({bench.one})
    groups.want(set())
    assert groups.troubles == {}
    groups.want({bench.one})
    assert bench.tried == 2, "and is tried at once when it is wanted again"


def test_an_interface_that_is_another_is_told(bench: Bench) -> None:
    groups = bench.groups
    groups.want({bench.one})
    assert groups.look() == []
    bench.found = {}
    assert groups.look() == []
    address, port = bench.one
    assert groups.troubles == {
        bench.one: f"cannot hear {address}:{port}: no interface has the address 127.0.0.1"
    }
    bench.found = None  # the kernel does not tell
    assert groups.look() == []
    assert groups.troubles
    bench.found = {"127.0.0.1": 1}
    assert (groups.look(), groups.troubles) == ([], {})
    bench.found = {"127.0.0.1": 2}
    assert groups.look() == [bench.one]


@pytest.mark.netns
@needs_root
def test_fault_61_what_is_sent_is_heard_again_when_the_interface_is_back() -> None:
    group = ("239.255.61.3", 47200)
    with own_network(), contextlib.closing(Groups(lambda one: Receiver(one, ADDRESS))) as groups:
        groups.want({group})
        assert list(groups.troubles) == [group], "there is no card"
        for card in (CARD, "another"):
            plug_in(card)
            for astray in groups.look():
                groups.leave(astray)
            groups.want({group})
            assert groups.troubles == {}
            with contextlib.closing(Sender(group, ADDRESS)) as sender:
                sender.send(card.encode())
            assert wait_for(groups.receivers[group].drain, "the packet")[0][0] == card.encode()
            ip(f"link del {card}")
            assert groups.look() == []
            assert "no interface has the address 10.80.0.1" in groups.troubles[group]


@pytest.mark.netns
@needs_root
def test_a_link_that_was_down_needs_no_joining() -> None:
    group = ("239.255.61.4", 47201)
    with own_network(), contextlib.closing(Groups(lambda one: Receiver(one, ADDRESS))) as groups:
        plug_in()
        groups.want({group})
        ip(f"link set {CARD} down")
        assert groups.look() == []
        ip(f"link set {CARD} up")
        assert groups.look() == []
        with contextlib.closing(Sender(group, ADDRESS)) as sender:
            sender.send(b"heard")
        assert wait_for(groups.receivers[group].drain, "the packet")[0][0] == b"heard"
