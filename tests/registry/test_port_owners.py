"""Whose ports are: channels', their streams', the services'."""

import socket
from pathlib import Path
from typing import Any

import pytest

from speeddata.registry.port_owners import PortOwners
from speeddata.registry.store import Channel, Store

CHANNEL = Channel("x", 9100, None, "{}", "00", None, None)


@pytest.fixture
def owners(store: Store) -> PortOwners:
    store.insert(CHANNEL, ())
    return PortOwners(store, {8080: "registration API"}, {"decimated": ("239.1.1.2", 6001)})


def test_every_port_has_one_owner(owners: PortOwners) -> None:
    found = owners.all()
    assert found[9100] == "x"
    assert found[8080] == "registration API"
    assert found[6001] == "multicast (decimated)"
    # A stream that all channels share takes no port of the channel's own.
    assert [name for name in found.values() if "multicast of" in name] == ["multicast of x (full_rate)"]


def test_free_ports_are_nobodys_and_bound_by_nobody(owners: PortOwners) -> None:
    relay: dict[str, Any] = {"listen": "127.0.0.1", "ports.first": 9100, "ports.last": 9103}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 9102))
        assert list(owners.free(relay)) == [9101, 9103]


def test_what_is_written_since_counts(owners: PortOwners, store: Store, tmp_path: Path) -> None:
    assert tmp_path.exists()
    assert 9101 not in owners.all()
    store.insert(Channel("y", 9101, None, "{}", "00", None, None), ())
    assert owners.all()[9101] == "y"
