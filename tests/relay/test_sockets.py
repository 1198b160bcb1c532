"""The sockets: buffers, drops that add up, ports in use, multicast that stays where it is sent."""

import contextlib
import os
import socket
from dataclasses import replace

import pytest
from line import drain, make_spec, subscribe

from speeddata.errors import RelayError
from speeddata.relay.sockets import IP_MULTICAST_ALL, ChannelSockets, kernel_drops, open_input
from speeddata.relay.spec import ChannelSpec


def test_every_drop_of_the_kernel_is_counted():
    with open_input("127.0.0.1", 0, 20_000) as receiver, socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.connect(receiver.getsockname())
        for _ in range(500):
            sender.send(b"x" * 100)
        assert 0 < len(drain(receiver)) == 500 - kernel_drops(receiver)


def test_fault_33_a_port_in_use_names_its_owner():
    with open_input("127.0.0.1", 0, 1 << 20) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            RelayError, match=rf"port {port} on 127.0.0.1 is in use \(by process {os.getpid()}, "
        ):
            open_input("127.0.0.1", port, 1 << 20)


def test_an_address_of_another_host_is_refused():
    with pytest.raises(RelayError, match=r"port 5000 on 192\.0\.2\.1: "):
        open_input("192.0.2.1", 5000, 1 << 20)


def test_streams_go_out_by_the_interface_given(tmp_path):
    spec = ChannelSpec.from_json(make_spec(tmp_path))
    group = spec.multicast.full_rate
    sockets = ChannelSockets.open(spec)
    try:
        with subscribe(group.address, group.port) as subscriber:
            sockets.full_rate.send(b"hello")
            assert subscriber.recvfrom(100) == (b"hello", sockets.full_rate.getsockname())
        assert sockets.receive_buffer > 0
    finally:
        sockets.close()


def test_fault_60_groups_are_not_heard_by_inputs(tmp_path):
    """A socket bound to every address would otherwise take what comes for any group that is joined on the host."""
    spec = ChannelSpec.from_json(make_spec(tmp_path))
    group = spec.multicast.full_rate
    sockets = ChannelSockets.open(spec)
    with open_input("0.0.0.0", group.port, 1 << 20) as heard, subscribe(group.address, group.port + 2):
        sockets.full_rate.send(b"not for inputs")
        assert drain(heard) == []
        heard.setsockopt(socket.IPPROTO_IP, IP_MULTICAST_ALL, 1)  # the control: with the default it would
        sockets.full_rate.send(b"heard")
        assert heard.recv(100) == b"heard"
    sockets.close()


def test_fault_60_a_group_is_no_input():
    with pytest.raises(RelayError, match=r"port 5000 on 239\.255\.1\.1: a multicast group is no input"):
        open_input("239.255.1.1", 5000, 1 << 20)


def test_fault_34_a_port_has_one_relay(tmp_path):
    spec = ChannelSpec.from_json(make_spec(tmp_path))
    with contextlib.closing(ChannelSockets.open(spec)) as first:
        assert first.input.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0
        port = first.input.getsockname()[1]
        with pytest.raises(RelayError, match=f"port {port} on 127.0.0.1 is in use"):
            ChannelSockets.open(replace(spec, port=port))
