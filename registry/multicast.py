"""Which multicast groups and ports a channel sends to: a pure function of its index and the registry's base.

Groups are in 239.255.0.0/16 (RFC 2365: local scope), two per channel. 239.255.255.0/24 is left out since service
discovery protocols use it. Ports are below the range from which the kernel takes ports of its own accord.
"""

import ipaddress
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["CAPACITY", "Streams", "free_index", "own_ports", "ports_free", "shared_streams", "streams"]

FIRST_GROUP = int(ipaddress.IPv4Address("239.255.0.0"))
CAPACITY = (65536 - 256) // 2  # channels
# Ports 10000 to 25999; channels beyond 8000 use them again, with groups of their own.
FIRST_PORT, PORT_PAIRS = 10000, 8000
# What SpeedData 0.6 used when only the address or only the port was set.
V06 = {"full_rate": ("239.1.1.1", 6000), "decimated": ("239.1.1.2", 6001)}


@dataclass(frozen=True)
class Streams:
    """Where a channel's two streams are sent."""

    full_rate: tuple[str, int]
    decimated: tuple[str, int]

    def to_json(self) -> dict[str, Any]:
        """The form that the API and the channel spec use."""
        return {
            name: {"address": address, "port": port}
            for name, (address, port) in (("full_rate", self.full_rate), ("decimated", self.decimated))
        }

    @property
    def ports(self) -> tuple[int, int]:
        """Both ports."""
        return self.full_rate[1], self.decimated[1]


def streams(base: int, index: int, shared: Mapping[str, tuple[str, int]] | None = None) -> Streams:
    """Give the streams of a channel; `shared` ones take the place of its own."""
    number = FIRST_GROUP + 2 * ((base + index) % CAPACITY)
    full_rate, decimated = own_ports(index)
    own = {
        "full_rate": (str(ipaddress.IPv4Address(number)), full_rate),
        "decimated": (str(ipaddress.IPv4Address(number + 1)), decimated),
    }
    chosen = own | dict(shared or {})
    return Streams(chosen["full_rate"], chosen["decimated"])


def shared_streams(settings: Mapping[str, Any]) -> dict[str, tuple[str, int]]:
    """The streams that the settings name for all channels together, as SpeedData 0.6 had them."""
    shared = {}
    for name, (address, port) in V06.items():
        given = settings[f"multicast.{name}.address"], settings[f"multicast.{name}.port"]
        if given != (None, None):
            shared[name] = (given[0] or address, given[1] or port)
    return shared


def free_index(last: int, used: Collection[int | None], ports: Collection[int | None]) -> int:
    """Give the next index after `last` that no channel has and whose ports are none of `ports`."""
    for step in range(1, CAPACITY + 1):
        index = (last + step) % CAPACITY
        if index not in used and ports_free(index, ports):
            return index
    raise OverflowError(f"all {CAPACITY} pairs of multicast groups are in use")


def own_ports(index: int) -> tuple[int, int]:
    """The ports of both streams of an index."""
    port = FIRST_PORT + 2 * (index % PORT_PAIRS)
    return port, port + 1


def ports_free(index: int, ports: Collection[int | None]) -> bool:
    """Whether none of `ports` is a port of this index."""
    return not any(port in ports for port in own_ports(index))
