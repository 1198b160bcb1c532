"""Interfaces by address: as the kernel tells them, also when they are other ones from one moment to the next."""

import socket
from typing import Any

import pytest
from own_network import ADDRESS, CARD, ip, needs_root, own_network, plug_in

from speeddata import host_addresses
from speeddata.host_addresses import address_indexes, index_of


def test_the_loopback_interface_has_its_address() -> None:
    assert address_indexes() is not None
    assert (address_indexes() or {})["127.0.0.1"] == socket.if_nametoindex("lo")


def test_all_addresses_of_the_loopback_network_are_its_own() -> None:
    assert index_of("127.0.0.9", {"127.0.0.1": 1}) == 1
    assert index_of("127.0.0.9", {"127.0.0.1": 1, "127.0.0.9": 7}) == 7
    assert index_of("127.0.0.9", {}) is None
    assert index_of("10.0.0.1", {"127.0.0.1": 1}) is None


@pytest.mark.netns
@needs_root
def test_an_interface_that_comes_back_is_another() -> None:
    with own_network():
        assert address_indexes() == {"127.0.0.1": 1}
        plug_in()
        first = index_of(ADDRESS, address_indexes() or {})
        assert first == socket.if_nametoindex(CARD)
        ip(f"addr add 10.80.1.1/32 dev {CARD}")
        assert index_of("10.80.1.1", address_indexes() or {}) == first
        ip(f"link del {CARD}")
        assert address_indexes() == {"127.0.0.1": 1}
        plug_in()
        assert index_of(ADDRESS, address_indexes() or {}) not in (None, first)


class _Kernel:
    """Stands for a kernel that gives these answers; none, when there are no more."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)

    def __enter__(self) -> "_Kernel":
        return self

    def __exit__(self, *_: Any) -> None:
        """Nothing is held."""

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def send(self, request: bytes) -> int:
        return len(request)

    def recv(self, _size: int) -> bytes:
        if not self.answers:
            raise TimeoutError
        return self.answers.pop(0)


def message(kind: int, content: bytes = b"") -> bytes:
    return host_addresses.HEADER.pack(host_addresses.HEADER.size + len(content), kind, 0, 1, 0) + content


@pytest.mark.parametrize(
    "answers", [(), (message(host_addresses.NLMSG_ERROR),), (b"\0" * 64,)], ids=["none", "error", "nonsense"]
)
def test_a_kernel_that_does_not_tell_is_believed_nothing(
    answers: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", lambda *_: _Kernel(*answers))
    assert address_indexes() is None


def test_answers_in_several_parts_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(address: str, index: int) -> bytes:
        attribute = host_addresses.ATTRIBUTE.pack(8, host_addresses.IFA_LOCAL) + socket.inet_aton(address)
        content = host_addresses.ADDRESS.pack(socket.AF_INET, 24, 0, 0, index) + attribute
        return message(host_addresses.RTM_NEWADDR, content)

    parts = (
        told("10.0.0.1", 4) + told("10.0.0.2", 5),
        told("10.0.0.3", 4),
        message(host_addresses.NLMSG_DONE),
    )
    monkeypatch.setattr(socket, "socket", lambda *_: _Kernel(*parts))
    assert address_indexes() == {"10.0.0.1": 4, "10.0.0.2": 5, "10.0.0.3": 4}
