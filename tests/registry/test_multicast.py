import ipaddress

import pytest

from speeddata.registry.multicast import CAPACITY, free_index, shared_streams, streams

NONE = {
    f"multicast.{name}.{part}": None for name in ("full_rate", "decimated") for part in ("address", "port")
}


def test_every_channel_has_groups_of_its_own() -> None:
    groups = [
        group
        for index in range(CAPACITY)
        for group, _ in (streams(777, index).full_rate, streams(777, index).decimated)
    ]
    assert len(set(groups)) == 2 * CAPACITY
    network = ipaddress.IPv4Network("239.255.0.0/16")
    kept_free = ipaddress.IPv4Network("239.255.255.0/24")
    addresses = [ipaddress.IPv4Address(group) for group in groups]
    assert all(address in network and address not in kept_free for address in addresses)


def test_the_first_channels_have_ports_of_their_own_too() -> None:
    ports = [port for index in range(8000) for port in streams(0, index).ports]
    assert len(set(ports)) == 16000
    assert (min(ports), max(ports)) == (10000, 25999)


def test_the_base_moves_groups_and_not_ports() -> None:
    assert streams(0, 3).full_rate == ("239.255.0.6", 10006)
    assert streams(100, 3).full_rate == ("239.255.0.206", 10006)
    assert streams(CAPACITY - 1, 1).full_rate[0] == "239.255.0.0"


def test_json_names_address_and_port() -> None:
    assert streams(0, 0).to_json() == {
        "full_rate": {"address": "239.255.0.0", "port": 10000},
        "decimated": {"address": "239.255.0.1", "port": 10001},
    }


@pytest.mark.parametrize(
    ("given", "shared"),
    [
        ({}, {}),
        (
            {"multicast.full_rate.address": "239.9.9.9", "multicast.full_rate.port": 7000},
            {"full_rate": ("239.9.9.9", 7000)},
        ),
        ({"multicast.full_rate.address": "239.9.9.9"}, {"full_rate": ("239.9.9.9", 6000)}),
        ({"multicast.decimated.port": 7001}, {"decimated": ("239.1.1.2", 7001)}),
    ],
)
def test_shared_groups_are_those_that_are_set(given: dict[str, object], shared: dict[str, object]) -> None:
    assert shared_streams(NONE | given) == shared
    assert {key: getattr(streams(0, 0, shared), key) for key in shared} == shared


@pytest.mark.parametrize(
    ("last", "used", "ports", "index"),
    [
        (CAPACITY - 1, set(), set(), 0),
        (0, set(), set(), 1),
        (0, {1, 2}, set(), 3),
        (CAPACITY - 1, {0}, {10003}, 2),
        (CAPACITY - 1, set(), {10000, 10002}, 2),
    ],
)
def test_the_next_free_index_is_given(last: int, used: set[int], ports: set[int], index: int) -> None:
    assert free_index(last, used, ports) == index


def test_no_index_is_given_twice() -> None:
    with pytest.raises(OverflowError):
        free_index(0, range(CAPACITY), set())
