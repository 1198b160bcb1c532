"""Packets on their way: addresses, frames, pace, and what nobody receives."""

import socket
import time

import pytest
from channels import channel
from line import wait_until
from ports import free_port

from speeddata.packet_sender import NotSent, Pacer, PacketSender, address_of, frame_of
from speeddata.schema import Schema


@pytest.mark.parametrize(
    ("text", "found"), [("10.0.0.1:26000", ("10.0.0.1", 26000)), ("[::1]:9", ("::1", 9))]
)
def test_addresses(text, found):
    assert address_of(text) == found


@pytest.mark.parametrize("text", ["", "10.0.0.1", ":26000", "host:0", "host:65536", "host:x", "host:²"])
def test_what_is_no_address(text):
    with pytest.raises(ValueError, match="wanted HOST:PORT"):
        address_of(text)


def test_frames():
    schema = Schema.parse(channel("double"))
    assert frame_of("plain", schema) == b""
    assert frame_of("single_object", schema) == b"\xc3\x01" + schema.fingerprint


def test_what_is_sent_comes_and_what_is_too_large_is_told():
    with socket.socket(type=socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(20)
        with PacketSender(*receiver.getsockname()) as sender:
            assert sender.send(b"one")
            assert not sender.send(bytes(70_000))
            sender.finish()
        assert receiver.recv(100) == b"one"
    assert (sender.sent, sender.bytes) == (1, 3)


def test_that_nobody_receives_is_noticed():
    with PacketSender("127.0.0.1", free_port()) as sender:

        def refused():
            try:
                sender.send(b"x")
                sender.finish()
            except NotSent as error:
                return str(error)

        assert "nobody receives at 127.0.0.1" in wait_until(refused)
    with pytest.raises(NotSent, match="nosuch.invalid"):
        PacketSender("nosuch.invalid", 9)


def test_nothing_goes_before_it_is_due_nor_faster_than_the_rate():
    pacer, began = Pacer(1e6), time.monotonic()
    pacer.wait(began + 0.05)
    assert time.monotonic() - began >= 0.05
    pacer, began = Pacer(1000.0), time.monotonic()
    for _ in range(101):
        pacer.wait()
    assert time.monotonic() - began >= 0.09


@pytest.mark.parametrize("host", ["\udcff", "a" * 300, "a..b"])
def test_a_host_that_cannot_be_is_told_in_words(host):
    with pytest.raises(NotSent):
        PacketSender(host, 9)


def test_what_is_due_in_centuries_is_waited_for(monkeypatch):
    class Clock:
        now, naps = 0.0, 0

        def monotonic(self):
            return self.now

        def sleep(self, seconds):
            assert seconds < 9e9, "the system would refuse"
            self.now, self.naps = self.now + seconds * 1000, self.naps + 1

    clock = Clock()
    monkeypatch.setattr("speeddata.packet_sender.time", clock)
    Pacer().wait(3e10)
    assert clock.now >= 3e10
    assert clock.naps > 1
