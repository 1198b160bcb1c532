"""Whose ports are: channels', their streams', the services'."""

import socket
from pathlib import Path
from typing import Any

import pytest

from speeddata.registry.port_owners import PortOwners
from speeddata.registry.store import Channel, Store

CHANNEL = Channel("x", 26000, None, "{}", "00", None, None)


@pytest.fixture
def owners(store: Store) -> PortOwners:
    store.insert(CHANNEL, ())
    return PortOwners(store, {8080: "registration API"}, {"decimated": ("239.1.1.2", 6001)})


def test_every_port_has_one_owner(owners: PortOwners) -> None:
    found = owners.all()
    assert found[26000] == "x"
    assert found[8080] == "registration API"
    assert found[6001] == "multicast (decimated)"
    # A stream that all channels share takes no port of the channel's own.
    assert [name for name in found.values() if "multicast of" in name] == ["multicast of x (full_rate)"]


def test_free_ports_are_nobodys_and_bound_by_nobody(owners: PortOwners) -> None:
    relay: dict[str, Any] = {"listen": "127.0.0.1", "ports.first": 26000, "ports.last": 26003}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 26002))
        assert list(owners.free(relay)) == [26001, 26003]


def test_what_is_written_since_counts(owners: PortOwners, store: Store, tmp_path: Path) -> None:
    assert tmp_path.exists()
    assert 26001 not in owners.all()
    store.insert(Channel("y", 26001, None, "{}", "00", None, None), ())
    assert owners.all()[26001] == "y"
