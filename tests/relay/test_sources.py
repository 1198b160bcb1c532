"""Fault 57: packets are taken from the addresses on a channel's list alone."""

import contextlib
import os
import socket
import struct

import fastavro
import pytest
from line import make_spec, numbered, read_records, running
from own_network import ADDRESS, CARD, ip, needs_root, own_network
from ports import free_port

from speeddata.relay.channel import networks


def source(line, address):
    """A socket that sends to a line from an address of this machine."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind((address, 0))
    made.connect(line.sockets.input.getsockname())
    return contextlib.closing(made)


def test_fault_57_a_packet_of_who_is_not_on_the_list_is_refused_before_it_is_looked_at(tmp_path):
    spec = make_spec(tmp_path, sources=["127.0.0.2/31", "127.8.0.0/16"])
    with running(spec) as line:
        sent = {
            "127.0.0.1": 3,
            "127.0.0.2": 5,
            "127.0.0.3": 7,
            "127.0.0.4": 11,
            "127.8.255.254": 13,
            "127.9.0.1": 17,
        }
        n = 0
        for address, count in sent.items():
            with source(line, address) as sender:
                for _ in range(count):
                    sender.send(numbered(n))
                    n += 1
                sender.send(b"rubbish")
        stats = line.wait(packets=25, rejected__source=3 + 11 + 17 + 3)
        assert sum(stats["rejected"].values()) == 3 + 11 + 17 + 3 + 3
        # Who is refused takes no place among those that are followed.
        assert {one["address"] for one in line.mapping.sources()} == {
            "127.0.0.2",
            "127.0.0.3",
            "127.8.255.254",
        }
    with (line.folder / "quarantine.avro").open("rb") as file:
        filed = list(fastavro.reader(file))
    assert {one["sender"].partition(":")[0] for one in filed if one["reason"] == "source"} == {
        "127.0.0.1",
        "127.0.0.4",
        "127.9.0.1",
    }
    assert len(read_records(line.folder)) == 25


def claiming(address, to, payload):
    """An IP packet with a datagram in it, that says it comes from an address."""
    datagram = struct.pack("!4H", 9, to[1], 8 + len(payload), 0) + payload
    ends = socket.inet_aton(address) + socket.inet_aton(to[0])
    return (
        struct.pack("!2B3H2BH", 0x45, 0, 20 + len(datagram), 0, 0, 64, socket.IPPROTO_UDP, 0)
        + ends
        + datagram
    )


@pytest.mark.netns
@needs_root
def test_fault_57_a_host_elsewhere_is_taken_by_its_address_and_is_not_this_machine_for_saying_so(tmp_path):
    """Two namespaces as two hosts, with a cable between them."""
    listed, other = "10.80.0.2", "10.80.0.3"
    with contextlib.ExitStack() as undo:
        undo.enter_context(own_network())
        there = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        undo.callback(os.close, there)
        # A socket stays in the network that it was made in.
        device = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        stranger = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        forger = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW))
        with own_network():
            ip(
                f"link add {CARD} type veth peer name far netns /proc/{os.getpid()}/fd/{there}",
                f"addr add {ADDRESS}/24 dev {CARD}",
                f"link set {CARD} up",
            )
            spec = make_spec(tmp_path, listen="0.0.0.0", port=free_port(), sources=["127.0.0.0/8", listed])
            line = undo.enter_context(running(spec))
        ip(f"addr add {listed}/24 dev far", f"addr add {other}/24 dev far", "link set far up")
        to = (ADDRESS, spec["port"])
        device.bind((listed, 0))
        stranger.bind((other, 0))
        for n in range(10):
            forger.sendto(claiming("127.0.0.1", to, numbered(100 + n)), to)
            forger.sendto(claiming("10.80.0.9", to, numbered(200 + n)), to)
            stranger.sendto(numbered(300 + n), to)
            device.sendto(numbered(n), to)
        stats = line.wait(packets=10, rejected__source=20)
        assert sum(stats["rejected"].values()) == 20, (
            "what says it is from here does not get as far as the relay"
        )
        assert {one["address"] for one in line.mapping.sources()} == {listed}
    assert [record["n"] for record in read_records(line.folder)] == list(range(10))


def test_without_a_list_packets_are_taken_from_everywhere(tmp_path):
    with running(make_spec(tmp_path)) as line, source(line, "127.77.0.1") as sender:
        sender.send(numbered(1))
        line.wait(packets=1, rejected__source=0)


def test_as_many_networks_as_there_may_be(tmp_path):
    spec = make_spec(tmp_path, sources=[f"127.1.{n}.0/24" for n in range(64)])
    with running(spec) as line, source(line, "127.1.63.9") as sender, source(line, "127.1.64.9") as other:
        sender.send(numbered(1))
        other.send(numbered(2))
        line.wait(packets=1, rejected__source=1)


def test_networks_as_on_the_wire():
    (pair,) = networks(["192.168.1.0/24"])
    address, mask = (number.to_bytes(4, "little") for number in pair)
    assert (address, mask) in (
        (b"\xc0\xa8\x01\x00", b"\xff\xff\xff\x00"),
        (b"\x00\x01\xa8\xc0", b"\x00\xff\xff\xff"),
    )
    assert networks(None) == []
